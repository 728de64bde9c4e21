// The registry's table as apply.ts edits it, and its form inside a snapshot. Only `apply` and `decodeRegistry` make one;
// everybody else reads it as a RegistryState.

import type { ActorKey, BootId, LogKey, PeerId } from '../ids.ts'
import { ActorTable } from './actor-table.ts'
import type {
  ActorEntry,
  BootEntry,
  CommandResult,
  JournalEntry,
  LifeNumbers,
  PeerEntry,
  RegistryState,
  Report,
} from './types.ts'

export interface Issued {
  floor: number
  results: Map<number, CommandResult>
}

export interface RegistryTable extends RegistryState {
  meshId: LogKey
  keyId: string | undefined
  peers: Map<PeerId, PeerEntry>
  boots: Map<BootId, BootEntry>
  journals: Map<LogKey, JournalEntry>
  actors: ActorTable
  forgotten: { names: Map<ActorKey, LifeNumbers>; floor: LifeNumbers }
  reports: Report[]
  nextOrder: number
  nextReport: number
  lostOrders: number[]
  cutJournals: Map<LogKey, number>
  issued: Map<BootId, Issued>
}

const NO_NUMBERS: LifeNumbers = { incarnation: 0, epoch: 0 }

/** Most registries have nothing of it. */
function forgottenIn({ forgotten: { names, floor } }: RegistryTable): Pick<Encoded, 'forgotten'> {
  return names.size === 0 && floor.incarnation === 0 ? {} : { forgotten: { names: [...names], floor } }
}

export function emptyRegistry(meshId: LogKey): RegistryTable {
  return {
    meshId,
    keyId: undefined,
    peers: new Map(),
    boots: new Map(),
    journals: new Map(),
    actors: new ActorTable(),
    forgotten: { names: new Map(), floor: NO_NUMBERS },
    reports: [],
    nextOrder: 1,
    nextReport: 1,
    lostOrders: [],
    cutJournals: new Map(),
    issued: new Map(),
  }
}

/** A plain value that any codec can encode; the same table always gives the same value. */
export function encodeRegistry(table: RegistryTable): unknown {
  return {
    meshId: table.meshId,
    ...(table.keyId === undefined ? {} : { keyId: table.keyId }),
    peers: [...table.peers.values()],
    boots: [...table.boots.values()],
    journals: [...table.journals.values()],
    actors: [...table.actors.values()],
    ...forgottenIn(table),
    reports: table.reports,
    nextOrder: table.nextOrder,
    nextReport: table.nextReport,
    lostOrders: table.lostOrders,
    cutJournals: [...table.cutJournals],
    issued: [...table.issued].map(([boot, issued]) => ({
      boot,
      floor: issued.floor,
      results: [...issued.results],
    })),
  }
}

type Encoded = {
  meshId: LogKey
  keyId?: string
  peers: PeerEntry[]
  boots: BootEntry[]
  journals: JournalEntry[]
  actors: ActorEntry[]
  forgotten?: { names: [ActorKey, LifeNumbers][]; floor: LifeNumbers }
  reports: Report[]
  nextOrder: number
  nextReport: number
  lostOrders: number[]
  cutJournals: [LogKey, number][]
  issued: { boot: BootId; floor: number; results: [number, CommandResult][] }[]
}

/** The inverse of {@link encodeRegistry}. The value comes from a log this mesh wrote, not from a peer's mouth. */
export function decodeRegistry(value: unknown): RegistryTable {
  const encoded = value as Encoded
  return {
    meshId: encoded.meshId,
    keyId: encoded.keyId,
    peers: new Map(encoded.peers.map((entry) => [entry.peer, entry])),
    boots: new Map(encoded.boots.map((entry) => [entry.boot, entry])),
    journals: new Map(encoded.journals.map((entry) => [entry.key, entry])),
    actors: ActorTable.of(encoded.actors),
    forgotten: {
      names: new Map(encoded.forgotten?.names),
      floor: encoded.forgotten?.floor ?? NO_NUMBERS,
    },
    reports: [...encoded.reports],
    nextOrder: encoded.nextOrder,
    nextReport: encoded.nextReport,
    lostOrders: [...encoded.lostOrders],
    cutJournals: new Map(encoded.cutJournals),
    issued: new Map(
      encoded.issued.map(({ boot, floor, results }) => [boot, { floor, results: new Map(results) }]),
    ),
  }
}
