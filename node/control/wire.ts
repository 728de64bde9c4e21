// What travels over the control socket: HTTP/1.1, JSON bodies, one route per method. Errors travel with their stable
// code, so that the command line can choose its exit code and say what to do.

import type { Report } from '../../mesh/registry/types.ts'
import type { ActorStatus, MemberStatus, NodeStatus, RecoverOutcome, RescueOutcome } from '../api.ts'
import { toReadable } from './readable.ts'

/** A call's arguments and result pass through here once; larger values belong in an app, not on a command line. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024

export interface CallRequest {
  readonly type: string
  readonly name: string
  readonly method: string
  readonly args: readonly unknown[]
  /** Milliseconds; the node's default when left out. */
  readonly timeoutMs?: number
}

/** Route → what it takes and answers. A breaking change gets a new version in the path. */
export interface ControlMethods {
  'GET /v1/status': { readonly request: undefined; readonly response: NodeStatus }
  'GET /v1/members': { readonly request: undefined; readonly response: readonly MemberStatus[] }
  'GET /v1/actors': { readonly request: undefined; readonly response: readonly ActorStatus[] }
  'GET /v1/reports': { readonly request: undefined; readonly response: readonly Report[] }
  'POST /v1/invite': { readonly request: undefined; readonly response: { readonly invite: string } }
  /** `result` in readable JSON (readable.ts); left out when the method returned undefined. */
  'POST /v1/call': { readonly request: CallRequest; readonly response: { readonly result?: unknown } }
  'POST /v1/create': {
    readonly request: {
      readonly type: string
      readonly name: string
      readonly init: readonly unknown[]
      /** As in createActor: in place of the class's, for this actor. */
      readonly options?: Readonly<Record<string, unknown>>
    }
    readonly response: Record<string, never>
  }
  'POST /v1/stop': {
    readonly request: { readonly type: string; readonly name: string }
    readonly response: Record<string, never>
  }
  'POST /v1/kill': {
    readonly request: { readonly type: string; readonly name: string; readonly restart: boolean }
    readonly response: Record<string, never>
  }
  'POST /v1/delete': {
    readonly request: { readonly type: string; readonly name: string }
    readonly response: Record<string, never>
  }
  /** Answers once every boot is recovered, or with what is known after half a minute. */
  'POST /v1/rescue': { readonly request: { readonly acceptLoss: boolean }; readonly response: RescueOutcome }
  'POST /v1/recover': {
    readonly request: { readonly target: string; readonly acceptLoss: boolean }
    readonly response: RecoverOutcome
  }
  /** Answers once the actors are handed over and the node has closed. */
  'POST /v1/leave': { readonly request: undefined; readonly response: Record<string, never> }
}
export type ControlRoute = keyof ControlMethods

export interface WireError {
  readonly code: string
  readonly message: string
  /** For a method's own error: its class. */
  readonly className?: string
  readonly executed?: string
  readonly stack?: string
  readonly data?: unknown
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

export function errorToWire(error: unknown): WireError {
  const fields = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>
  const className = text(fields['className'])
  const executed = text(fields['executed'])
  const stack = text(fields['remoteStack']) ?? text(fields['stack'])
  const data = toReadable(fields['data'])
  return {
    code: text(fields['code']) ?? 'INTERNAL',
    message: text(fields['message']) ?? String(error),
    ...(className !== undefined && { className }),
    ...(executed !== undefined && { executed }),
    ...(stack !== undefined && { stack }),
    ...(data !== undefined && { data }),
  }
}

/** An error as the node reported it, or as the socket failed (`NOT_RUNNING`, `NO_ANSWER`). */
export class ControlError extends Error {
  override name = 'ControlError'
  readonly code: string
  readonly wire: WireError

  constructor(wire: WireError) {
    super(wire.message)
    this.code = wire.code
    this.wire = wire
  }
}

/** Decodes an error body; anything else becomes an INTERNAL error that shows it. */
export function errorFromWire(body: unknown): ControlError {
  const wire = (body as { error?: WireError } | null)?.error
  if (typeof wire?.code === 'string' && typeof wire.message === 'string') return new ControlError(wire)
  return new ControlError({ code: 'INTERNAL', message: `unexpected answer: ${JSON.stringify(body)}` })
}
