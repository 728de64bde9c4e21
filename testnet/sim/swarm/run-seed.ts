// One seed from beginning to end: a mesh comes up, works under faults, is healed, must recover within bounded virtual
// time, and must be quiet then. Safety is checked all the way and over the whole history at the end.

import type { PeerId } from '../../../mesh/ids.ts'
import type { MeshMessage } from '../../../mesh/messages.ts'
import type { ActorEntry } from '../../../mesh/registry/types.ts'
import { MeshError } from '../../../node/errors.ts'
import { TooManyEvents } from '../clock.ts'
import type { Listed, Seen } from '../ledger.ts'
import { NotInTime } from '../mesh.ts'
import { inject } from './faults.ts'
import { type FaultKind, type Profile, profileOf } from './profile.ts'
import type { Named } from './workload.ts'
import { World } from './world.ts'

export type Outcome = 'ok' | 'crash' | 'safety' | 'liveness'

export interface SeedResult {
  readonly seed: number
  readonly outcome: Outcome
  /** What went wrong, each with its virtual time where there is one. */
  readonly problems: readonly string[]
  /** Events of the virtual clock. */
  readonly steps: number
  readonly virtualMs: number
  /** Faults injected, by kind. */
  readonly faults: Readonly<Record<string, number>>
  /** Calls of clients that were answered. */
  readonly acknowledged: number
}

export interface RunOptions {
  /** Replaces parts of what the seed draws, so that what is looked for happens more often. */
  readonly bias?: Partial<Profile>
  /** Gets a line for every message of the protocol and everything that happens to a peer. */
  readonly trace?: (line: string) => void
}

/** Bounds of the liveness phase, in virtual milliseconds: several times what the slowest step is given by its settings. */
const RECOVERED_MS = 120_000
const ANSWERED_MS = 60_000
/** An alarm whose method fails is tried again for a minute and a half. */
const AGENDAS_MS = 120_000
const TIDY_MS = 90_000
const QUIET_MS = 5000
const QUIET_TRIES = 12
/** Of a whole run, about 200 times as many as it usually has. */
const EVENT_LIMIT = 1_000_000

export async function runSeed(seed: number, options: RunOptions = {}): Promise<SeedResult> {
  const profile = { ...profileOf(seed), ...options.bias }
  const world = new World(seed, profile, options.trace ?? (() => {}))
  world.mesh.clock.eventLimit = EVENT_LIMIT
  if (options.trace) traceMessages(world, options.trace)
  const thrown: { error: unknown }[] = []
  const unhandled = (error: unknown): void => void thrown.push({ error })
  process.on('unhandledRejection', unhandled)
  try {
    await play(world)
  } catch (error) {
    thrown.push({ error })
  } finally {
    await world.end()
    process.off('unhandledRejection', unhandled)
  }
  const isLate = (error: unknown): error is Error =>
    error instanceof NotInTime || error instanceof TooManyEvents
  const late = thrown.flatMap(({ error }) => (isLate(error) ? [error.message] : []))
  const crashes = thrown.flatMap(({ error }) =>
    isLate(error) ? [] : [error instanceof Error ? (error.stack ?? error.message) : String(error)],
  )
  const wrong = world.wrong()
  return {
    seed,
    outcome: wrong.length > 0 ? 'safety' : crashes.length > 0 ? 'crash' : late.length > 0 ? 'liveness' : 'ok',
    problems: [...wrong, ...crashes, ...late],
    steps: world.mesh.clock.events,
    virtualMs: world.now,
    faults: world.counts,
    acknowledged: world.work.history.operations,
  }
}

async function play(world: World): Promise<void> {
  const { mesh, profile, work } = world
  await world.start()
  await mesh.clock.run(world.between(0, 2500))
  for (let step = 0; step < profile.steps; step++) {
    await inject(world, drawn(world, profile.faults))
    await mesh.clock.run(profile.gapMs * 2 * world.random())
  }
  await world.recover(RECOVERED_MS)
  work.running = false
  if (world.kv) world.kv.running = false
  world.oracle.running = false
  await swaps(world)
  await mesh.until('every call has ended', () => work.pending(mesh) === 0, profile.callTimeoutMs + 10_000)
  await agendas(world)
  const final = await answers(world)
  world.work.history.check(final, world.now)
  const ended = work.history.lives.ended > 0
  if (!ended) work.history.checkOwed(final, 'send')
  if (!ended && !world.counts['clock-jump']) work.history.checkOwed(final, 'alarm')
  await tidy(world)
  await quiet(world)
}

/** A kind of fault, by weight. */
export function drawn(world: World, faults: ReadonlyMap<FaultKind, number>): FaultKind {
  let left = world.random() * [...faults.values()].reduce((sum, weight) => sum + weight, 0)
  for (const [kind, weight] of faults) {
    left -= weight
    if (left <= 0) return kind
  }
  return [...faults.keys()].at(-1)!
}

/** Every agenda is done: nothing is sent for ever, and no alarm is late by more than its clock is wrong. */
async function agendas(world: World): Promise<void> {
  const { mesh, profile, work } = world
  if (!profile.agenda) return
  const done = (): boolean => {
    const { sends, alarms } = work.agenda(mesh)
    return sends === 0 && (alarms === 0 || (world.counts['clock-jump'] ?? 0) > 0)
  }
  // The agenda of an actor that moves is seen by nobody until its next home has read it.
  const end = world.now + AGENDAS_MS
  for (let homes = ''; homes === '' || homes !== homesOf(world); ) {
    homes = homesOf(world)
    const calls = work.actors.map(({ type, name }) =>
      work.runtimes
        .get(world.live[0]!.id)!
        .call(type, name, 'all', [], { timeoutMs: ANSWERED_MS })
        .catch(() => {}),
    )
    await mesh.await(Promise.all(calls), ANSWERED_MS * 2) // who was not restored yet is now
    await mesh.until('every agenda is done', done, end - world.now)
  }
}

/** The term, and every actor's home, as every peer sees them. */
function homesOf(world: World): string {
  const homes = (actors: Iterable<ActorEntry>): string =>
    Array.from(actors, ({ epoch, status }) => `${epoch}${status.kind}`).join()
  return world.live
    .map(({ driver }) => `${driver.pointer?.key} ${homes(driver.registry?.actors.values() ?? [])}`)
    .join()
}

/** Everything put is there, and every watch that goes on has told it. */
async function swaps({ mesh, profile, work, kv }: World): Promise<void> {
  if (!kv) return
  await mesh.until('every swap has ended', () => kv.pending(mesh) === 0, 2 * profile.callTimeoutMs + 10_000)
  await kv.caughtUp(mesh, ({ id }) => work.runtimes.get(id)!, ANSWERED_MS)
  kv.check()
  kv.end()
}

/** Every actor answers a read and a write, wherever it is called from; one that was stopped is made again. */
async function answers(world: World): Promise<ReadonlyMap<string, Listed>> {
  const final = new Map<string, Listed>()
  const asked = world.work.actors.map(async (actor) => {
    const listed = await ask(world, actor, world.pick(world.live)!.id)
    if (listed) final.set(actor.key, listed)
  })
  await world.mesh.await(Promise.all(asked), ANSWERED_MS * 2)
  return final
}

async function ask(world: World, { type, name, key }: Named, from: PeerId): Promise<Listed | undefined> {
  const runtime = world.work.runtimes.get(from)!
  const { driver } = world.mesh.peers.get(from)!
  const call = async (method: string, ...args: string[]): Promise<unknown> => {
    const { boot } = driver
    try {
      return await runtime.call(type, name, method, args, { timeoutMs: ANSWERED_MS })
    } catch (error) {
      // A recovery that was under way may end the caller's boot still: its calls are refused, and it calls under another.
      if (!(error instanceof MeshError && error.code === 'CALL_EXPIRED')) throw error
      while (driver.boot === boot || !driver.admitted)
        await new Promise<void>((resolve) => world.mesh.clock.set(100, resolve))
      return runtime.call(type, name, method, args, { timeoutMs: ANSWERED_MS })
    }
  }
  try {
    const listed = (await call('all')) as Listed
    const token = `${from}#last`
    const seen = (await call('add', token)) as Seen
    // Calls of processes that ended may still be under way.
    if (seen.life !== listed.life || seen.size <= listed.size)
      world.work.history.wrong.push(`${key}: a write after ${listed.size} tokens was number ${seen.size}`)
    return listed
  } catch (error) {
    if (!(error instanceof MeshError)) throw error
    if (error.code === 'ACTOR_DIED') return undefined
    const entries = world.live.map(
      ({ id, driver }) => `${id}: ${JSON.stringify(driver.registry?.actors.get(key))}`,
    )
    throw new NotInTime(
      `${key} does not answer ${from}: ${error.message}`,
      [...entries, world.mesh.dump()].join('\n'),
    )
  }
}

/** Nothing is left of what came and went. What came late is looked at when the registry moves on, so it does. */
async function tidy(world: World): Promise<void> {
  const end = world.now + TIDY_MS
  for (let waited = 0; world.leftovers().length > 0 && world.now < end; waited++) {
    if (waited % 10 === 0) world.live[0]?.driver.catchUp().catch(() => {})
    await world.mesh.clock.run(500)
  }
  const left = world.leftovers()
  if (left.length > 0) throw new NotInTime(`left behind: ${left.join('; ')}`, world.mesh.dump())
}

/** The same head in the same term, and every actor where it was, for a while. */
async function quiet(world: World): Promise<void> {
  for (let tries = 0; tries < QUIET_TRIES; tries++) {
    const before = homesOf(world)
    await world.mesh.clock.run(QUIET_MS)
    if (homesOf(world) === before) return
  }
  throw new NotInTime('the head and every home stay the same in a quiet mesh', world.mesh.dump())
}

/** Everyday messages of the membership say little and are many. */
const COMMON = new Set(['ping', 'pong', 'view'])

function traceMessages(world: World, trace: (line: string) => void): void {
  const { network } = world.mesh
  const before = network.trace
  network.trace = (from, to, message) => {
    if (!COMMON.has(message.kind)) trace(`${world.now.toFixed(1)} ${from} > ${to} ${brief(message)}`)
    before?.(from, to, message)
  }
}

const brief = (message: MeshMessage): string =>
  JSON.stringify(message, (key, value) =>
    key === 'proofs' || key === 'blocks' || key === 'addresses'
      ? value?.length
      : value instanceof Uint8Array
        ? value.length
        : value,
  )
