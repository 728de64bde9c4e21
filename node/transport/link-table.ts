// Which links exist, and which of two streams to one peer is the link.
//
// N1 At most one link per peer. The lower ID decides (handshake.ts H4): a stream of a newer boot replaces the old link at
//    once; one of the same boots only when the old link does not answer any more, so that of two simultaneous dials one wins.
// N2 `closed` is called once for every link that was `opened`, before the next link of that peer is.
// N3 Decisions about one peer are taken one after the other: from `decide` until its release nobody else decides.

import type { BootId, PeerId } from '../../mesh/ids.ts'
import type { StreamEnd } from './framed-stream.ts'
import type { Introduction } from './handshake.ts'
import { VERIFY_TIMEOUT_MS } from './limits.ts'
import type { Link } from './link.ts'

export interface LinkTableEvents {
  /** This peer's present boot: a link opened under an older one does not count. */
  boot(): BootId
  opened(link: Link): void
  closed(link: Link, end: StreamEnd, replacedBy: Link | undefined): void
}

export class LinkTable {
  readonly #events: LinkTableEvents
  readonly #links = new Map<PeerId, Link>()
  readonly #deciding = new Map<PeerId, Promise<void>>()

  constructor(events: LinkTableEvents) {
    this.#events = events
  }

  get(peer: PeerId): Link | undefined {
    const link = this.#links.get(peer)
    return link?.stream.end === undefined ? link : undefined
  }

  all(): readonly Link[] {
    return [...this.#links.values()]
  }

  /** On the lower ID: a function to call when the new stream is the link or has failed; undefined when it is a duplicate. */
  async decide(peer: PeerId, remote: Introduction): Promise<(() => void) | undefined> {
    for (let other = this.#deciding.get(peer); other !== undefined; other = this.#deciding.get(peer))
      await other // N3
    const mine = Promise.withResolvers<void>()
    this.#deciding.set(peer, mine.promise)
    const release = (): void => {
      if (this.#deciding.get(peer) === mine.promise) this.#deciding.delete(peer)
      mine.resolve()
    }
    const link = this.get(peer)
    const same = link !== undefined && link.boot === remote.boot && link.localBoot === this.#events.boot()
    if (!same || !(await link.verify(VERIFY_TIMEOUT_MS))) return release // N1
    release()
    return undefined
  }

  activate(link: Link): void {
    if (link.stream.end !== undefined) return
    const old = this.#links.get(link.peer)
    if (old !== undefined) this.#drop(old, { kind: 'local', detail: 'replaced by a newer stream' }, link)
    this.#links.set(link.peer, link)
    void link.stream.ended.then((end) => this.#drop(link, end))
    this.#events.opened(link)
    link.start()
  }

  closeAll(end: StreamEnd): void {
    for (const link of this.all()) this.#drop(link, end)
  }

  #drop(link: Link, end: StreamEnd, replacedBy?: Link): void {
    if (this.#links.get(link.peer) !== link) return // N2
    this.#links.delete(link.peer)
    link.close(end)
    this.#events.closed(link, end, replacedBy)
  }
}
