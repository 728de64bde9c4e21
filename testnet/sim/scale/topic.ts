// What gossipsub makes of one publication, as node/transport/gossip.ts sets it up: the publisher sends it to everybody
// (floodPublish), and who gets it for the first time passes it to its neighbours in the topic mesh, but to whom it came from.

import { shuffle } from '../../../mesh/membership/random.ts'

/** One publication on its way. */
export interface Copies {
  /** One copy leaves; how many milliseconds it travels, or undefined when it is lost. */
  send(from: number): number | undefined
  after(ms: number, run: () => void): void
  /** Called once for each peer that a copy reaches. */
  deliver(to: number): void
}

/** gossipsub's D: neighbours that a peer grafts. */
const DEGREE = 6

export class Topic {
  readonly #neighbours: readonly (readonly number[])[]

  constructor(size: number, random: () => number) {
    this.#neighbours = graph(size, random)
  }

  publish(publisher: number, copies: Copies): void {
    const seen = new Uint8Array(this.#neighbours.length)
    seen[publisher] = 1
    const copy = (from: number, to: number): void => {
      const travelMs = copies.send(from)
      if (travelMs === undefined || seen[to] === 1) return
      copies.after(travelMs, () => {
        if (seen[to] === 1) return
        seen[to] = 1
        copies.deliver(to)
        for (const next of this.#neighbours[to]!) if (next !== from && next !== publisher) copy(to, next)
      })
    }
    for (let to = 0; to < seen.length; to++) if (to !== publisher) copy(publisher, to)
  }
}

/** The union of DEGREE / 2 random rings: everybody is reached, and nearly everybody has DEGREE neighbours. */
function graph(size: number, random: () => number): number[][] {
  const neighbours = Array.from({ length: size }, () => new Set<number>())
  for (let ring = 0; ring < DEGREE / 2; ring++) {
    const order = shuffle(
      neighbours.map((_, index) => index),
      random,
    )
    for (const [place, one] of order.entries()) {
      const two = order[(place + 1) % size]!
      if (one === two) continue
      neighbours[one]!.add(two)
      neighbours[two]!.add(one)
    }
  }
  return neighbours.map((each) => [...each])
}
