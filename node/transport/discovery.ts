// Peers heard of on the local network by mDNS: dialled when first heard, and again now and then while they are heard but
// not linked. The handshake decides what they are; once linked, membership takes over.

import type { PeerId } from '../../mesh/ids.ts'
import { DISCOVERY_FORGET_MS, DISCOVERY_RETRY_MS, MAX_DISCOVERED } from './limits.ts'

interface Discovered {
  addresses: readonly string[]
  heard: number
  dialled: number
}

export class Discovery {
  readonly #peers = new Map<PeerId, Discovered>()
  readonly #dial: (peer: PeerId, addresses: readonly string[]) => void

  constructor(dial: (peer: PeerId, addresses: readonly string[]) => void) {
    this.#dial = dial
  }

  heard(peer: PeerId, addresses: readonly string[], now: number = performance.now()): void {
    const known = this.#peers.get(peer)
    if (known !== undefined) Object.assign(known, { addresses, heard: now })
    else if (this.#peers.size < MAX_DISCOVERED) {
      this.#peers.set(peer, { addresses, heard: now, dialled: now })
      this.#dial(peer, addresses)
    }
  }

  /** The peer is linked or looked for by other means. */
  drop(peer: PeerId): void {
    this.#peers.delete(peer)
  }

  tick(now: number = performance.now()): void {
    for (const [peer, known] of this.#peers) {
      if (now - known.heard > DISCOVERY_FORGET_MS) this.#peers.delete(peer)
      else if (now - known.dialled >= DISCOVERY_RETRY_MS) {
        known.dialled = now
        this.#dial(peer, known.addresses)
      }
    }
  }
}
