// The network between simulated peers: ordered streams per pair that open, delay, lose, and break, and gossip. It keeps
// the promises of the Network port (ordered, at most once, closed streams are reported) and nothing beyond.

import { decode, encode } from '../../checkpoint/codec.ts'
import type { BootId, PeerId } from '../../mesh/ids.ts'
import type { Fact } from '../../mesh/membership/types.ts'
import type { MeshMessage } from '../../mesh/messages.ts'
import type { Network, NetworkListener, ServiceFrame } from '../../node/ports.ts'
import { decodeMeshMessage } from '../../node/transport/codec.ts'
import type { VirtualClock } from './clock.ts'

export interface SimEndpoint {
  readonly peer: PeerId
  readonly boot: () => BootId
  readonly listener: NetworkListener
  /** Runs now, or when the peer thaws. */
  readonly schedule: (run: () => void) => void
  wanted: ReadonlySet<PeerId>
}

/** What becomes of something sent. In order and once is what a healthy stream does. */
export interface Fate {
  readonly lost?: boolean
  /** What is sent later on the stream arrives after it. */
  readonly heldMs?: number
  /** What is sent later may overtake it. */
  readonly lateMs?: number
  /** It arrives a second time, this much later: as a resend would, at a time of its own. */
  readonly againMs?: number
}
export type Sent = 'message' | 'frame' | 'gossip'

/** One direction between two peers. Its names are made once: a fresh string is hashed anew at every look-up. */
interface Link {
  /** `from>to`. */
  readonly name: string
  /** The stream between the two. */
  readonly pair: string
  lastDelivery: number
}

/** `noticed`: the streams are closed within a second; `unnoticed`: they look open, and one direction is dead. */
type Cut = 'noticed' | 'unnoticed'

export class SimNetwork {
  readonly #clock: VirtualClock
  readonly #random: () => number
  /** Every message passes through the bytes and the checks of the real wire. */
  readonly #wire: boolean
  readonly #endpoints = new Map<PeerId, SimEndpoint>()
  /** Open streams as `a>b` for a < b, with a number so that late deliveries on an old stream are dropped. */
  readonly #streams = new Map<string, number>()
  readonly #cut = new Map<string, Cut>()
  readonly #links = new Map<PeerId, Map<PeerId, Link>>()
  #nextStream = 1
  /** Largest one-way delay in milliseconds. */
  maxDelayMs = 5
  delivered = 0
  /** Sees every message of the protocol as it is sent. */
  trace: ((from: PeerId, to: PeerId, message: MeshMessage) => void) | undefined
  /** Sees every frame beside the protocol, calls among them, as it is sent. */
  traceService: ((from: PeerId, to: PeerId, frame: ServiceFrame) => void) | undefined
  /** Delays one message by this many milliseconds more, or loses it. What is sent later on the stream is not held up. */
  fate: ((from: PeerId, to: PeerId, message: MeshMessage) => number | 'lost') | undefined
  /** The same at random, for all that is sent. */
  chaos: ((from: PeerId, to: PeerId, what: Sent) => Fate | undefined) | undefined
  /** Sees every message as it is delivered, before its receiver does. */
  onDelivery: ((from: PeerId, to: PeerId, message: MeshMessage) => void) | undefined
  /** Bytes that a dead process had sent already, by link: they arrive before the stream is found closed. */
  readonly #lastWords = new Map<string, number>()

  constructor(clock: VirtualClock, random: () => number, wire = true) {
    this.#clock = clock
    this.#random = random
    this.#wire = wire
  }

  attach(endpoint: SimEndpoint): Network {
    this.#endpoints.set(endpoint.peer, endpoint)
    const { peer } = endpoint
    return {
      self: peer,
      addresses: () => [`/sim/${peer}`],
      send: (to, message) => {
        this.trace?.(peer, to, message)
        const fate = this.fate?.(peer, to, message) ?? 0
        if (fate === 'lost') return true
        const read = this.#written(message, received)
        const deliver = (at: NetworkListener, boot: BootId) => {
          this.onDelivery?.(peer, to, message)
          // The hook may have ended the receiver.
          if (this.#endpoints.get(to)?.listener === at) at.message(peer, boot, read())
        }
        return this.#send(peer, to, 'message', deliver, fate)
      },
      sendService: (to, frame) => {
        this.traceService?.(peer, to, frame)
        const read = this.#written(frame, (bytes) => decode(bytes) as ServiceFrame)
        return this.#send(peer, to, 'frame', (at, boot) => at.service(peer, boot, read()))
      },
      publish: (facts) => this.#publish(peer, facts),
      want: (peers) => {
        endpoint.wanted = new Set(peers.keys())
        for (const other of endpoint.wanted) this.#connect(peer, other)
      },
      queued: () => 0,
    }
  }

  /** The process ended: its streams close, and a re-dial is refused. */
  detach(peer: PeerId): void {
    this.#endpoints.delete(peer)
    for (const key of [...this.#streams.keys()]) {
      const [a, b] = ends(key)
      if (a !== peer && b !== peer) continue
      const stream = this.#streams.get(key)!
      this.#streams.delete(key)
      const other = this.#endpoints.get(a === peer ? b : a)
      const boot = this.#boots.get(`${other?.peer}<${peer}`)
      const link = `${peer}>${other?.peer}`
      if (!other || !boot || this.#cut.has(link)) continue
      if (this.#random() < 0.5) this.#lastWords.set(link, stream)
      this.#clock.set(this.maxDelayMs + this.#random() * 10, () => {
        if (this.#lastWords.get(link) === stream) this.#lastWords.delete(link)
        other.schedule(() => other.listener.disconnected(peer, boot, !this.#endpoints.has(peer)))
      })
    }
  }

  /** Which boot each side of a stream was told of. */
  readonly #boots = new Map<string, BootId>()

  /** Nothing passes from `a` to `b` until healed; the streams stay open, as with a pulled cable. */
  cut(a: PeerId, b: PeerId, cut: Cut = 'noticed'): void {
    this.#cut.set(`${a}>${b}`, cut)
  }

  /** Both directions between the two work again. */
  mend(a: PeerId, b: PeerId): void {
    this.#cut.delete(`${a}>${b}`)
    this.#cut.delete(`${b}>${a}`)
  }

  /** The stream between the two breaks, with what was on its way; whoever wants it dials again. */
  reset(a: PeerId, b: PeerId): void {
    this.#close(a, b)
  }

  heal(): void {
    this.#cut.clear()
    for (const endpoint of this.#endpoints.values())
      for (const other of endpoint.wanted) this.#connect(endpoint.peer, other)
  }

  /** Closes and re-opens what should be open: time-outs of real streams, and redials. */
  maintain(): void {
    for (const key of [...this.#streams.keys()]) {
      const [a, b] = ends(key)
      if (this.#cut.get(`${a}>${b}`) === 'noticed' || this.#cut.get(`${b}>${a}`) === 'noticed')
        this.#close(a, b)
    }
    for (const endpoint of this.#endpoints.values())
      for (const other of endpoint.wanted) this.#connect(endpoint.peer, other)
  }

  /** A peer took a new boot in place: its streams start anew. */
  reboot(peer: PeerId): void {
    for (const other of this.#endpoints.keys())
      if (other !== peer && this.#streams.has(pair(peer, other))) {
        this.#close(peer, other)
        this.#connect(peer, other)
      }
  }

  #close(a: PeerId, b: PeerId): void {
    if (!this.#streams.delete(pair(a, b))) return
    for (const [at, of] of [
      [a, b],
      [b, a],
    ] as const) {
      const endpoint = this.#endpoints.get(at)
      const boot = this.#boots.get(`${at}<${of}`)
      if (endpoint && boot) endpoint.schedule(() => endpoint.listener.disconnected(of, boot, false))
    }
  }

  #connect(a: PeerId, b: PeerId): void {
    const one = this.#endpoints.get(a)
    const two = this.#endpoints.get(b)
    if (!one || !two || a === b) return
    const { name, pair: key } = this.#link(a, b)
    if (this.#streams.has(key) || this.#cut.has(name) || this.#cut.has(this.#link(b, a).name)) return
    this.#streams.set(key, this.#nextStream++)
    for (const [at, of] of [
      [one, two],
      [two, one],
    ] as const) {
      const boot = of.boot()
      this.#boots.set(`${at.peer}<${of.peer}`, boot)
      at.schedule(() => at.listener.connected(of.peer, boot))
    }
  }

  #send(
    from: PeerId,
    to: PeerId,
    what: Sent,
    deliver: (listener: NetworkListener, boot: BootId) => void,
    lateMs = 0,
  ): boolean {
    const link = this.#link(from, to)
    const stream = this.#streams.get(link.pair)
    const sender = this.#endpoints.get(from)
    if (stream === undefined || !sender) return false
    const boot = sender.boot()
    const fate = this.chaos?.(from, to, what)
    if (fate?.lost) return true
    // Streams are ordered: nothing overtakes what was sent before.
    const travelMs = this.#random() * this.maxDelayMs + (fate?.heldMs ?? 0)
    const at = Math.max(this.#clock.now + travelMs, link.lastDelivery)
    link.lastDelivery = at
    const arrive = () => {
      const receiver = this.#endpoints.get(to)
      const open = this.#streams.get(link.pair) === stream || this.#lastWords.get(link.name) === stream
      if (!receiver || !open || this.#cut.has(link.name)) return
      this.delivered++
      receiver.schedule(() => deliver(receiver.listener, boot))
    }
    const afterMs = at - this.#clock.now + lateMs + (fate?.lateMs ?? 0)
    this.#clock.set(afterMs, arrive)
    if (fate?.againMs !== undefined) this.#clock.set(afterMs + fate.againMs, arrive)
    return true
  }

  #link(from: PeerId, to: PeerId): Link {
    const known = this.#links.get(from)?.get(to)
    if (known) return known
    const link = { name: `${from}>${to}`, pair: pair(from, to), lastDelivery: 0 }
    this.#links.set(from, (this.#links.get(from) ?? new Map<PeerId, Link>()).set(to, link))
    return link
  }

  #publish(from: PeerId, facts: readonly Fact[]): void {
    for (const to of this.#endpoints.keys())
      if (to !== from) this.#send(from, to, 'gossip', (listener) => listener.gossip(from, facts))
  }

  /** How the receiver reads it. Without the wire both sides share the value: neither may change what it sent or got. */
  #written<Value>(value: Value, read: (bytes: Uint8Array) => Value): () => Value {
    if (!this.#wire) return () => value
    const bytes = encode(value)
    return () => read(bytes)
  }
}

/** What the real transport would make of the bytes: a message that it drops is a defect here. */
function received(bytes: Uint8Array): MeshMessage {
  const message = decodeMeshMessage(decode(bytes))
  if (!message) throw new Error(`the transport would drop this message: ${JSON.stringify(decode(bytes))}`)
  return message
}

const pair = (a: PeerId, b: PeerId): string => (a < b ? `${a}>${b}` : `${b}>${a}`)
const ends = (key: string): [PeerId, PeerId] => key.split('>') as [PeerId, PeerId]
