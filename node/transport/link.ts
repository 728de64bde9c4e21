// A link: the one authenticated stream to one boot of a peer. It turns frames into messages and back, answers signs of
// life, and knows nothing of other links.

import type { Connection } from '@libp2p/interface'
import type { BootId, PeerId } from '../../mesh/ids.ts'
import type { MeshMessage } from '../../mesh/messages.ts'
import type { ServiceFrame } from '../ports.ts'
import { Lane } from './chunks.ts'
import {
  decodeClone,
  decodeMeshMessage,
  decodePlain,
  decodeServiceFrame,
  encodeMessage,
  encodeService,
  laneOf,
} from './codec.ts'
import type { FramedStream, StreamEnd } from './framed-stream.ts'
import type { Introduction } from './handshake.ts'
import { LINK_DEAD_MS, LINK_IDLE_MS, MAX_FRAME_BYTES } from './limits.ts'

export interface LinkEvents {
  message(link: Link, message: MeshMessage): void
  service(link: Link, frame: ServiceFrame): void
  /** Readable CBOR that is no message of this version: dropped, worth a warning. */
  unknown(link: Link, what: string): void
}

const PING = Uint8Array.of(1)
const PONG = Uint8Array.of(2)

export class Link {
  readonly peer: PeerId
  readonly remote: Introduction
  /** Our own boot when the link was opened. */
  readonly localBoot: BootId
  readonly connection: Connection
  readonly stream: FramedStream
  readonly #events: LinkEvents
  #verifying: ((alive: boolean) => void)[] = []

  constructor(init: {
    readonly peer: PeerId
    readonly remote: Introduction
    readonly localBoot: BootId
    readonly connection: Connection
    readonly stream: FramedStream
    readonly events: LinkEvents
  }) {
    this.peer = init.peer
    this.remote = init.remote
    this.localBoot = init.localBoot
    this.connection = init.connection
    this.stream = init.stream
    this.#events = init.events
    void this.stream.ended.then(() => this.#answer(false))
  }

  get boot(): BootId {
    return this.remote.boot
  }

  /** Frames flow from here on; call it after the listener was told of the link. */
  start(): void {
    this.stream.open((lane, payload) => this.#frame(lane, payload))
  }

  send(message: MeshMessage): boolean {
    const bytes = encodeMessage(message)
    if (bytes === undefined || bytes.length > MAX_FRAME_BYTES) {
      this.#events.unknown(this, `a message "${message.kind}" of ours that cannot be sent`)
      return false
    }
    const sent = this.stream.send(laneOf(message), bytes)
    // A protocol frame that finds the queue full means a peer that takes nothing: better a new start than a gap.
    if (!sent) this.close({ kind: 'stalled', detail: 'the peer does not take what is sent to it' })
    return sent
  }

  sendService(frame: ServiceFrame): boolean {
    const bytes = encodeService(frame)
    if (bytes === undefined || bytes.length > MAX_FRAME_BYTES) {
      this.#events.unknown(this, `a frame for "${frame.service}" of ours that cannot be sent`)
      return false
    }
    return this.stream.send(Lane.service, bytes)
  }

  /** True when the peer's end of this very stream answers in time. */
  async verify(timeoutMs: number): Promise<boolean> {
    if (this.stream.end !== undefined) return false
    return await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), timeoutMs)
      this.#verifying.push((alive) => {
        clearTimeout(timer)
        resolve(alive)
      })
      this.stream.send(Lane.control, PING)
    })
  }

  /** `stalledMs`: by how much this process was late, which is not the peer's silence. */
  tick(now: number, stalledMs: number): void {
    if (stalledMs > LINK_IDLE_MS) this.stream.lastHeard = Math.max(this.stream.lastHeard, now - LINK_IDLE_MS)
    const silent = now - this.stream.lastHeard
    if (silent > LINK_DEAD_MS)
      this.close({ kind: 'remote', detail: `the peer was silent for ${Math.round(silent / 1000)} s` })
    else if (silent > LINK_IDLE_MS) this.stream.send(Lane.control, PING)
  }

  close(end: StreamEnd): void {
    this.stream.close(end)
  }

  #answer(alive: boolean): void {
    for (const resolve of this.#verifying.splice(0)) resolve(alive)
  }

  #frame(lane: Lane, payload: Uint8Array): void {
    if (lane === Lane.control) {
      if (payload.length !== 1 || (payload[0] !== PING[0] && payload[0] !== PONG[0]))
        this.#garbage('an unknown control frame')
      else if (payload[0] === PING[0]) this.stream.send(Lane.control, PONG)
      else this.#answer(true)
      return
    }
    const decoded = lane === Lane.service ? decodeClone(payload) : decodePlain(payload)
    if (!decoded.ok) this.#garbage('a frame that is not CBOR')
    else if (lane === Lane.service) {
      const frame = decodeServiceFrame(decoded.value)
      if (frame === undefined) this.#events.unknown(this, 'a service frame without a service')
      else this.#events.service(this, frame)
    } else this.#message(decoded.value)
  }

  #message(value: unknown): void {
    const message = decodeMeshMessage(value)
    if (message === undefined) this.#events.unknown(this, `a message it should not send (${kindOf(value)})`)
    else this.#events.message(this, message)
  }

  #garbage(detail: string): void {
    this.close({ kind: 'garbage', detail })
  }
}

const kindOf = (value: unknown): string => {
  const kind = typeof value === 'object' && value !== null ? (value as { kind?: unknown }).kind : undefined
  return typeof kind === 'string' ? kind.slice(0, 32) : 'no kind'
}
