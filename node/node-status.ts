// A node's answers to "how are things": the registry and the view in an app's terms.

import { generationOf, withinGeneration } from '../mesh/generation.ts'
import { type ActorKey, type BootId, nameOfActor, type PeerId, peerOfBoot, typeOfActor } from '../mesh/ids.ts'
import type { Keeper } from '../mesh/log-types.ts'
import { majority } from '../mesh/quorum.ts'
import { sameClass } from '../mesh/registry/class.ts'
import type { ActorEntry, RegistryState } from '../mesh/registry/types.ts'
import { amountOf, type Resources } from '../mesh/resources.ts'
import { isReserved } from './actors/built-in.ts'
import type { Runtime } from './actors/runtime.ts'
import type { ActorStatus, MemberStatus, NodeStatus, PeerRef, ResourceStatus } from './api.ts'
import type { MeshDriver } from './driver.ts'

export interface StatusParts {
  readonly name: string
  readonly startedAt: number
  readonly driver: MeshDriver
  readonly runtime: Runtime
}

export function peerRef(driver: MeshDriver, peer: PeerId): PeerRef {
  const name =
    driver.members().find((member) => member.peer === peer)?.description.name ??
    driver.registry?.peers.get(peer)?.name
  return { peerId: peer, name: name ?? peer.slice(-8) }
}

export function nodeStatus({ name, startedAt, driver, runtime }: StatusParts): NodeStatus {
  const { registry, pointer } = driver
  const head = driver.head()
  const { rss, heapUsed } = process.memoryUsage()
  const living = [...(registry?.actors.values() ?? [])].filter(
    ({ status }) => status.kind !== 'stopped' && status.kind !== 'dead',
  )
  return {
    peerId: driver.self,
    name,
    boot: driver.boot,
    meshId: pointer?.meshId ?? '',
    head: head ? peerRef(driver, head) : null,
    isHead: driver.isHead,
    generation: generationOf(pointer?.term ?? 0),
    term: pointer ? withinGeneration(pointer.term) : -1,
    members: live(driver).length,
    actorsHere: runtime.load(),
    actorsTotal: living.length,
    resources: resourcesOf(driver, driver.boot, registry?.peers.get(driver.self)?.resources),
    registryKeepers: pointer?.keepers.length ?? 0,
    registrySafe: driver.registrySafe,
    admitted: driver.admitted,
    warnings: warnings(driver, performance.now() - startedAt),
    uptimeMs: Math.round(performance.now() - startedAt),
    memory: { rss, heapUsed },
    messages: driver.messages,
  }
}

const isHomeless = ({ status, home }: ActorEntry): boolean => status.kind === 'running' && home === null

const live = (driver: MeshDriver) =>
  driver.members().filter(({ liveness }) => liveness === 'alive' || liveness === 'suspect')

/** A peer that comes back first has to reach the others: who is missing shows after this long. */
const REACHING_MS = 5000

function warnings(driver: MeshDriver, uptimeMs: number): string[] {
  const said: string[] = [...driver.apart().values()]
  const { registry, pointer } = driver
  const here = new Set(live(driver).map(({ peer }) => peer))
  if (registry?.peers.size === 2)
    said.push(
      'two peers have no majority without both: if one is lost, actors wait until it is back. A third peer mends that.',
    )
  const missing = missingRegistryKeepers(driver, here)
  if (pointer && missing.length > 0 && uptimeMs >= REACHING_MS) {
    const names = missing.map(({ peer }) => peerRef(driver, peer).name).join(', ')
    said.push(
      `only ${pointer.keepers.length - missing.length} of the registry's ${pointer.keepers.length} keepers are here: nothing is created or recovered until a majority is. Missing: ${names}; start them. If the disks of too many are gone for good, "mesh rescue" on one peer says what can be saved`,
    )
  }
  for (const [boot, { waitingFor, lacksKeepers }] of driver.recoveries()) {
    const { name } = peerRef(driver, peerOfBoot(boot))
    // Giving up is a command of the registry, which needs its own majority.
    const canGiveUp = lacksKeepers && missing.length === 0
    const help = canGiveUp
      ? `. If their disks are gone for good, "mesh recover ${boot}" says what can be saved`
      : ''
    if (waitingFor) said.push(`actors of ${name} wait: ${waitingFor}${help}`)
  }
  return [...said, ...homeless(driver)]
}

/** A daemon whose peer is away waits for nothing else; that the peer is away shows as it is. */
const isBound = ({ options }: ActorEntry): boolean => options.placement?.peer !== undefined

/** Actors without a home that `mesh status` names; `mesh actors` has them all. */
const HOMELESS_TOLD = 3

function homeless(driver: MeshDriver): string[] {
  const waiting = [...(driver.registry?.actors.values() ?? [])].filter(
    (actor) => isHomeless(actor) && !isBound(actor),
  )
  const told = waiting.slice(0, HOMELESS_TOLD).flatMap(({ key }) => {
    const why = driver.whyNoHome(key)
    return why === '' ? [] : `${key} waits for a home: ${why}`
  })
  const more = waiting.length - HOMELESS_TOLD
  return more > 0 ? [...told, `${more} more actors wait for a home: see mesh actors`] : told
}

/** Keepers of the registry that are not here, where those that are here are no majority; else none. */
function missingRegistryKeepers({ pointer }: MeshDriver, here: ReadonlySet<PeerId>): readonly Keeper[] {
  if (!pointer) return []
  const missing = pointer.keepers.filter(({ peer }) => !here.has(peer))
  return pointer.keepers.length - missing.length < majority(pointer.keepers.length) ? missing : []
}

export function memberStatuses(driver: MeshDriver): MemberStatus[] {
  const head = driver.head()
  const now = performance.now()
  const hosted = new Map<BootId, number>()
  for (const { home } of driver.registry?.actors.values() ?? [])
    if (home) hosted.set(home, (hosted.get(home) ?? 0) + 1)
  return driver.members().map(({ peer, boot, liveness, since, description }) => ({
    peerId: peer,
    name: description.name,
    liveness,
    self: peer === driver.self,
    head: peer === head,
    addresses: description.addresses,
    labels: description.labels,
    resources: resourcesOf(driver, boot, description.resources),
    types: description.types.filter((type) => !isReserved(type)),
    actors: hosted.get(boot) ?? 0,
    host: description.canHost,
    keep: description.canKeep,
    ...(description.keyId !== undefined && { keyId: description.keyId }),
    sinceMs: Math.max(0, Math.round(now - since)),
  }))
}

function resourcesOf(
  driver: MeshDriver,
  boot: BootId,
  offered: Resources = {},
): Readonly<Record<string, ResourceStatus>> {
  const used = driver.registry?.actors.at(boot).resources ?? {}
  return Object.fromEntries(
    Object.entries(offered).map(([name, amount]) => [name, { offered: amount, used: amountOf(used, name) }]),
  )
}

export function actorStatuses(driver: MeshDriver, runtime: Runtime): ActorStatus[] {
  return [...(driver.registry?.actors.values() ?? [])].map((actor) => actorStatus(actor, driver, runtime))
}

/** Undefined when this peer knows of no such actor. */
export function actorStatusOf(
  driver: MeshDriver,
  runtime: Runtime,
  actor: ActorKey,
): ActorStatus | undefined {
  const entry = driver.registry?.actors.get(actor)
  return entry && actorStatus(entry, driver, runtime)
}

function actorStatus(actor: ActorEntry, driver: MeshDriver, runtime: Runtime): ActorStatus {
  const waiting = isHomeless(actor) || (actor.status.kind === 'running' && doesNotStart(actor))
  const cause = causeOf(actor, waiting, driver, runtime)
  return {
    type: typeOfActor(actor.key),
    name: nameOfActor(actor.key),
    status: waiting ? 'waiting' : actor.status.kind,
    peer: actor.home ? peerRef(driver, peerOfBoot(actor.home)) : null,
    epoch: actor.epoch,
    restarts: actor.restarts,
    ...(cause ? { cause } : {}),
    keepers: keepersOf(driver.registry, actor).map(({ peer }) => peerRef(driver, peer)),
    keepersWanted: actor.options.class.keepers,
    durability: actor.options.class.level,
    ...(actor.options.placement?.peer && { daemonOf: actor.options.placement.peer }),
    ...(actor.home === driver.boot ? runtime.savedOf(actor.key) : undefined),
  }
}

function causeOf(actor: ActorEntry, waiting: boolean, driver: MeshDriver, runtime: Runtime): string {
  if (actor.status.kind === 'dead') return actor.status.cause
  if (waiting && doesNotStart(actor)) return actor.failures?.cause ?? ''
  if (waiting) return driver.whyNoHome(actor.key)
  if (actor.home === driver.boot) return runtime.problemOf(actor.key)
  return actor.home ? causeOfLost(actor.home, driver) : ''
}

/** Why an actor on that boot is not served; empty as far as nothing is known to be wrong. */
function causeOfLost(home: BootId, driver: MeshDriver): string {
  const here = new Set(live(driver).map(({ peer }) => peer))
  const peer = peerOfBoot(home)
  const { name } = peerRef(driver, peer)
  // First: a head that lost its majority still knows of recoveries, and can't end any.
  if (!here.has(peer) && missingRegistryKeepers(driver, here).length > 0)
    return `its peer ${name} is lost, and so is the majority of the registry: see mesh status`
  const waiting = driver.recoveries().get(home)?.waitingFor
  if (waiting) return waiting
  if (here.has(peer)) return ''
  const head = driver.head()
  return head === undefined || head === driver.self
    ? `its peer ${name} is lost and being recovered`
    : `its peer ${name} is lost and being recovered: mesh status on ${peerRef(driver, head).name} says what is missing`
}

const doesNotStart = ({ failures }: ActorEntry): boolean => failures !== undefined && failures.cause !== ''

/**
 * Who holds all that a recovery of the actor would need: between a change of home or of keepers and
 * the copy that follows it, that is more than one journal, and only a peer that keeps each of them counts.
 */
function keepersOf(registry: RegistryState | undefined, actor: ActorEntry): readonly Keeper[] {
  if (registry === undefined) return []
  const own = [...registry.journals.values()].filter(
    ({ boot, class: of, order }) =>
      boot === actor.home && order >= actor.base && sameClass(of, actor.options.class),
  )
  const sources =
    actor.base > 0 ? [] : actor.sources.flatMap(({ journal }) => registry.journals.get(journal) ?? [])
  const [first, ...others] = [...own, ...sources].map(({ keepers }) => keepers)
  const inAll = ({ store }: Keeper): boolean =>
    others.every((keepers) => keepers.some((keeper) => keeper.store === store))
  return (first ?? []).filter(inAll)
}
