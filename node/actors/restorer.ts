// Finds an actor's state at a new home: sources by epoch, newest first, then by opening order, newest first; the first
// that has a record of that very epoch wins. No source has one: the actor never wrote anything and starts from its
// arguments.

import type { Slicing } from '../../checkpoint/actor-log.ts'
import type { Cipher } from '../../checkpoint/cipher.ts'
import type { MakeRef } from '../../checkpoint/reference.ts'
import { type Restored, replaying } from '../../checkpoint/replay.ts'
import { inSlices } from '../../checkpoint/slices.ts'
import type { ActorEntry, Source } from '../../mesh/registry/types.ts'
import type { JournalReader } from './journal-reader.ts'
import type { Passive } from './passive.ts'

export interface RestoredFrom extends Restored {
  readonly source: Source
}

export interface RestoringServices {
  readonly reader: JournalReader
  readonly makeRef: MakeRef
  readonly slicing: Pick<Slicing, 'pause'>
}

/** Undefined when nothing was ever written. Throws SourceUnreachable when a source can't be read at present. */
export async function restore(
  { reader, makeRef, slicing }: RestoringServices,
  entry: ActorEntry,
  cipher: Cipher | undefined,
): Promise<RestoredFrom | undefined> {
  const sources = [...entry.sources].sort((a, b) => b.epoch - a.epoch || b.order - a.order)
  for (const source of sources) {
    const life = { actor: entry.key, incarnation: entry.incarnation, epoch: source.epoch }
    const blocks = source.length === 0 ? [] : await reader.read(source, life)
    const restored = await inSlices(replaying(life, blocks, makeRef, cipher), slicing.pause)
    if (restored !== undefined) return { ...restored, source }
  }
  return undefined
}

/** The state of an actor that was passivated here, from this store's own copy. */
export async function readBack(
  { reader, makeRef, slicing }: RestoringServices,
  { key, incarnation, epoch }: ActorEntry,
  { journal, index, sequence }: Passive,
  cipher: Cipher | undefined,
): Promise<Restored> {
  const life = { actor: key, incarnation, epoch }
  const blocks = await reader.readSnapshot(journal, index, life)
  const restored = await inSlices(replaying(life, blocks, makeRef, cipher), slicing.pause)
  if (restored?.sequence === sequence) return restored
  throw new Error(`record ${sequence} of ${key} is not in block ${index} of ${journal}, where it was written`)
}
