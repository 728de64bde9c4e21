import { expect, test } from 'vitest'
import { JournalIndexes } from '../../checkpoint/journal-index.ts'
import { MemoryDisk } from '../../checkpoint/memory-disk.ts'
import { openMemoryStore } from '../../checkpoint/memory-store.ts'
import type { LogStore } from '../../checkpoint/port.ts'
import { cut, encodeBlock, PART_BYTES } from '../../checkpoint/records.ts'
import { actorKey, bootId, logKey, peerId } from '../../mesh/ids.ts'
import type { MeshHandle } from '../mesh-handle.ts'
import { BlockCache } from './block-cache.ts'
import { JournalReader } from './journal-reader.ts'

const self = peerId('a')

function readerOf(store: LogStore, parts: Partial<MeshHandle>): JournalReader {
  const mesh = { self, boot: bootId(self, '0'.repeat(32)), onService: () => {}, ...parts }
  return new JournalReader({
    mesh: mesh as unknown as MeshHandle,
    store,
    clock: { now: () => 0, wall: () => 0, setTimer: () => ({ cancel: () => {} }) },
    indexes: new JournalIndexes(store),
    cache: new BlockCache(1024),
  })
}

test('R10 readBeyondL: what this store holds beyond the length at which a journal ended is not read', async () => {
  const store = await openMemoryStore({ disk: new MemoryDisk(), random: () => '0'.repeat(32) })
  const life = { actor: actorKey('T', 'a'), incarnation: 1, epoch: 1 }
  const journal = await store.createLog()
  for (const sequence of [1, 2]) {
    const record = {
      head: { ...life, sequence, kind: 'snapshot' as const },
      body: new Uint8Array([sequence]),
    }
    await store.append(journal, encodeBlock(cut(record, PART_BYTES)))
  }
  const reader = readerOf(store, {})
  const first = await store.read(journal, 0, 1)
  expect(await reader.read({ journal, length: 1, epoch: 1, order: 1 }, life)).toEqual(first)
})

test('who is held to be dead is asked last: its stream may be open, and an answer would be waited for', async () => {
  const store = await openMemoryStore({ disk: new MemoryDisk(), random: () => '0'.repeat(32) })
  const journal = logKey('j')
  const keepers = ['frozen', 'a', 'b', 'gone'].map((peer) => ({ peer: peerId(peer) }))
  const liveness = { frozen: 'dead', a: 'alive', b: 'alive' }
  const reader = readerOf(store, {
    registry: { journals: new Map([[journal, { keepers }]]) } as never,
    members: () => Object.entries(liveness).map(([peer, is]) => ({ peer, liveness: is })) as never,
  })
  const asked: string[] = []
  const refuse = async (peer: string): Promise<never> => {
    asked.push(peer)
    throw new Error('no')
  }
  await expect(reader.fromHolder(journal, refuse)).rejects.toThrow('no')
  expect(asked).toEqual(['b', 'frozen', 'gone'])
})
