import fc from 'fast-check'
import { expect, test } from 'vitest'
import { actorKey, type BootId, bootId, peerId } from '../ids.ts'
import { ActorTable } from './actor-table.ts'
import type { ActorEntry } from './types.ts'

const boots = ['a', 'b', 'c'].map((peer) => bootId(peerId(peer), '1'))
const entry = fc
  .record({
    name: fc.integer({ min: 0, max: 5 }),
    home: fc.option(fc.constantFrom(...boots)),
    slots: fc.constantFrom(0.1, 0.2, 1),
    apart: fc.boolean(),
  })
  .map(
    ({ name, home, slots, apart }): ActorEntry => ({
      key: actorKey('Counter', `${name}`),
      options: {
        maxRestarts: -1,
        class: { level: 'replicated', keepers: 3 },
        labels: {},
        placement: { resources: { slots }, ...(apart && { apartFrom: ['Clock'] }) },
      },
      init: new Uint8Array(),
      incarnation: 1,
      epoch: 1,
      home,
      sources: [],
      base: 0,
      restarts: 0,
      status: { kind: 'running' },
    }),
  )

/** As the sums are, counted again. */
function counted(entries: readonly ActorEntry[], boot: BootId) {
  const there = entries.filter(({ home }) => home === boot)
  const slots = there.reduce((sum, { options }) => sum + options.placement!.resources!['slots']!, 0)
  return {
    load: there.length,
    slots: Math.round(slots * 1000),
    shuns: there.some(({ options }) => options.placement?.apartFrom !== undefined),
  }
}

test('after any changes the sums are those of the entries, and of a copy made of them', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 4, arbitrary: entry }, fc.integer({ min: 0, max: 5 }))),
      (changes) => {
        const table = new ActorTable()
        for (const change of changes)
          if (typeof change === 'number') table.delete(actorKey('Counter', `${change}`))
          else table.set(change.key, change)
        const entries = [...table.values()]
        for (const each of [table, ActorTable.of(entries)])
          for (const boot of boots) {
            const there = each.at(boot)
            expect({ load: there.load, slots: there.used('slots'), shuns: there.shuns('Clock') }).toEqual(
              counted(entries, boot),
            )
          }
        table.clear()
        expect(boots.map((boot) => table.at(boot).load)).toEqual([0, 0, 0])
      },
    ),
  )
})
