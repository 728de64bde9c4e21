// What one seed runs: how large a mesh, with which settings, under which work and which faults. Swarm testing: every seed
// leaves most kinds of fault out, so that those it has meet each other undisturbed by the rest.

import type { MeshSettings } from '../../../mesh/settings.ts'
import { defaultMeshSettings } from '../../../mesh/settings.ts'
import { seededRandom } from '../random.ts'
import { drawPlacing, type Placing } from './placing.ts'

/** The faults. What each does is in faults.ts. */
export const FAULT_KINDS = [
  'loss',
  'duplicate',
  'reorder',
  'delay',
  'partition',
  'one-way',
  'half-open',
  'reset',
  'kill',
  'kill-at-disk',
  'kill-at-message',
  'kill-all',
  'power',
  'power-all',
  'torn',
  'os-restart',
  'os-restart-all',
  'pause',
  'long-pause',
  'slow-disk',
  'slow-loop',
  'clock-jump',
  'join',
  'join-lower',
  'leave',
  'wipe',
  'bit-flip',
  'old-disk',
  'stop-actor',
  'move-actor',
] as const
/** Drawn after all else, so that what came before them is drawn as it was. */
const LATER_FAULT_KINDS = ['kill-actor', 'end-actor', 'delete-actor'] as const
/** In these seeds actors run in threads of their own. */
const THREAD_FAULT = 'lose-thread'
export type FaultKind =
  | (typeof FAULT_KINDS)[number]
  | (typeof LATER_FAULT_KINDS)[number]
  | typeof THREAD_FAULT

/** A disk, or what it had not synced, is lost for good. Only where every log keeps a majority of whole copies (G1). */
export const DESTRUCTIVE: ReadonlySet<FaultKind> = new Set(['wipe', 'bit-flip', 'old-disk'])
/** Writes that were not synced are lost. */
export const POWER: ReadonlySet<FaultKind> = new Set(['power', 'power-all', 'torn'])
const TAINT: ReadonlySet<FaultKind> = new Set(['os-restart', 'os-restart-all'])

export type Durability = 'replicated' | 'synced' | 'both'

export interface Profile {
  readonly peers: number
  readonly durability: Durability
  readonly settings: Partial<MeshSettings>
  /** Largest one-way delay of the healthy network. */
  readonly delayMs: number
  /** Kinds of fault that happen, with their weights. */
  readonly faults: ReadonlyMap<FaultKind, number>
  readonly steps: number
  /** Between two faults, on average. */
  readonly gapMs: number
  readonly actors: number
  /** Between two calls of a client, on average. */
  readonly paceMs: number
  readonly callTimeoutMs: number
  /** Blocks are written to journals beside the actors' own. */
  readonly rawJournals: boolean
  /** Actors send one way and have alarms, too. */
  readonly agenda: boolean
  /** The key-value store is used, too. */
  readonly kv: boolean
  /** There are daemons among the actors that are called. */
  readonly daemons: boolean
  /** Everything is encrypted, and one peer has not the key. */
  readonly encrypted: boolean
  /** `replicated` ledgers answer before they are written: what only their callers know of may be lost with a host. */
  readonly loose: boolean
  /** This share of the calls asks for a sync before the answer. */
  readonly proven: number
  /** Ledgers keep their state in fields of their own. */
  readonly own: boolean
  /** Every message passes the real codec and its checks: slow, so in one seed of {@link WIRE_EVERY}. */
  readonly wire: boolean
  /** What actors ask of their homes, where they ask for anything. */
  readonly placing: Placing | undefined
  /** Actors without a call for this long are passivated; 0: never. */
  readonly idleMs: number
  /** Snapshots are made in slices, as those of large states are. */
  readonly isSliced: boolean
  /** Ledgers run in threads of their own, which are lost. */
  readonly isolated: boolean
  /** Clients ask for histories, and make copies of actors. */
  readonly looksBack: boolean
  /** Clients delete actors, and make others of their names. */
  readonly renews: boolean
}

export const WIRE_EVERY = 16

/** The ticks of the driver. A slow one makes time-outs late, which they may be anyway, and costs less. */
const TICKS = [100, 100, 50, defaultMeshSettings.tickMs]

/** Has chance of its own. Where what came later is `replicated`, it is in no seed where the power fails everywhere. */
const drawLater = (seed: number, salt: number, share: number): boolean => {
  const random = seededRandom(seed ^ salt)
  random() // the first of neighbouring seeds are alike
  return random() < share
}

export function profileOf(seed: number): Profile {
  const random = seededRandom(seed ^ 0x5eed)
  random() // the first of neighbouring seeds are alike
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!
  const chance = (probability: number): boolean => random() < probability
  const durability = pick<Durability>(['replicated', 'replicated', 'synced', 'both'])
  const first: Profile = {
    peers: pick([3, 3, 3, 3, 3, 3, 4, 4, 5, 5, 5, 6]),
    durability,
    settings: {
      tickMs: pick(TICKS),
      ...(chance(0.4) ? { journalMaxBlocks: 5 + Math.floor(random() * 20) } : {}),
      ...(chance(0.3) ? { registryMaxBlocks: 20 + Math.floor(random() * 60) } : {}),
      ...(chance(0.2) ? { catchUpBytes: 600 } : {}),
      ...(chance(0.2) ? { commandsPerBlock: 2 } : {}),
    },
    delayMs: pick([1, 5, 5, 20, 60]),
    faults: drawFaults(random, durability),
    steps: 6 + Math.floor(random() * 12),
    gapMs: pick([40, 150, 400, 1000]),
    actors: 1 + Math.floor(random() * 4),
    paceMs: pick([60, 150, 400]),
    callTimeoutMs: pick([5000, 20_000]),
    rawJournals: chance(0.15),
    agenda: chance(0.35),
    kv: drawLater(seed, 0x6b76, 0.25) && durability !== 'synced',
    encrypted: drawLater(seed, 0xe4c4, 0.15) && drawPlacing(seed) === undefined,
    daemons: drawLater(seed, 0xdae0, 0.2) && durability !== 'synced',
    wire: seed % WIRE_EVERY === 0,
    placing: drawPlacing(seed),
    idleMs: 0,
    isSliced: seed % 4 === 3,
    looksBack: false,
    renews: drawLater(seed, 0x4e3a, 0.25),
    isolated: drawLater(seed, 0x7eed, 0.15),
    loose: false,
    own: false,
    proven: 0,
  }
  // Around the time between two calls, so that they meet.
  const idleMs = chance(0.3) ? pick([100, 300, 1000]) : 0
  const faults = new Map(first.faults)
  for (const kind of LATER_FAULT_KINDS) if (chance(0.15)) faults.set(kind, 0.2 + random())
  if (first.isolated) faults.set(THREAD_FAULT, 1)
  // A daemon whose peer left waits for it, and with it whoever has something to send to it.
  if (first.daemons && faults.delete('leave') && faults.size === 0) faults.set('kill', 1)
  const loose = durability !== 'synced' && chance(0.25)
  const own = chance(0.2)
  const proven = chance(0.2) ? 0.3 : 0
  return { ...first, idleMs, faults, loose, own, proven, looksBack: chance(0.2) }
}

function drawFaults(random: () => number, durability: Durability): ReadonlyMap<FaultKind, number> {
  const faults = new Map<FaultKind, number>()
  const share = 0.1 + random() * 0.4
  // A `replicated` log needs untainted copies, so its seeds lose disks or restart systems, and never both.
  const mayLoseDisks = durability === 'synced' || random() < 0.5
  for (const kind of FAULT_KINDS) {
    const draw = random()
    const weight = 0.2 + random()
    if (draw >= share) continue
    if (durability !== 'synced') {
      if (kind === 'power-all') continue
      if (mayLoseDisks ? POWER.has(kind) || TAINT.has(kind) : DESTRUCTIVE.has(kind)) continue
    }
    faults.set(kind, DESTRUCTIVE.has(kind) ? weight / 2 : weight)
  }
  if (faults.size === 0) faults.set('kill', 1)
  return faults
}
