import { expect, test } from 'vitest'
import { actorKey, bootId, logKey, peerId } from '../../mesh/ids.ts'
import type { ActorEntry, RegistryState } from '../../mesh/registry/types.ts'
import { Copier, type CopierInit } from './copier.ts'
import { VirtualClock } from './test-support/virtual-clock.ts'

const boot = bootId(peerId('a'), '1')
const old = { journal: logKey('old'), length: 1, epoch: 1, order: 1 }

const entryOf = (name: string, incarnation: number): ActorEntry => ({
  key: actorKey('Counter', name),
  options: { maxRestarts: -1, class: { level: 'replicated', keepers: 1 }, labels: {} },
  init: new Uint8Array(),
  incarnation,
  epoch: incarnation * 2 - 1,
  home: boot,
  sources: [old],
  base: 0,
  restarts: 0,
  status: { kind: 'running' },
})

test('T2 who waits for its turn is copied as the life that it is by then', async () => {
  const clock = new VirtualClock()
  const actors = new Map<string, ActorEntry>()
  const registry = { actors, journals: new Map() } as unknown as RegistryState
  const begun: ActorEntry[] = []
  const done: (() => void)[] = []
  const homed = (entry: ActorEntry) => {
    begun.push(entry)
    const copied = new Promise((_resolve, reject) => done.push(() => reject(new Error('it ended'))))
    return { copy: () => copied }
  }
  const copier = new Copier({ mesh: { registry }, clock, boot, homed } as unknown as CopierInit)
  const first = Array.from({ length: 12 }, (_, index) => entryOf(`${index}`, 1))
  for (const entry of first) {
    actors.set(entry.key, entry)
    copier.consider(entry, undefined, registry)
  }
  expect(begun).toEqual(first.slice(0, 8))

  // Of those that wait one is deleted and made anew, one is gone, one lives elsewhere.
  const again = { ...entryOf('8', 2), sources: [] }
  actors.set(again.key, again)
  actors.delete(first[9]!.key)
  actors.set(first[10]!.key, { ...first[10]!, home: bootId(peerId('b'), '1') })
  for (const end of done.splice(0)) end()
  await clock.run(0)
  expect(begun.slice(8, 10)).toEqual([again, first[11]])
  copier.stop()
})
