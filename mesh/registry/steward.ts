// The head's soft work, all of it derived from the committed registry and the view, so that a new head finds everything
// it needs: recover lost boots, give homes to actors without one, move those that fit better elsewhere, keep journals on
// enough keepers, retire what nobody needs, keep the registry itself on enough keepers, and hand the head to a stable peer with a lower ID.

import type { Env } from '../env.ts'
import { type ActorKey, type BootId, compareIds, type LogKey, type PeerId, peerOfBoot } from '../ids.ts'
import type { Membership } from '../membership/membership.ts'
import type { Force, LogMessage } from '../messages.ts'
import { Recovery, type WaitingRecovery } from '../recovery.ts'
import { neededJournals } from './apply.ts'
import { Balancer } from './balancer.ts'
import type { Candidate } from './candidate.ts'
import type { Follower } from './follower.ts'
import type { Head } from './head.ts'
import type { HomePlan } from './home-plan.ts'
import type { Issuer } from './issuer.ts'
import { lossRefusal } from './loss.ts'
import type { Plan } from './plan.ts'
import { journalsToEnd, needsRecovery } from './recover.ts'
import type { ActorEntry, BootEntry, Command, RegistryState } from './types.ts'

export interface StewardParts {
  readonly env: Env
  readonly membership: Membership
  readonly follower: Follower
  readonly head: Head
  readonly issuer: Issuer
  readonly candidate: Candidate
  readonly plan: Plan
}

/** A registry log is compacted no sooner than half of it is history. */
const REGISTRY_GROWTH = 2

const LOSS_ACCEPTED = 'what is missing of it was given up'

export class Steward {
  readonly #parts: StewardParts
  readonly #recoveries = new Map<BootId, Recovery>()
  /** Since when boots are waited for here: the next term of the same head does not begin to wait anew. */
  readonly #waitingSince = new Map<BootId, number>()
  /** Commands under way, by what they are about: never two for one thing. */
  readonly #busy = new Set<string>()
  readonly #balancer: Balancer
  readonly #askedToRoll = new Map<LogKey, number>()
  /** When each peer was last offered the head, and how often in vain: one that cannot take it is asked ever less. */
  readonly #offers = new Map<PeerId, { at: number; count: number }>()
  #dirty = true
  #checkedAt = Number.NEGATIVE_INFINITY

  constructor(parts: StewardParts) {
    this.#parts = parts
    this.#balancer = new Balancer(parts)
  }

  /** The registry or the view changed: look again at the next step. */
  touch(): void {
    this.#dirty = true
  }

  reset(): void {
    const writer = this.#parts.follower.writer
    if (writer) this.#offers.delete(peerOfBoot(writer))
    this.#recoveries.clear()
    this.#busy.clear()
    this.#askedToRoll.clear()
    this.#dirty = true
  }

  /** Why the actors of lost boots are not back yet. */
  waiting(): ReadonlyMap<BootId, WaitingRecovery> {
    return new Map(
      [...this.#recoveries].map(([boot, { waitingFor, lacksKeepers }]) => [
        boot,
        { waitingFor, lacksKeepers },
      ]),
    )
  }

  handle(from: PeerId, message: LogMessage): void {
    for (const recovery of this.#recoveries.values()) recovery.handle(from, message)
    this.#settleRecoveries()
  }

  reconnected(): void {
    for (const recovery of this.#recoveries.values()) recovery.reconnected()
  }

  /** Decides keepers and homes for the commands that are about to be appended in one block (H3). */
  decide(state: RegistryState, commands: readonly Command[]): readonly Command[] {
    const homes = this.#parts.plan.homes(state)
    return commands.map((command) => this.#decide(state, command, homes))
  }

  #decide(state: RegistryState, command: Command, homes: HomePlan): Command {
    const { plan } = this.#parts
    switch (command.kind) {
      case 'open':
        return { ...command, keepers: plan.journalKeepers(state, command.boot, command.class, command.boot) }
      case 'create': {
        const { actor: key, options, init } = command
        const fresh: ActorEntry = {
          key,
          options,
          init,
          incarnation: 0,
          epoch: 0,
          home: null,
          sources: [],
          base: 0,
          restarts: 0,
          status: { kind: 'running' },
        }
        return { ...command, home: homes.place([fresh]).get(key) ?? null }
      }
      case 'released': {
        const moving = command.actors.flatMap(({ actor, epoch }) => {
          const entry = state.actors.get(actor)
          const isMoving = entry?.home === command.boot && entry.epoch === epoch
          return isMoving && entry.status.kind === 'moving' ? entry : []
        })
        const chosen = homes.place(moving)
        return {
          ...command,
          actors: command.actors.map((each) => ({ ...each, home: chosen.get(each.actor) ?? null })),
        }
      }
      case 'recover': {
        const actors = [...state.actors.values()].filter(
          ({ home, status }) => home === command.boot && status.kind !== 'stopping',
        )
        return {
          ...command,
          homes: Object.fromEntries(homes.place(actors)) as Record<ActorKey, BootId>,
        }
      }
      case 'assign': {
        // Chosen when it was issued; what is ahead of it in the batch may have taken the room.
        const waiting = command.actors.flatMap(({ actor, epoch }) => {
          const entry = state.actors.get(actor)
          return entry?.home === null && entry.epoch === epoch ? entry : []
        })
        const chosen = homes.place(waiting)
        return {
          ...command,
          actors: waiting.flatMap(({ key: actor, epoch }) => {
            const home = chosen.get(actor)
            return home ? { actor, epoch, home } : []
          }),
        }
      }
      case 'acceptLoss': {
        const { env, membership } = this.#parts
        const recovery = this.#recoveries.get(command.boot)
        return { ...command, refusal: lossRefusal(state, command.boot, { env, membership, recovery }) }
      }
      default:
        return command
    }
  }

  tick(): void {
    const { env, head, follower } = this.#parts
    if (!head.established || !follower.state) return
    for (const recovery of this.#recoveries.values()) recovery.tick()
    this.#settleRecoveries()
    // Some reasons to act are the passing of time alone, so look again now and then.
    if (!this.#dirty && env.now - this.#checkedAt < env.settings.heartbeatMs) return
    this.#dirty = false
    this.#checkedAt = env.now
    const state = follower.state
    this.#recoverLostBoots(state)
    this.#assignHomeless(state)
    this.#rebalance(state)
    this.#rollJournals(state)
    this.#retireJournals(state)
    this.#renewRegistry(state)
    this.#offerHead(state)
  }

  #issue(name: string, command: Command, settled: () => void = () => {}): void {
    if (this.#busy.has(name)) return
    this.#busy.add(name)
    this.#parts.issuer.issue(command, () => {
      this.#busy.delete(name)
      settled()
      this.touch()
    })
  }

  #recoverLostBoots(state: RegistryState): void {
    const { env, follower } = this.#parts
    for (const entry of state.boots.values()) {
      const { boot, lossAccepted = false } = entry
      const lost = needsRecovery(entry) ? this.#lost(state, entry) : undefined
      if (!lost) {
        this.#waitingSince.delete(boot)
        if (needsRecovery(entry)) this.#recoveries.delete(boot)
        continue
      }
      const running = this.#recoveries.get(boot)
      const { cause, force } = lost
      const journals = journalsToEnd(state, entry)
      if (running?.isOf(journals, lossAccepted)) running.force(force)
      else {
        env.event({ kind: 'recovering', boot, cause })
        const { term } = follower
        const waitingSince = this.#waitingSince.get(boot) ?? env.now
        this.#waitingSince.set(boot, waitingSince)
        const init = { boot, term, journals, force, lossAccepted, waitingSince }
        this.#recoveries.set(boot, new Recovery(env, init))
      }
    }
    for (const boot of [...this.#recoveries.keys(), ...this.#waitingSince.keys()])
      if (!state.boots.has(boot)) {
        this.#recoveries.delete(boot)
        this.#waitingSince.delete(boot)
      }
    this.#settleRecoveries()
  }

  /** Opinion only: a boot wrongly held lost is deposed by the seals, never doubled. */
  #lost(
    state: RegistryState,
    { boot, status, lossAccepted }: BootEntry,
  ): { cause: string; force: Force } | undefined {
    const { env, membership, head } = this.#parts
    const peer = peerOfBoot(boot)
    if (lossAccepted) return { cause: LOSS_ACCEPTED, force: 'newer-boot' }
    if (status === 'superseded') return { cause: 'its peer started again', force: 'newer-boot' }
    if (boot === env.boot) return undefined
    const member = membership.get(peer)
    if (!member) {
      const waited = env.now - head.startedAt >= env.settings.absentPeerGraceMs
      return waited
        ? { cause: 'its peer was not heard of since the head took over', force: 'none' }
        : undefined
    }
    // A boot that the registry has never heard of is newer than all it knows; an older one is just old news.
    if (member.boot !== boot && !state.boots.has(member.boot))
      return { cause: 'its peer started again', force: 'newer-boot' }
    if (member.liveness === 'dead')
      return { cause: 'its peer is dead', force: env.connected.has(peer) ? 'none' : 'refused' }
    if (member.liveness === 'left') return { cause: 'its peer left', force: 'consent' }
    return undefined
  }

  #settleRecoveries(): void {
    const { env } = this.#parts
    for (const [boot, recovery] of this.#recoveries) {
      const { result } = recovery
      if (!result) continue
      const cause = [this.#cause(boot), ...result.notes].join('; ')
      this.#issue(
        `recover ${boot}`,
        { kind: 'recover', boot, journals: result.journals, cause, at: env.wall, homes: {} },
        () => this.#recoveries.delete(boot),
      )
    }
  }

  #cause(boot: BootId): string {
    const { follower, membership } = this.#parts
    const entry = follower.state?.boots.get(boot)
    if (entry?.lossAccepted) return LOSS_ACCEPTED
    if (entry?.status === 'superseded') return 'its peer started again'
    return membership.get(peerOfBoot(boot))?.liveness === 'left' ? 'its peer left' : 'its peer is dead'
  }

  #assignHomeless(state: RegistryState): void {
    const homeless = [...state.actors.values()].filter(
      ({ home, status }) => home === null && status.kind === 'running',
    )
    if (homeless.length === 0) return
    const homes = this.#parts.plan.homes(state).place(homeless)
    const actors = homeless.flatMap(({ key: actor, epoch }) => {
      const home = homes.get(actor)
      return home ? [{ actor, epoch, home }] : []
    })
    if (actors.length > 0) this.#issue('assign', { kind: 'assign', actors })
  }

  #rebalance(state: RegistryState): void {
    if (this.#recoveries.size > 0 || this.#busy.has('assign')) return // B4
    for (const move of this.#balancer.moves(state)) this.#issue(`move ${move.actor}`, move)
  }

  #rollJournals(state: RegistryState): void {
    const { env, plan } = this.#parts
    const needsRoll = plan.rolling(state)
    for (const journal of state.journals.values()) {
      const asked = this.#askedToRoll.get(journal.key) ?? Number.NEGATIVE_INFINITY
      if (journal.status.kind !== 'open' || state.boots.get(journal.boot)?.status !== 'live') continue
      if (env.now - asked < env.settings.headTimeoutMs || !needsRoll(journal)) continue
      this.#askedToRoll.set(journal.key, env.now)
      env.send(peerOfBoot(journal.boot), { kind: 'roll', journal: journal.key })
    }
    for (const key of this.#askedToRoll.keys()) if (!state.journals.has(key)) this.#askedToRoll.delete(key)
  }

  #retireJournals(state: RegistryState): void {
    const needed = neededJournals(state)
    const journals = [...state.journals.values()].filter(({ key }) => !needed.has(key)).map(({ key }) => key)
    if (journals.length > 0) this.#issue('retire', { kind: 'retire', journals })
  }

  #hasGrown(): boolean {
    const { env, follower } = this.#parts
    const { registryMaxBlocks, registryMaxBytes } = env.settings
    const most = Math.max(registryMaxBytes, REGISTRY_GROWTH * follower.snapshotBytes)
    return follower.applied > registryMaxBlocks || follower.bytes > most
  }

  #renewRegistry(state: RegistryState): void {
    const { env, head, candidate, plan } = this.#parts
    // A new term stops the commands for a moment, so first those that waited for this one are committed: their issuers
    // repeat them to the new head within a heartbeat. A head that is never idle renews all the same.
    const age = env.now - head.startedAt
    if (age < (head.idle ? env.settings.heartbeatMs : env.settings.headTimeoutMs)) return
    if (this.#hasGrown() || plan.registryNeedsChange(state, head.keepers)) candidate.campaign('consent')
  }

  #offerHead(state: RegistryState): void {
    const { env, membership, follower } = this.#parts
    const leaving = state.peers.get(env.self)?.leaving === true
    const able = membership
      .members()
      .filter(({ peer, liveness, since, boot }) => {
        const entry = state.peers.get(peer)
        const stable = leaving || env.now - since >= env.settings.handOverAfterMs
        return (
          peer !== env.self &&
          liveness === 'alive' &&
          stable &&
          entry?.boot === boot &&
          !entry.leaving &&
          env.connected.has(peer)
        )
      })
      .map(({ peer }) => peer)
      .sort(compareIds)
    const next = able[0]
    if (!next || (!leaving && compareIds(next, env.self) > 0) || !follower.log) return
    const { at, count } = this.#offers.get(next) ?? { at: Number.NEGATIVE_INFINITY, count: 0 }
    const patience = leaving
      ? env.settings.headTimeoutMs
      : env.settings.handOverAfterMs * 2 ** Math.min(count, 8)
    if (env.now - at < patience) return
    this.#offers.set(next, { at: env.now, count: count + 1 })
    env.send(next, { kind: 'offer', log: follower.log })
  }
}
