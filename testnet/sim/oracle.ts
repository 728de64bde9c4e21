// A workload of journal writes on every peer, and what must be true of it: nothing acknowledged is beyond the length at
// which a journal ended, and a journal ends once.

import type { LogKey } from '../../mesh/ids.ts'
import type { JournalClass } from '../../mesh/registry/types.ts'
import type { SimMesh, SimPeer } from './mesh.ts'

/** The committed length of every journal, from every registry any peer ever applied. */
export class Oracle {
  readonly acknowledged = new Map<LogKey, number>()
  readonly ended = new Map<LogKey, number>()
  readonly wrong: string[] = []
  /** Journals whose hosts and a majority of whose keepers lost what they had not synced. */
  readonly excused = new Set<LogKey>()
  /** When each peer's present process last had a write acknowledged. */
  readonly lastWrite = new Map<SimPeer, number>()
  readonly journalClass: JournalClass
  /** Sees every block that is acknowledged, as it is. */
  onAcknowledged: ((peer: SimPeer, journal: LogKey, length: number) => void) | undefined
  /** Goes on writing. */
  running = true

  constructor(journalClass: JournalClass) {
    this.journalClass = journalClass
  }

  watch(peer: SimPeer): void {
    peer.driver.onRegistry((state) => {
      for (const { key, status } of state.journals.values()) {
        if (status.kind === 'open') continue
        const before = this.ended.get(key)
        if (before !== undefined && before !== status.length)
          this.wrong.push(`journal ${key} ended at ${before} and at ${status.length}`)
        this.ended.set(key, status.length)
        const acknowledged = this.acknowledged.get(key) ?? 0
        if (acknowledged > status.length && !this.excused.has(key))
          this.wrong.push(`journal ${key}: ${acknowledged} acknowledged, ended at ${status.length}`)
      }
    })
  }

  write(mesh: SimMesh, peer: SimPeer): void {
    if (!this.running) return
    const { driver } = peer
    const again = (ms: number) =>
      mesh.clock.set(ms, () => mesh.peers.get(peer.id) === peer && this.write(mesh, peer))
    driver.journal(this.journalClass).then(
      (journal) => {
        if (journal.rolled) return again(5)
        let settled = false
        const onwards = (ms: number) => {
          if (!settled) again(ms)
          settled = true
        }
        // What a rolled journal is closed without is never answered: it is written again into the next one.
        const look = () => {
          if (settled) return
          if (journal.rolled) mesh.clock.set(3000, () => onwards(0))
          else mesh.clock.set(500, look)
        }
        look()
        journal.append(new Uint8Array(20)).then(
          (index) => {
            const length = index + 1
            if (mesh.peers.get(peer.id) !== peer) return
            this.lastWrite.set(peer, mesh.clock.now)
            this.onAcknowledged?.(peer, journal.key, length)
            const ended = this.ended.get(journal.key)
            // A late acknowledgement of a record inside the sealed prefix is legal.
            if (ended !== undefined && length > ended)
              this.wrong.push(`journal ${journal.key}: ${length} acknowledged after it ended at ${ended}`)
            this.acknowledged.set(journal.key, Math.max(length, this.acknowledged.get(journal.key) ?? 0))
            onwards(20)
          },
          () => onwards(100),
        )
      },
      () => again(200),
    )
  }
}
