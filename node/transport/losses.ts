// What became of the peers whose link is gone: is the process dead, or only the stream? (The fast path of detection.)
//
// L1 A refusal is reported for the boot whose link was lost, once, and never after a newer link of that peer opened.

import type { BootId, PeerId } from '../../mesh/ids.ts'
import type { TcpTarget } from './addresses.ts'
import { PROBE_DELAYS_MS } from './limits.ts'
import { type ProbeResult, probe } from './probe.ts'

interface Loss {
  readonly boot: BootId
  readonly targets: readonly TcpTarget[]
}

export class Losses {
  readonly #lost = new Map<PeerId, Loss>()
  readonly #report: (peer: PeerId, boot: BootId) => void
  readonly #probe: (targets: readonly TcpTarget[]) => Promise<ProbeResult>

  constructor(
    report: (peer: PeerId, boot: BootId) => void,
    ask: (targets: readonly TcpTarget[]) => Promise<ProbeResult> = probe,
  ) {
    this.#report = report
    this.#probe = ask
  }

  /** A link ended: look a few times in quick succession, for a dying process closes its listener last. */
  async begin(peer: PeerId, boot: BootId, targets: readonly TcpTarget[]): Promise<void> {
    const loss: Loss = { boot, targets }
    this.#lost.set(peer, loss)
    for (const delay of PROBE_DELAYS_MS) {
      if (delay > 0) await new Promise<void>((resolve) => setTimeout(resolve, delay).unref())
      if ((await this.#look(peer, loss)) !== 'accepted') return
    }
  }

  /** A dial of the peer failed: look again. */
  async check(peer: PeerId): Promise<void> {
    const loss = this.#lost.get(peer)
    if (loss !== undefined) await this.#look(peer, loss)
  }

  /** A newer link of the peer opened. */
  found(peer: PeerId): void {
    this.#lost.delete(peer)
  }

  /** Forgets the peers that nobody looks for. */
  keepOnly(wanted: (peer: PeerId) => boolean): void {
    for (const peer of this.#lost.keys()) if (!wanted(peer)) this.#lost.delete(peer)
  }

  clear(): void {
    this.#lost.clear()
  }

  async #look(peer: PeerId, loss: Loss): Promise<ProbeResult> {
    if (this.#lost.get(peer) !== loss) return 'unknown'
    const result = await this.#probe(loss.targets)
    if (this.#lost.get(peer) !== loss) return 'unknown' // L1
    if (result === 'refused') {
      this.#lost.delete(peer)
      this.#report(peer, loss.boot)
    }
    return result
  }
}
