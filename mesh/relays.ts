// Messages for a peer that this one has lost the link to, while others have one: a peer in between passes them on, one hop
// (docs/adr/0010-a-lost-link-is-bridged-by-one-hop.md). Who was asked how is kept here; nothing waits and nothing is resent: that
// is up to the roles, which resend what is not answered, each time through another relay.
//
// L1 only messages whose meaning does not depend on a link (messages.ts) are relayed: no vote, promise or command is a sign
//    that two peers can talk to each other, so appending, confirming and noticing failures know direct links only.
// L2 (R6) a relay names the boot that its own authenticated link tells, and a receiver takes the message only from the boot
//    that it holds to be the present one of that peer: a restart ends what its earlier boot had relayed.
// L3 one hop: `relayed` is not relayable itself, so a relay that has no link to the receiver drops it.

import type { BootId, PeerId } from './ids.ts'
import { isRelayable, type MeshMessage } from './messages.ts'

/** What it needs of its peer; env.ts is one. */
export interface RelayPort {
  readonly now: number
  readonly settings: { readonly relayAfterMs: number }
  readonly connected: ReadonlyMap<PeerId, BootId>
  readonly random: { number(): number }
}

export interface Sending {
  readonly to: PeerId
  readonly message: MeshMessage
}

/** Peers without a link of whom it is known since when; one that was forgotten is only relayed to `relayAfterMs` later. */
const MAX_UNLINKED = 4096

export class Relays {
  readonly #port: RelayPort
  /** Since when there is no link to a peer that there was one to, or that something was to be sent to. Oldest first. */
  readonly #unlinked = new Map<PeerId, number>()
  /** Who passed something on from a peer a moment ago. Oldest first. */
  readonly #heard = new Map<PeerId, { readonly relay: PeerId; readonly at: number }>()

  constructor(port: RelayPort) {
    this.#port = port
  }

  connected(peer: PeerId): void {
    this.#unlinked.delete(peer)
    this.#heard.delete(peer)
  }

  disconnected(peer: PeerId): void {
    this.#unlinked.delete(peer)
    this.#unlinked.set(peer, this.#port.now)
    for (const oldest of this.#unlinked.keys()) {
      if (this.#unlinked.size <= MAX_UNLINKED) return
      this.#unlinked.delete(oldest)
    }
  }

  /** `relay` passed on something from that peer. */
  heard(peer: PeerId, relay: PeerId): void {
    const { now, settings } = this.#port
    this.#heard.delete(peer)
    this.#heard.set(peer, { relay, at: now })
    for (const [oldest, { at }] of this.#heard) {
      if (now - at < settings.relayAfterMs) return
      this.#heard.delete(oldest)
    }
  }

  /** How the message gets there: over the link, through a relay, or not at all. */
  sending(to: PeerId, message: MeshMessage): Sending | undefined {
    if (isRelayable(message)) {
      const relay = this.#relayTo(to)
      if (relay) return { to: relay, message: { kind: 'relay', to, message } }
    }
    return this.#port.connected.has(to) ? { to, message } : undefined
  }

  #relayTo(peer: PeerId): PeerId | undefined {
    const { now, settings, connected, random } = this.#port
    const heard = this.#heard.get(peer)
    // An answer goes the way the question came: the other side knows that the link is gone, this one perhaps not yet.
    if (heard && now - heard.at < settings.relayAfterMs && connected.has(heard.relay)) return heard.relay
    if (connected.has(peer)) return undefined
    const since = this.#unlinked.get(peer)
    if (since === undefined) this.disconnected(peer)
    if (since === undefined || now - since < settings.relayAfterMs) return undefined
    // Nobody knows who has a link to it, most have, and who has none is not asked the next time.
    const others = [...connected.keys()]
    return others[Math.floor(random.number() * others.length)]
  }
}
