import { describe, expect, test } from 'vitest'
import { actorKey, logKey } from '../../mesh/ids.ts'
import { emptyRegistry } from '../../mesh/registry/state.ts'
import type { ListOperation } from '../check/linearizability.ts'
import { Lives } from './lives.ts'

const key = actorKey('Ledger', 'a')

/** Lives of one name whose incarnations began in these epochs. */
function lives(...epochs: readonly number[]): Lives {
  const made = new Lives()
  for (const [index, epoch] of epochs.entries()) {
    const state = emptyRegistry(logKey('log-0'))
    const options = { maxRestarts: -1, class: { level: 'replicated', keepers: 3 }, labels: {} } as const
    state.actors.set(key, {
      key,
      incarnation: index + 1,
      epoch,
      options,
      init: new Uint8Array(),
      home: null,
      sources: [],
      base: 0,
      restarts: 0,
      status: { kind: 'running' },
    })
    made.watch(state)
  }
  return made
}
const read = (life: number, start: number, end = start + 1): ListOperation => ({
  kind: 'read',
  what: 'read',
  start,
  end,
  place: { life, size: 0 },
})

describe('lives of a name', () => {
  test('a name that was deleted goes on in its next life', () => {
    const of = lives(1, 4)
    of.asked(key)
    of.deleted(key, 2, 3)
    expect(of.check(key, [read(1, 0), read(4, 5)])).toEqual([])
  })

  test('what runs beside a deletion may see either life', () => {
    const of = lives(1, 4)
    of.asked(key)
    of.deleted(key, 2, 6)
    expect(of.check(key, [read(1, 3, 9), read(4, 5)])).toEqual([])
  })

  test('a state that was begun anew in the same incarnation is found', () => {
    const of = lives(1)
    const state = emptyRegistry(logKey('log-0'))
    const first = { incarnation: 1, epoch: 2 }
    of.asked(key)
    const entry = { key, ...first, home: null, sources: [], base: 0, restarts: 0 } as const
    const options = { maxRestarts: -1, class: { level: 'replicated', keepers: 3 }, labels: {} } as const
    state.actors.set(key, { ...entry, options, init: new Uint8Array(), status: { kind: 'running' } })
    of.watch(state)
    expect(of.check(key, [read(1, 0), read(2, 5)]).join()).toContain(
      'incarnation 1 began in epoch 1 and again',
    )
  })

  test('a life that nobody ended, and one that no registry had, are found', () => {
    expect(
      lives(1, 4)
        .check(key, [read(1, 0), read(4, 5)])
        .join(),
    ).toContain('2 lives, and 0 were asked')
    expect(
      lives(1)
        .check(key, [read(3, 0)])
        .join(),
    ).toContain('no registry had it under epoch 3')
  })

  test('what was deleted and is seen again is found', () => {
    const of = lives(1, 4)
    of.asked(key)
    of.deleted(key, 2, 3)
    expect(of.check(key, [read(1, 0), read(1, 5)]).join()).toContain('saw life 1, which was deleted')
  })
})
