// What the driver and the actor runtime need from the outside world. libp2p implements Network in production
// (transport/), the simulator in tests; nobody else talks to a socket or a clock.

import type { BootId, PeerId } from '../mesh/ids.ts'
import type { Fact } from '../mesh/membership/types.ts'
import type { MeshMessage } from '../mesh/messages.ts'

/** Frames between two peers beside the protocol: actor calls, state transfer. Opaque to the transport. */
export type ServiceFrame = { readonly service: string; readonly body: unknown }

export interface NetworkListener {
  /** A secured, authenticated, framed stream to this boot of the peer is open in both directions. */
  connected(peer: PeerId, boot: BootId): void
  /**
   * The stream to that boot is gone. `refused`: an immediate re-dial of its addresses was actively refused, so the
   * process is gone (reported at once when the stream closes, or a second time later when the refusal is learnt later).
   */
  disconnected(peer: PeerId, boot: BootId, refused: boolean): void
  message(from: PeerId, boot: BootId, message: MeshMessage): void
  service(from: PeerId, boot: BootId, frame: ServiceFrame): void
  gossip(from: PeerId, facts: readonly Fact[]): void
  /** For people: wrong secret, other mesh, incompatible version, dial failures. Never needed for safety. */
  warning(code: string, text: string): void
}

export interface Network {
  readonly self: PeerId
  /** Multiaddresses with the peer ID, as others should dial them. */
  addresses(): readonly string[]
  /** Best effort, in order per peer; false when no stream is open. Never throws. */
  send(to: PeerId, message: MeshMessage): boolean
  sendService(to: PeerId, frame: ServiceFrame): boolean
  publish(facts: readonly Fact[]): void
  /** The peers to stay connected to, with where to find them: dialled for ever, with jitter, while wanted. */
  want(peers: ReadonlyMap<PeerId, readonly string[]>): void
  /** Bytes queued towards a peer and not yet taken by its connection: for back-pressure. */
  queued(to: PeerId): number
}

export interface Clock {
  /** Monotonic milliseconds. */
  now(): number
  /** Wall-clock milliseconds, for people and for ordering boots as a hint. */
  wall(): number
  setTimer(delayMs: number, callback: () => void): { cancel(): void }
}

/** 128 random bits in hex. */
export type RandomId = () => string
