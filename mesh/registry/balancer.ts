// Moves actors to where they fit better, a few at a time and in no hurry: the head's least urgent work. Which ones is
// rebalance.ts's choice; here is when.
//
// B4 Nothing moves while a lost boot is to be recovered: its actors come first, and where they go changes everything.

import type { Env } from '../env.ts'
import { type BootId, peerOfBoot } from '../ids.ts'
import type { Membership } from '../membership/membership.ts'
import { chooseMoves } from '../rebalance.ts'
import type { Head } from './head.ts'
import { hostActorOf } from './home-plan.ts'
import type { Plan } from './plan.ts'
import type { ActorEntry, Command, RegistryState } from './types.ts'

export interface BalancerParts {
  readonly env: Env
  readonly membership: Membership
  readonly head: Head
  readonly plan: Plan
}

/** There is no other home for it. */
const isBound = ({ options }: ActorEntry): boolean => options.placement?.peer !== undefined

export class Balancer {
  readonly #parts: BalancerParts
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(parts: BalancerParts) {
    this.#parts = parts
  }

  /** Moves to begin now. */
  moves(state: RegistryState): readonly (Command & { kind: 'move' })[] {
    const { env, head, plan } = this.#parts
    const { rebalanceMoves, rebalanceEveryMs } = env.settings
    if (env.now - Math.max(this.#lookedAt, head.startedAt) < rebalanceEveryMs) return []
    if ([...state.boots.values()].some((boot) => this.#isToRecover(boot.boot, state))) return [] // B4
    this.#lookedAt = env.now
    const all = [...state.actors.values()]
    const moving = all.filter(({ status }) => status.kind === 'moving').length
    // What is pinned follows the head in any case, one by one.
    const most = Math.max(1, rebalanceMoves) - moving
    if (most <= 0) return []
    const { places } = plan.homes(state)
    const actors = all.flatMap((entry) =>
      entry.home !== null && entry.status.kind === 'running' && !isBound(entry)
        ? { actor: hostActorOf(entry), home: entry.home }
        : [],
    )
    const moves = chooseMoves({
      places,
      actors,
      steady: this.#steady(state),
      most,
      pinnedOnly: rebalanceMoves === 0,
    })
    return moves.map(({ actor, to }) => ({
      kind: 'move',
      actor,
      epoch: state.actors.get(actor)!.epoch,
      to: peerOfBoot(to),
    }))
  }

  #isToRecover(boot: BootId, state: RegistryState): boolean {
    const status = state.boots.get(boot)?.status
    if (status === 'superseded') return true
    if (status !== 'live' || boot === this.#parts.env.boot) return false
    const member = this.#parts.membership.get(peerOfBoot(boot))
    return member?.boot !== boot || member.liveness !== 'alive'
  }

  /** Peers that come and go get nothing that nobody needs to give them. */
  #steady(state: RegistryState): ReadonlySet<BootId> {
    const { env, membership } = this.#parts
    const boots = [...state.peers.values()].filter(({ peer, boot }) => {
      if (peer === env.self) return boot === env.boot
      const member = membership.get(peer)
      return member?.boot === boot && env.now - member.since >= env.settings.handOverAfterMs
    })
    return new Set(boots.map(({ boot }) => boot))
  }
}
