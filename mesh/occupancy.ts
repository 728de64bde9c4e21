// What the actors of one boot take up there: the sums that placement goes by, kept up as they come and go.
//
// Two halves: load (how many there are, and how many of each kind that is spread) and room (what they use, and whom they
// keep away). They differ for an actor under way, which will burden its next home only, and needs room at both.

import type { PeerId } from './ids.ts'
import { fromThousandths, type Resources, thousandths } from './resources.ts'

/** What an actor's type asks of its home, beside the labels that it requires. Fixed at the actor's creation. */
export interface Placement {
  /** Taken from what the home offers; the sum of all there never exceeds it. */
  readonly resources?: Resources
  /** Peers with more of these labels first. */
  readonly preferLabels?: Readonly<Record<string, string>>
  /** A label over whose values actors of this type are spread evenly; `peer`: over the peers. */
  readonly spread?: string
  /** Types that never live on the same peer, whichever of the two comes first. */
  readonly apartFrom?: readonly string[]
  /** On the head, wherever it is. */
  readonly home?: 'head'
  /** On that peer or nowhere. */
  readonly peer?: PeerId
}

export interface Occupant {
  readonly type: string
  readonly placement?: Placement
}

type Counts = Map<string, number>

function count(counts: Counts, key: string, by: number): void {
  const now = (counts.get(key) ?? 0) + by
  if (now === 0) counts.delete(key)
  else counts.set(key, now)
}

/** Actors of one type that are spread over the same label count together. */
const groupOf = ({ type, placement }: Occupant): string | undefined =>
  placement?.spread === undefined ? undefined : `${type} ${placement.spread}`

export class Occupancy {
  #load = 0
  readonly #groups: Counts = new Map()
  /** In thousandths. */
  readonly #used: Counts = new Map()
  readonly #types: Counts = new Map()
  readonly #shunned: Counts = new Map()

  /** Actors here. */
  get load(): number {
    return this.#load
  }
  /** Actors here that are spread together with this one. */
  alike(occupant: Occupant): number {
    const group = groupOf(occupant)
    return group === undefined ? 0 : (this.#groups.get(group) ?? 0)
  }
  /** Of the resource, in thousandths. */
  used(name: string): number {
    return this.#used.get(name) ?? 0
  }
  hosts(type: string): boolean {
    return this.#types.has(type)
  }
  /** Somebody here keeps apart from the type. */
  shuns(type: string): boolean {
    return this.#shunned.has(type)
  }
  get resources(): Resources {
    return Object.fromEntries([...this.#used].map(([name, amount]) => [name, fromThousandths(amount)]))
  }

  /** `load`, `room`: 1 comes, -1 goes, 0 leaves that half as it is. */
  count(occupant: Occupant, { load, room }: { readonly load: number; readonly room: number }): void {
    const { type, placement } = occupant
    this.#load += load
    const group = groupOf(occupant)
    if (group !== undefined) count(this.#groups, group, load)
    count(this.#types, type, room)
    for (const [name, amount] of Object.entries(placement?.resources ?? {}))
      count(this.#used, name, room * thousandths(amount))
    for (const other of placement?.apartFrom ?? []) count(this.#shunned, other, room)
  }

  copy(): Occupancy {
    const copy = new Occupancy()
    copy.#load = this.#load
    for (const [from, to] of [
      [this.#groups, copy.#groups],
      [this.#used, copy.#used],
      [this.#types, copy.#types],
      [this.#shunned, copy.#shunned],
    ] as const)
      for (const [key, value] of from) to.set(key, value)
    return copy
  }
}
