// How a connection becomes a link: dial, open the one stream, shake hands, hand it to the link table. Also first contact
// with peers of which only an address is known.
//
// M1 A connection that carries no link is closed after CONNECTION_GRACE_MS: strangers hold nothing here.
// M2 A refused peer is told why before its connection is closed.

import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { compareIds, type PeerId, peerId } from '../../mesh/ids.ts'
import { dialable, parseAddress } from './addresses.ts'
import { messageOf, NO_ANSWER, type RefusalCode, refusalText, TransportError } from './errors.ts'
import { FramedStream, type StreamEnd } from './framed-stream.ts'
import type { Introduction, Verdict } from './handshake.ts'
import {
  ADDRESS_DIAL_TIMEOUT_MS,
  CLOSE_TIMEOUT_MS,
  CONNECT_TIMEOUT_MS,
  CONNECTION_GRACE_MS,
  DIAL_TIMEOUT_MS,
  DIALLED_HANDSHAKE_TIMEOUT_MS,
  FAREWELL_MS,
  HANDSHAKE_TIMEOUT_MS,
  MAX_DIAL_PATIENCE,
  VERIFY_TIMEOUT_MS,
} from './limits.ts'
import { Link, type LinkEvents } from './link.ts'
import type { LinkTable } from './link-table.ts'
import { pauseBefore } from './redial.ts'
import { shake } from './shake.ts'

export const STREAM_PROTOCOL = '/actor-mesh/1'
/** One stream per peer; a few more while two dials cross or a boot changes. */
const MAX_STREAMS = 8

export interface MeetingInit {
  readonly node: Libp2p
  readonly links: LinkTable
  readonly self: PeerId
  readonly key: Uint8Array
  introduce(): Introduction
  readonly events: LinkEvents
  refused(peer: PeerId, code: RefusalCode, text: string): void
  debug(text: string): void
}

export interface ConnectOptions {
  /** Default {@link CONNECT_TIMEOUT_MS}. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

type Attempt =
  | { readonly kind: 'linked'; readonly peer: PeerId }
  /** `late`: it was cut off while it was under way. */
  | { readonly kind: 'failed'; readonly error: TransportError; readonly late: boolean }

/** How a dial ended. `late`: the peer did not answer in time, and might in more. */
export type DialOutcome = 'linked' | 'failed' | 'late'

export class Meeting {
  readonly #init: MeetingInit
  readonly #shaking = new Map<FramedStream, PeerId>()
  readonly #farewells = new Set<Promise<void>>()
  #stopped = false

  constructor(init: MeetingInit) {
    this.#init = init
  }

  async listen(): Promise<void> {
    const { node } = this.#init
    node.addEventListener('connection:open', (event) => this.#watch(event.detail))
    await node.handle(
      STREAM_PROTOCOL,
      (stream, connection) => void this.#shake(stream, connection, 'listen', DIALLED_HANDSHAKE_TIMEOUT_MS),
      {
        maxInboundStreams: MAX_STREAMS,
        maxOutboundStreams: MAX_STREAMS,
      },
    )
  }

  /**
   * One attempt to link to a known peer. `linked` when it is linked afterwards, or a handshake with it is under way.
   * `patience` multiplies the time-outs.
   */
  async dial(peer: PeerId, addresses: readonly string[], patience = 1): Promise<DialOutcome> {
    if (this.#busyWith(peer)) return 'linked'
    const targets = dialable(peer, addresses)
    if (targets.length === 0) return 'failed'
    const attempt = await this.#attempt(targets, patience)
    if (attempt.kind === 'linked') return 'linked'
    this.#init.debug(`dial ${peer}: ${attempt.error.message}`)
    return attempt.late ? 'late' : 'failed'
  }

  async connectTo(addresses: readonly string[], options: ConnectOptions): Promise<PeerId> {
    const targets = addresses.map(parseAddress)
    const until = performance.now() + (options.timeoutMs ?? CONNECT_TIMEOUT_MS)
    const began = performance.now()
    let last: readonly TransportError[] = []
    for (let round = 0; targets.length > 0; round++) {
      const attempts = targets.map(async (target) => {
        const attempt = await this.#attempt([target], Math.min(2 ** round, MAX_DIAL_PATIENCE))
        if (attempt.kind === 'linked') return attempt.peer
        throw attempt.error
      })
      try {
        return await Promise.any(attempts)
      } catch (error) {
        last = (error as AggregateError).errors as TransportError[]
      }
      const final = last.find((error) => error.code in refusalText || error.code === 'STOPPED')
      if (final !== undefined) throw final
      const pause = pauseBefore(round, performance.now() - began) * (0.5 + Math.random())
      if (this.#stopped || options.signal?.aborted === true || performance.now() + pause > until) break
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
    if (this.#stopped) throw new TransportError('STOPPED', 'this peer is stopping')
    const stranger = last.find((error) => error.code === 'NOT_A_MESH_PEER')
    const reasons = [...new Set(last.map((error) => error.message))].join('; ')
    throw new TransportError(
      stranger === undefined ? 'UNREACHABLE' : 'NOT_A_MESH_PEER',
      `no member of the mesh could be reached: ${reasons || 'no address was given'}; check that a member is running and the address is reachable from here`,
    )
  }

  /** Cuts off handshakes that are under way. */
  abortAll(end: StreamEnd): void {
    for (const stream of [...this.#shaking.keys()]) stream.close(end)
  }

  /** Resolves when those who were refused have read why, or took too long (M2). */
  async farewells(): Promise<void> {
    await Promise.all(this.#farewells)
  }

  stop(): void {
    this.#stopped = true
  }

  #busyWith(peer: PeerId): boolean {
    return this.#init.links.get(peer) !== undefined || [...this.#shaking.values()].includes(peer)
  }

  async #attempt(targets: readonly Multiaddr[], patience: number): Promise<Attempt> {
    const where = targets.map((target) => target.toString().replace(/\/p2p\/.*$/, '')).join(', ')
    const failed = (code: TransportError['code'], why: string): Attempt => ({
      kind: 'failed',
      error: new TransportError(code, `${where}: ${why}`),
      late: why.includes(NO_ANSWER),
    })
    if (this.#stopped) return failed('STOPPED', 'this peer is stopping')
    let connection: Connection
    try {
      connection = await this.#connect(targets, patience)
    } catch (error) {
      return failed('UNREACHABLE', dialFailure(error))
    }
    const peer = peerId(connection.remotePeer.toString())
    if (this.#init.links.get(peer) !== undefined) {
      this.#leave(connection)
      return { kind: 'linked', peer }
    }
    let stream: Stream
    try {
      stream = await connection.newStream(STREAM_PROTOCOL, {
        signal: AbortSignal.timeout(HANDSHAKE_TIMEOUT_MS * patience),
        maxOutboundStreams: MAX_STREAMS,
      })
    } catch (error) {
      connection.abort(new Error('no stream'))
      const stranger = error instanceof Error && error.name === 'UnsupportedProtocolError'
      return stranger
        ? failed('NOT_A_MESH_PEER', 'something else than actor-mesh listens there')
        : failed('UNREACHABLE', dialFailure(error))
    }
    const verdict = await this.#shake(stream, connection, 'dial', HANDSHAKE_TIMEOUT_MS * patience)
    if (verdict.kind === 'refused') return failed(verdict.code, refusalText[verdict.code])
    if (verdict.kind === 'failed') return failed('UNREACHABLE', verdict.detail)
    return (await this.#linked(peer))
      ? { kind: 'linked', peer }
      : failed('UNREACHABLE', 'the link closed at once')
  }

  /** The first of these addresses that answers. */
  async #connect(targets: readonly Multiaddr[], patience: number): Promise<Connection> {
    const until = performance.now() + DIAL_TIMEOUT_MS * patience
    const errors: unknown[] = []
    for (const target of targets) {
      const left = Math.min(ADDRESS_DIAL_TIMEOUT_MS * patience, until - performance.now())
      if (left <= 0) break
      try {
        // Forced: libp2p may still list a connection to a process that is gone, and would hand us that one.
        return await this.#init.node.dial(target, { signal: AbortSignal.timeout(left), force: true })
      } catch (error) {
        errors.push(error)
      }
    }
    throw new AggregateError(errors)
  }

  /** A duplicate was refused in favour of another stream, which may be opening just now. */
  async #linked(peer: PeerId): Promise<boolean> {
    for (
      let waited = 0;
      waited < VERIFY_TIMEOUT_MS && this.#init.links.get(peer) === undefined;
      waited += 10
    ) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    return this.#init.links.get(peer) !== undefined
  }

  async #shake(
    stream: Stream,
    connection: Connection,
    role: 'dial' | 'listen',
    timeoutMs: number,
  ): Promise<Verdict> {
    const { links, self, key } = this.#init
    const peer = peerId(connection.remotePeer.toString())
    const framed = new FramedStream(stream)
    if (this.#stopped) framed.close({ kind: 'local', detail: 'this peer is stopping' })
    this.#shaking.set(framed, peer)
    const localBoot = this.#init.introduce().boot
    let release: (() => void) | undefined
    const side = {
      self,
      remote: peer,
      key,
      introduce: () => ({ ...this.#init.introduce(), boot: localBoot }),
      decide: async (remote: Introduction) => {
        release = await links.decide(peer, remote)
        return release !== undefined
      },
    }
    const verdict = await shake(framed, role, side, timeoutMs)
    this.#shaking.delete(framed)
    const current = !this.#stopped && this.#init.introduce().boot === localBoot
    if (verdict.kind === 'open' && current) {
      links.activate(
        new Link({
          peer,
          remote: verdict.remote,
          localBoot,
          connection,
          stream: framed,
          events: this.#init.events,
        }),
      )
    } else {
      const farewell = this.#farewell(framed, connection, verdict)
      this.#farewells.add(farewell)
      void farewell.then(() => this.#farewells.delete(farewell))
    }
    release?.()
    if (verdict.kind === 'failed') this.#init.debug(`handshake with ${peer}: ${verdict.detail}`)
    if (verdict.kind === 'refused') {
      this.#init.refused(
        peer,
        verdict.code,
        `peer ${peer} at ${connection.remoteAddr} ${verdict.by === 'us' ? 'was refused' : 'refused us'}: ${refusalText[verdict.code]}`,
      )
    }
    return verdict
  }

  /** M2: who refused waits until the other side has read why and hangs up. */
  async #farewell(framed: FramedStream, connection: Connection, verdict: Verdict): Promise<void> {
    const { self } = this.#init
    const ours =
      (verdict.kind === 'refused' && verdict.by === 'us') ||
      (verdict.kind === 'duplicate' && compareIds(self, connection.remotePeer.toString()) < 0)
    if (ours) {
      const wait = new Promise<void>((resolve) => setTimeout(resolve, FAREWELL_MS).unref())
      await Promise.race([framed.ended, wait])
    }
    framed.close({ kind: 'local', detail: verdict.kind })
    this.#leave(connection)
  }

  /** Closes a connection unless a link or another handshake uses it. */
  #leave(connection: Connection): void {
    const peer = peerId(connection.remotePeer.toString())
    if (this.#init.links.get(peer)?.connection === connection || [...this.#shaking.values()].includes(peer))
      return
    connection
      .close({ signal: AbortSignal.timeout(CLOSE_TIMEOUT_MS) })
      .catch((error: Error) => connection.abort(error))
  }

  /** M1 */
  #watch(connection: Connection): void {
    const timer = setTimeout(() => this.#leave(connection), CONNECTION_GRACE_MS)
    timer.unref()
    connection.addEventListener('close', () => clearTimeout(timer), { once: true })
  }
}

const dialFailure = (error: unknown): string => {
  const errors = error instanceof AggregateError ? error.errors : [error]
  const texts = errors.map((one: unknown) => {
    const text = messageOf(one)
    if (text.includes('ECONNREFUSED')) return 'connection refused'
    if (/ENOTFOUND|EAI_AGAIN/.test(text)) return 'unknown host'
    if (/abort|timeout|timed out/i.test(text)) return NO_ANSWER
    if (/dial self/i.test(text)) return 'that is this peer itself'
    return text
  })
  return [...new Set(texts)].join(', ')
}
