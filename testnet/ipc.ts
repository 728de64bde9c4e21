// What a testnet and its peer processes say to each other over the IPC channel (structured clone: Map, BigInt and
// bytes survive). Requests carry an id and get one answer; events and load reports come unasked.

import type { Report } from '../mesh/registry/types.ts'
import type { ActorStatus, MemberStatus, NodeEvents, NodeOptions, NodeStatus } from '../node/api.ts'
import type { WireError } from '../node/control/wire.ts'
import type { DrivePlan, OperationEvent } from './chaos/workload.ts'
import type { Route } from './links/redirect.ts'

/** Options of one peer: NodeOptions that survive a process boundary. */
export type PeerOptions = Omit<NodeOptions, 'actors' | 'logger'> & {
  /** URL of a module whose exports that extend Actor this peer can run. */
  readonly actors: string
  /** Dials to these ports go through proxies. */
  readonly routes?: readonly Route[]
}

/** Calls at a steady rate from one peer, each with a token of its own. */
export interface LoadPlan {
  readonly type: string
  readonly method: string
  readonly names: readonly string[]
  readonly perSecond: number
  /** Makes tokens unique: another one for every start of a peer. */
  readonly prefix: string
  readonly timeoutMs: number
}

/** One acknowledged call of a load. Times are wall-clock milliseconds: all peers are on one machine. */
export interface Ack {
  readonly name: string
  readonly token: string
  readonly sentAt: number
  readonly at: number
  /** The peer that executed the call, as the actor said. */
  readonly by: string
}

export interface LoadReport {
  readonly acks: readonly Ack[]
  readonly failures: readonly { readonly name: string; readonly token: string; readonly code: string }[]
  readonly inFlight: number
}

/** Everything one peer knows, for conditions and dumps. */
export interface PeerSnapshot {
  readonly status: NodeStatus
  readonly members: readonly MemberStatus[]
  readonly actors: readonly ActorStatus[]
  readonly reports: readonly Report[]
}

export interface PeerRequests {
  start: { readonly request: PeerOptions; readonly response: PeerSnapshot }
  snapshot: { readonly request: undefined; readonly response: PeerSnapshot }
  invite: { readonly request: undefined; readonly response: string }
  call: {
    readonly request: {
      readonly type: string
      readonly name: string
      readonly method: string
      readonly args: readonly unknown[]
      readonly timeoutMs?: number
    }
    readonly response: unknown
  }
  createActor: {
    readonly request: { readonly type: string; readonly name: string }
    readonly response: undefined
  }
  stopActor: {
    readonly request: { readonly type: string; readonly name: string }
    readonly response: undefined
  }
  load: { readonly request: LoadPlan; readonly response: undefined }
  /** Answers when the calls in flight are settled and reported. */
  unload: { readonly request: undefined; readonly response: undefined }
  /** Starts clients of a workload. */
  drive: { readonly request: DrivePlan; readonly response: undefined }
  /** Has the clients finish; answers when their last operations are settled and reported. */
  rest: { readonly request: undefined; readonly response: undefined }
  routes: { readonly request: readonly Route[]; readonly response: undefined }
  /** Every sync takes so much longer. */
  disk: { readonly request: { readonly syncMs: number }; readonly response: undefined }
  leave: { readonly request: undefined; readonly response: undefined }
  close: { readonly request: undefined; readonly response: undefined }
}
export type PeerRequestKind = keyof PeerRequests

export interface PeerRequest {
  readonly id: number
  readonly kind: PeerRequestKind
  readonly body: unknown
}

export type PeerEvent = {
  readonly [E in keyof NodeEvents]: {
    readonly event: E
    readonly detail: NodeEvents[E]
    /** Wall-clock milliseconds in the peer's process. */
    readonly at: number
  }
}[keyof NodeEvents]

export type PeerMessage =
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly error: WireError }
  | { readonly kind: 'event'; readonly event: PeerEvent }
  | { readonly kind: 'load'; readonly report: LoadReport }
  | { readonly kind: 'operation'; readonly event: OperationEvent }
