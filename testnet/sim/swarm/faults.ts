// What each kind of fault does to a world. A function returns false where there is nothing to do it to; what was done is
// counted. Everything that lasts ends by itself, or when the world is healed.

import type { PeerId } from '../../../mesh/ids.ts'
import { believesInLostDisk } from './budget.ts'
import { DESTRUCTIVE, type FaultKind, POWER } from './profile.ts'
import type { World } from './world.ts'

type Inject = (world: World) => boolean

/** Some faults are over in a moment, some outlast every time-out. */
const moment = (world: World): number => world.between(20, 800)
const while_ = (world: World): number => world.between(500, 6000)
const long = (world: World): number => world.between(10_000, 120_000)
const anyTime = (world: World): number => {
  const draw = world.random()
  return draw < 0.4 ? moment(world) : draw < 0.85 ? while_(world) : long(world)
}

const oneOf = (world: World): PeerId | undefined => world.pick(world.live)?.id

function twoOf(world: World): readonly [PeerId, PeerId] | undefined {
  const a = oneOf(world)
  const b = world.pick(world.live.filter(({ id }) => id !== a))?.id
  return a && b ? [a, b] : undefined
}

const onOne =
  (act: (world: World, id: PeerId) => void): Inject =>
  (world) => {
    const id = oneOf(world)
    if (id) act(world, id)
    return id !== undefined
  }

const onTwo =
  (act: (world: World, a: PeerId, b: PeerId) => void): Inject =>
  (world) => {
    const two = twoOf(world)
    if (two) act(world, ...two)
    return two !== undefined
  }

const onShare =
  (what: 'lost' | 'again' | 'late', most: number): Inject =>
  (world) => {
    world.share[what] = world.between(0.01, most)
    world.lasting(anyTime(world), () => {
      world.share[what] = 0
    })
    return true
  }

const processEnds = (world: World) => ({ loseUnsynced: false, keepInFlight: world.random() < 0.5 })
const powerFails = (world: World) => ({ loseUnsynced: true, keepInFlight: world.random() < 0.3 })
/** The oldest of what was not synced reached the disk, the last record perhaps not. */
const powerTears = (world: World) => ({
  loseUnsynced: true,
  keepInFlight: world.random() < 0.5,
  keepUnsynced: Math.floor(world.random() * 6),
})
/** Everything is flushed before, and yet nobody can tell. */
const systemRestarts = () => ({ loseUnsynced: true, keepUnsynced: Number.POSITIVE_INFINITY })

const FAULTS: Readonly<Record<FaultKind, Inject>> = {
  loss: onShare('lost', 0.3),
  duplicate: onShare('again', 0.4),
  reorder: onShare('late', 0.4),
  delay: (world) => {
    const { network } = world.mesh
    network.maxDelayMs = world.pick([100, 300, 800])!
    world.lasting(anyTime(world), () => {
      network.maxDelayMs = world.profile.delayMs
    })
    return true
  },
  partition: (world) => {
    const side = world.ids.filter(() => world.random() < 0.5)
    const rest = world.ids.filter((id) => !side.includes(id))
    const pairs = side.flatMap((a) => rest.map((b) => [a, b] as const))
    const { network } = world.mesh
    for (const [a, b] of pairs) {
      network.cut(a, b)
      network.cut(b, a)
    }
    world.lasting(anyTime(world), () => pairs.forEach(([a, b]) => void network.mend(a, b)))
    return pairs.length > 0
  },
  'one-way': onTwo((world, a, b) => {
    world.mesh.network.cut(a, b)
    world.lasting(anyTime(world), () => world.mesh.network.mend(a, b))
  }),
  'half-open': onTwo((world, a, b) => {
    world.mesh.network.cut(a, b, 'unnoticed')
    world.lasting(long(world), () => world.mesh.network.mend(a, b))
  }),
  reset: onTwo((world, a, b) => world.mesh.network.reset(a, b)),
  kill: onOne((world, id) => world.crash(id, processEnds(world))),
  'kill-at-disk': onOne((world, id) =>
    world.trap('disk', id, Math.ceil(world.random() * 12), () => processEnds(world)),
  ),
  'kill-at-message': onOne((world, id) =>
    world.trap('message', id, Math.ceil(world.random() * 40), () => processEnds(world)),
  ),
  'kill-all': (world) => {
    for (const { id } of world.live) world.crash(id, processEnds(world))
    return true
  },
  power: onPower((world, id) => world.crash(id, powerFails(world))),
  'power-all': (world) => {
    for (const { id } of world.live) world.crash(id, powerFails(world))
    return true
  },
  torn: onPower((world, id) => world.crash(id, powerTears(world))),
  'os-restart': onOne((world, id) => world.crash(id, systemRestarts())),
  'os-restart-all': (world) => {
    for (const { id } of world.live) world.crash(id, systemRestarts())
    return true
  },
  pause: onOne((world, id) => pause(world, id, world.between(50, 4000))),
  'long-pause': onOne((world, id) => pause(world, id, long(world))),
  'slow-disk': onOne((world, id) => {
    world.mesh.diskSlowness.set(id, world.between(10, 300))
    world.lasting(while_(world), () => world.mesh.diskSlowness.delete(id))
  }),
  'slow-loop': onOne(slowLoop),
  'clock-jump': onOne((world, id) =>
    world.mesh.peers.get(id)?.clock.jump(world.between(-1, 1) * (world.random() < 0.5 ? 5000 : 1e10)),
  ),
  join: (world) => joinAs(world, 'highest'),
  'join-lower': (world) => joinAs(world, 'lowest'),
  leave: onOne(leave),
  wipe: onExpendable((world, id) => world.replace(id)),
  'bit-flip': onExpendable((world, id) => {
    const { disk } = world.mesh.peers.get(id)!
    const log = world.pick([...disk.writtenLogs.keys()])
    if (!log) return false
    // It is found at the next start, which follows at once: a copy counts as whole until somebody misses it, and others
    // may rely on this disk meanwhile.
    disk.damage(log)
    world.mesh.kill(id)
    world.boot(id)
    return true
  }),
  'old-disk': onExpendable((world, id) => {
    const old = world.images.get(id)
    const { boot, pointer } = world.mesh.peers.get(id)!.driver
    // Nothing can tell the present run's disk from an older one, nor keep a registry's keeper from its votes (limits).
    const keepsRegistry = [pointer, old?.image.facts?.pointer].some((each) =>
      each?.keepers.some(({ peer }) => peer === id),
    )
    if (!old || old.boot === boot || keepsRegistry) return false
    world.goBack(id, old.image)
    return true
  }),
  'stop-actor': (world) => {
    const actor = world.pick(world.work.actors)!
    const at = oneOf(world)
    const runtime = at && world.work.runtimes.get(at)
    if (!runtime) return false
    const again = (): Promise<void> => runtime.create(actor.type, actor.name).catch(() => {})
    world.work.history.lives.asked(actor.key)
    runtime.stop(actor.type, actor.name, 5000).then(again, again)
    return true
  },
  'kill-actor': (world) => {
    const actor = world.pick(world.movable)!
    const at = oneOf(world)
    const runtime = at && world.work.runtimes.get(at)
    if (!runtime) return false
    runtime.kill(actor.type, actor.name, true, 5000).catch(() => {})
    return true
  },
  'end-actor': (world) => {
    const actor = world.pick(world.work.actors)!
    const at = oneOf(world)
    const runtime = at && world.work.runtimes.get(at)
    if (!runtime) return false
    world.work.history.lives.asked(actor.key)
    runtime.kill(actor.type, actor.name, false, 5000).catch(() => {})
    return true
  },
  'delete-actor': (world) => {
    const actor = world.pick(world.work.actors)!
    const at = oneOf(world)
    const runtime = at && world.work.runtimes.get(at)
    if (!runtime) return false
    const { lives } = world.work.history
    const start = world.now
    lives.asked(actor.key)
    runtime.delete(actor.type, actor.name, 5000).then(
      // One that is answered later may be so in the middle of the last reads, which are all of one moment to the checker.
      () => {
        if (world.work.running) lives.deleted(actor.key, start, world.now)
      },
      () => {},
    )
    return true
  },
  'lose-thread': (world) => {
    const threads = world.live.flatMap(({ id }) => world.work.threads.get(id) ?? [])
    return world.pick(threads.filter(({ size }) => size > 0))?.lose() === true
  },
  'move-actor': (world) => {
    const actor = world.pick(world.movable)!
    const from = world.pick(world.live)
    const to = world.pick(world.live)
    const entry = from?.driver.registry?.actors.get(actor.key)
    if (!from || !to || !entry) return false
    from.driver
      .command({ kind: 'move', actor: entry.key, epoch: entry.epoch, to: to.id }, 5000)
      .catch(() => {})
    return true
  },
}

/** Does one fault of that kind, if there is anything it can be done to, and counts it. */
export async function inject(world: World, kind: FaultKind): Promise<void> {
  const losesData = DESTRUCTIVE.has(kind) || (POWER.has(kind) && world.profile.durability !== 'synced')
  if (losesData && !(await isExpendable(world))) return
  if (!FAULTS[kind](world)) return
  world.say(`fault: ${kind}`)
  world.counts[kind] = (world.counts[kind] ?? 0) + 1
  if (DESTRUCTIVE.has(kind)) await world.mesh.clock.run(NOTICED_MS, () => !believesInLostDisk(world.mesh))
  // Until it is refused an old disk answers as the one it was. Nothing else may be lost meanwhile (docs/guarantees.md, limits).
  if (kind === 'old-disk') await world.mesh.clock.run(REFUSED_MS, () => world.outdated.size === 0)
}

/** The streams of a dead process are closed as soon as the network lets that through; a busy loop may be in its way. */
const NOTICED_MS = 2000

/** Admission is one round trip to the head and one commit; a cut link or a pause may be in its way for a while. */
const REFUSED_MS = 30_000

/** Heals and waits until a disk may be lost. What can't be had in time is not waited for: liveness is checked later. */
async function isExpendable(world: World): Promise<boolean> {
  world.heal()
  for (let tries = 0; tries < 100; tries++) {
    if (world.live.some(({ id }) => world.mayLose(id))) return true
    await world.mesh.clock.run(200)
  }
  return false
}

/** A peer whose disk may be lost (G1); false where none is. */
function onExpendable(act: (world: World, id: PeerId) => unknown): Inject {
  return (world) => {
    const id = world.pick(world.live.filter((peer) => world.mayLose(peer.id)))?.id
    return id !== undefined && act(world, id) !== false
  }
}

/** Where every actor is `synced` the power may fail anywhere at any time. */
function onPower(act: (world: World, id: PeerId) => void): Inject {
  const anywhere = onOne(act)
  const careful = onExpendable(act)
  return (world) => (world.profile.durability === 'synced' ? anywhere : careful)(world)
}

function pause(world: World, id: PeerId, ms: number): void {
  world.mesh.freeze(id)
  world.lasting(ms, () => world.mesh.thaw(id))
}

/** Its event loop hangs again and again, for as long as a busy machine or a large collection would hold it up. */
function slowLoop(world: World, id: PeerId): void {
  let over = false
  const { clock } = world.mesh
  const hang = (): void => {
    if (over) return
    world.mesh.freeze(id)
    clock.set(world.between(20, 700), () => {
      world.mesh.thaw(id)
      clock.set(world.between(5, 100), hang)
    })
  }
  hang()
  world.lasting(while_(world), () => {
    over = true
    world.mesh.thaw(id)
  })
}

/** At most this many peers join beside the first ones. */
const MOST_JOINERS = 2

function joinAs(world: World, place: 'lowest' | 'highest'): boolean {
  if (world.ids.length >= world.profile.peers + MOST_JOINERS) return false
  const numbers = world.ids.map((id) => Number(id.slice(-2)))
  world.join(world.mesh.name(place === 'lowest' ? Math.min(...numbers) - 1 : Math.max(...numbers) + 1))
  return true
}

/** It goes when it is told that it may; some come back, as long as three stay some do not. */
function leave(world: World, id: PeerId): void {
  const peer = world.mesh.peers.get(id)!
  world.leaving.add(id)
  const left = (clean: boolean): void => {
    world.leaving.delete(id)
    if (world.mesh.peers.get(id) !== peer) return
    const staying = world.ids.length - world.departed.size - 1
    if (clean && staying >= 3 && world.random() < 0.5) world.departed.add(id)
    world.say(`${id} has left${clean ? '' : ', with something left behind'}`)
    world.crash(id, { loseUnsynced: false })
  }
  peer.driver.leave().then(left)
}
