// Carries a plan out on a testnet, and undoes all of it.

import { HEALTHY } from '../links/condition.ts'
import type { Testnet } from '../testnet.ts'
import { type Attack, choose, type FaultRecord, hostedBy, type LinkChange } from './faults.ts'
import type { PlannedFault } from './plan.ts'
import { machineNow } from './workload.ts'

interface Active {
  readonly attack: Attack
  readonly record: FaultRecord
  readonly over: Promise<void>
  readonly cutShort: () => void
}

export class Attacker {
  readonly records: FaultRecord[] = []
  /** Faults that could not be begun or undone, in words: a peer did not come back. */
  readonly failures: string[] = []
  readonly #net: Testnet
  readonly #started: (peer: number) => void
  readonly #active = new Set<Active>()

  /** `started`: a peer is running again. */
  constructor(net: Testnet, started: (peer: number) => void) {
    this.#net = net
    this.#started = started
  }

  /** Faults under way. */
  get active(): readonly FaultRecord[] {
    return [...this.#active].map(({ record }) => record)
  }

  get #away(): ReadonlySet<number> {
    return new Set([...this.#active].flatMap(({ record }) => record.peers))
  }

  /** Begins a fault and lets it end by itself; resolves when it has begun. */
  async attack(planned: PlannedFault): Promise<void> {
    const net = this.#net
    const target = { net, views: await net.views(), away: this.#away }
    const attack = choose(planned, target)
    const { kind } = planned
    if (typeof attack === 'string') {
      this.records.push({ kind, began: machineNow(), peers: [], actors: [], skipped: attack })
      return
    }
    const { peers } = attack
    const record: FaultRecord = { kind, began: machineNow(), peers, actors: hostedBy(target, peers) }
    this.records.push(record)
    const { promise: cut, resolve: cutShort } = Promise.withResolvers<void>()
    const over = this.#play(planned, attack, cut).catch((error: unknown) => {
      this.failures.push(
        `${kind} of ${peers.join(', ')}: ${error instanceof Error ? error.message : String(error)}`,
      )
    })
    const active: Active = { attack, record, over, cutShort }
    this.#active.add(active)
    void over.then(() => {
      record.ended = machineNow()
      this.#active.delete(active)
    })
    this.#applyLinks()
  }

  /** Ends everything now (X1). */
  async healAll(): Promise<void> {
    const active = [...this.#active]
    for (const { cutShort } of active) cutShort()
    await Promise.all(active.map(({ over }) => over))
    this.#net.links.healAll()
  }

  async #play({ lastsMs }: PlannedFault, attack: Attack, cut: Promise<void>): Promise<void> {
    await attack.begin?.(this.#net)
    let timer: NodeJS.Timeout | undefined
    await Promise.race([cut, new Promise((resolve) => (timer = setTimeout(resolve, lastsMs)))])
    clearTimeout(timer)
    for (const active of this.#active) if (active.attack === attack) this.#applyLinks(active)
    await attack.end?.(this.#net)
    for (const peer of attack.peers) this.#started(peer)
  }

  /** Links are as all faults under way want them; `but` one is ending. */
  #applyLinks(but?: Active): void {
    const { links } = this.#net
    const changes: LinkChange[] = [...this.#active].flatMap((active) =>
      active === but ? [] : (active.attack.links ?? []),
    )
    for (const from of links.ports.keys())
      for (const to of links.ports.keys()) {
        if (from === to) continue
        const wanted = changes
          .filter((each) => each.from === from && each.to === to)
          .reduce((condition, { change }) => Object.assign(condition, change), { ...HEALTHY })
        links.set(from, to, wanted)
      }
  }
}
