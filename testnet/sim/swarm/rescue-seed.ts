// A seed whose mesh loses the majority of its registry for good and is rescued on one of those that are left, while other
// faults go on (ADR 0009). Acknowledged calls may be lost by that, and what is checked of them elsewhere is not checked here.
// What must hold all the same:
//
//  1. a term is one log by one writer, in either generation; no disk forgets a promise or moves back
//  2. in the new generation an epoch of an actor has one home, which is not dead
//  3. every actor that the rescued registry had at home somewhere is in a report
//  4. every peer is admitted in one new generation, and every actor answers everybody, as one and the same

import { generationOf } from '../../../mesh/generation.ts'
import type { PeerId } from '../../../mesh/ids.ts'
import { majority } from '../../../mesh/quorum.ts'
import type { RescueResult } from '../../../mesh/registry/rescue.ts'
import { Assignments } from '../assignments.ts'
import type { Listed, Seen } from '../ledger.ts'
import type { SimPeer } from '../mesh.ts'
import { inject } from './faults.ts'
import { DESTRUCTIVE, type FaultKind, POWER, type Profile, profileOf } from './profile.ts'
import { drawn } from './run-seed.ts'
import type { Named } from './workload.ts'
import { World } from './world.ts'

export interface RescueSeedResult {
  readonly wrong: readonly string[]
  /** How often the peer was told to carry the rescue out. */
  readonly attempts: number
  readonly faults: Readonly<Record<string, number>>
}

const SETTLED_MS = 240_000
const ANSWERED_MS = 60_000
/** A rescue asks, reads and writes: each has the time of one step of a candidate, more than once if keepers are slow. */
const ATTEMPT_MS = 15_000
/** As often it is tried among faults. Once everything is healed, a few times more must be enough. */
const TROUBLED_ATTEMPTS = 12
const MAX_ATTEMPTS = TROUBLED_ATTEMPTS + 8
/** Rules that accepting a loss does not give up. */
const STILL_RULES = /\b(I2|I3|I4|I5|I6|I9|I12|R2|R3)\b/

export async function runRescueSeed(seed: number): Promise<RescueSeedResult> {
  const world = new World(seed, rescueProfile(seed), () => {})
  const wrong: string[] = []
  const assignments = new Assignments((text) => wrong.push(text))
  const rescued = new Set<string>()
  world.onStarted = ({ id, driver }) => {
    const see = assignments.watcher(id)
    driver.onRegistry((state) => {
      if (generationOf(state.nextOrder) === 0) return
      // What was made since has a home on a boot that lives: none of the old generation does.
      if (rescued.size === 0)
        for (const { key, home } of state.actors.values())
          if (home !== null && state.boots.get(home)?.status !== 'live') rescued.add(key)
      see(state)
    })
  }
  try {
    await world.start()
    await trouble(world)
    const at = await loseMajority(world)
    const attempts = await rescue(world, at)
    await trouble(world)
    await world.recover(SETTLED_MS)
    const { mesh, work, profile } = world
    work.running = false
    await mesh.until('every call has ended', () => work.pending(mesh) === 0, profile.callTimeoutMs + 10_000)
    wrong.push(...unreported(world, rescued), ...(await divided(world)))
    wrong.push(...world.mesh.failures, ...world.invariants.broken.filter((text) => STILL_RULES.test(text)))
    return { wrong, attempts, faults: world.counts }
  } finally {
    await world.end()
  }
}

/** Disks go where this says so, and nowhere else; who leaves in good order is another story. */
function rescueProfile(seed: number): Profile {
  const profile = profileOf(seed)
  const isLeftOut = (kind: FaultKind): boolean =>
    DESTRUCTIVE.has(kind) || kind === 'leave' || (POWER.has(kind) && profile.durability !== 'synced')
  const faults = new Map([...profile.faults].filter(([kind]) => !isLeftOut(kind)))
  return {
    ...profile,
    faults: faults.size > 0 ? faults : new Map([['kill', 1]]),
    rawJournals: false,
    kv: false,
    daemons: false,
    encrypted: false,
    wire: false,
  }
}

async function trouble(world: World): Promise<void> {
  for (let step = 0; step < world.profile.steps / 2; step++) {
    await inject(world, drawn(world, world.profile.faults))
    await world.mesh.clock.run(world.profile.gapMs * 2 * world.random())
  }
}

/** Disks of a majority of the registry's keepers, at one moment. Answers with one of the peers that are left. */
async function loseMajority(world: World): Promise<PeerId> {
  const keepers = () => world.live.find(({ driver }) => driver.isHead)?.driver.pointer?.keepers ?? []
  await world.recover(SETTLED_MS)
  await world.mesh.until('three keep the registry', () => keepers().length >= 3)
  const victims = keepers().map(({ peer }) => peer)
  while (victims.length > majority(keepers().length))
    victims.splice(Math.floor(world.random() * victims.length), 1)
  for (const id of victims) world.replace(id)
  return world.pick(world.live.filter(({ id }) => !victims.includes(id)))!.id
}

/** Tells the peer until it is done: it may be cut off, find that others are busy, or end in the middle of it. */
async function rescue(world: World, at: PeerId): Promise<number> {
  // On its disk, whether its process lives to tell or not: told again it might begin another generation.
  const isDone = (): boolean => generationOf(world.mesh.disks.get(at)?.durablePointer?.term ?? 0) > 0
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    if (attempt <= TROUBLED_ATTEMPTS) await inject(world, drawn(world, world.profile.faults))
    else world.heal()
    world.boot(at)
    await world.mesh.until('its process is there', () => world.mesh.peers.has(at))
    let isOver = false
    const over = (result: RescueResult | Error): void => {
      isOver = true
      const isTold = 'ok' in result && result.ok
      if (isTold && !isDone()) world.mesh.failures.push(`${at} tells of a rescue that is not on its disk`)
    }
    world.mesh.peers.get(at)!.driver.rescue(true).then(over, over)
    await world.mesh.clock.run(ATTEMPT_MS, () => isOver || !world.mesh.peers.has(at))
    await world.mesh.clock.run(1000)
    if (isDone()) return attempt
  }
  throw new Error(`the registry was not rescued on ${at}:\n${world.mesh.dump()}`)
}

function unreported(world: World, rescued: ReadonlySet<string>): string[] {
  const { reports } = world.live[0]!.driver.registry!
  const named = new Set<string>(reports.flatMap(({ actors }) => actors.map(({ actor }) => actor)))
  const wrong = [...rescued].filter((key) => !named.has(key)).map((key) => `there is no report of ${key}`)
  if (!reports.some(({ kind }) => kind === 'rescue')) wrong.push('there is no report of the rescue')
  const generations = new Set(world.live.map(({ driver }) => driver.pointer!.rescues.join()))
  if (generations.size > 1) wrong.push(`there are ${generations.size} generations`)
  return wrong
}

/** Everybody writes to every actor. It is one if its answers are numbered in a row, and it holds each write once. */
async function divided(world: World): Promise<string[]> {
  const wrong: string[] = []
  for (const actor of world.work.actors) {
    // Who was being stopped when the registry went is stopped by now, and is made again; of the others there is one already.
    const { id: at } = world.pick(world.live)!
    await world.mesh.await(
      world.work.runtimes
        .get(at)!
        .create(actor.type, actor.name)
        .catch(() => {}),
    )
    const tokens = world.live.map(({ id }) => `${id}#after`)
    const seen = await Promise.all(
      world.live.map((peer, index) => call<Seen>(world, peer, actor, 'add', tokens[index]!)),
    )
    const { tokens: held } = await call<Listed>(world, world.pick(world.live)!, actor, 'all')
    for (const [index, { size }] of seen.entries())
      if (held[size - 1] !== tokens[index]) wrong.push(`${actor.key}: ${tokens[index]} is not number ${size}`)
    if (new Set(held).size < held.length)
      wrong.push(`${actor.key}: something was done twice: ${held.join(' ')}`)
  }
  return wrong
}

const call = <Result>(world: World, { id }: SimPeer, actor: Named, method: string, ...args: string[]) =>
  world.mesh.await(
    world.work.runtimes.get(id)!.call(actor.type, actor.name, method, args, { timeoutMs: ANSWERED_MS }),
    ANSWERED_MS * 2,
  ) as Promise<Result>
