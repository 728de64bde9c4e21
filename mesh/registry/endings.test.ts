import fc from 'fast-check'
import { expect, test } from 'vitest'
import { actorKey, bootId, logKey, peerId, storeId } from '../ids.ts'
import { applyIssued } from './apply.ts'
import { decodeRegistry, emptyRegistry, encodeRegistry } from './state.ts'
import type { ActorEntry, Command, CommandResult } from './types.ts'

const key = actorKey('Counter', 'a')
const boot = bootId(peerId('a'), '1')
const journal = logKey('j')
const kept = { level: 'replicated', keepers: 1 } as const

function tableWith(maxRestarts = -1) {
  const table = emptyRegistry(logKey('log-0'))
  let n = 0
  const apply = (command: Command): CommandResult => applyIssued(table, { boot, n: ++n, floor: n, command })
  const keepers = [{ peer: peerId('a'), store: storeId('a') }]
  const entry = {
    peer: peerId('a'),
    name: 'a',
    store: storeId('a'),
    boot,
    addresses: [],
    labels: {},
    types: ['Counter'],
    canHost: true,
    canKeep: true,
  }
  const create = (): CommandResult =>
    apply({
      kind: 'create',
      again: true,
      actor: key,
      options: { maxRestarts, class: kept, labels: {} },
      init: new Uint8Array(),
      home: boot,
    })
  const actor = (): ActorEntry => table.actors.get(key)!
  const release = (): CommandResult =>
    apply({
      kind: 'released',
      boot,
      journal,
      length: 1,
      actors: [{ actor: key, epoch: actor().epoch, home: boot }],
    })
  const kill = (restart: boolean): CommandResult =>
    apply({ kind: 'kill', actor: key, incarnation: actor().incarnation, epoch: actor().epoch, restart })
  apply({ kind: 'admit', entry, previous: [] })
  apply({ kind: 'open', journal, boot, class: kept, keepers })
  create()
  return { table, apply, create, actor, release, kill }
}

test('A1 a kill ends the assignment only with the release; it counts as a restart', () => {
  const { actor, kill, release } = tableWith()
  kill(true)
  expect(actor()).toMatchObject({ epoch: 1, home: boot, status: { kind: 'moving', killed: true } })
  release()
  expect(actor()).toMatchObject({
    epoch: 2,
    restarts: 1,
    failures: { count: 1 },
    status: { kind: 'running' },
  })
})

test('a kill that comes late, for an epoch that is over, changes nothing', () => {
  const { actor, apply, kill, release } = tableWith()
  kill(true)
  release()
  apply({ kind: 'kill', actor: key, incarnation: 1, epoch: 1, restart: true })
  expect(actor().status).toEqual({ kind: 'running' })
  apply({ kind: 'kill', actor: key, incarnation: 7, epoch: 2, restart: false })
  expect(actor().status).toEqual({ kind: 'running' })
})

test('a kill without restart ends in death, also of what was being stopped or deleted', () => {
  const { actor, apply, kill, release, table } = tableWith()
  kill(false)
  expect(actor().home).toBe(boot)
  release()
  expect(actor()).toMatchObject({ home: null, sources: [], status: { kind: 'dead', cause: 'it was killed' } })
  apply({ kind: 'delete', actor: key, incarnation: 1 })
  expect(table.actors.size).toBe(0)
})

test('A7 a deleted name gets higher numbers', () => {
  const { actor, apply, create, release, table } = tableWith()
  const before = actor()
  apply({ kind: 'delete', actor: key, incarnation: 1 })
  expect(actor().status).toEqual({ kind: 'stopping', deleted: true })
  release()
  expect(table.actors.size).toBe(0)
  create()
  expect(actor().incarnation).toBeGreaterThan(before.incarnation)
  expect(actor().epoch).toBeGreaterThan(before.epoch)
  apply({ kind: 'delete', actor: key, incarnation: 1 })
  apply({ kind: 'stop', actor: key, incarnation: 1 })
  expect(actor().status).toEqual({ kind: 'running' })
})

test('A7 names beyond those that are remembered raise the numbers of all, and what is remembered is bounded', () => {
  const { table, apply, create, actor, release } = tableWith()
  for (let n = 0; n < 1100; n++) {
    const key = actorKey('Counter', `n${n}`)
    apply({
      kind: 'create',
      again: false,
      actor: key,
      options: actor().options,
      init: new Uint8Array(),
      home: null,
    })
    expect(table.actors.get(key)?.incarnation).toBeLessThanOrEqual(2)
    apply({ kind: 'delete', actor: key, incarnation: table.actors.get(key)!.incarnation })
  }
  expect(table.forgotten.names.size).toBe(1024)
  const again = actorKey('Counter', 'n0')
  apply({
    kind: 'create',
    again: false,
    actor: again,
    options: actor().options,
    init: new Uint8Array(),
    home: null,
  })
  expect(table.actors.get(again)?.incarnation).toBe(2)
  apply({ kind: 'delete', actor: actor().key, incarnation: 1 })
  release()
  create()
  expect(actor().incarnation).toBe(2)
  const copy = decodeRegistry(encodeRegistry(table))
  expect(copy.forgotten).toEqual(table.forgotten)
})

test('A7 no life of a name has the incarnation or an epoch of another one, however many names come and go', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ what: fc.constantFrom('life', 'moves', 'snapshot', 'crowd'), name: fc.nat(5) }), {
        maxLength: 30,
      }),
      (steps) => {
        let { table } = tableWith()
        const apply = (command: Command): CommandResult => {
          const boots = [...table.boots.keys()]
          const n = (table.issued.get(boots[0]!)?.floor ?? 0) + 1
          return applyIssued(table, { boot, n, floor: n + 1, command })
        }
        const highest = new Map<string, { incarnation: number; epoch: number }>()
        const live = (name: string, moves: number): void => {
          const of = actorKey('Counter', name)
          const options = { maxRestarts: -1, class: kept, labels: {} }
          apply({ kind: 'create', again: true, actor: of, options, init: new Uint8Array(), home: boot })
          for (let move = 0; move <= moves; move++) {
            const { incarnation, epoch } = table.actors.get(of)!
            const before = highest.get(of) ?? { incarnation: 0, epoch: 0 }
            expect(epoch).toBeGreaterThan(before.epoch)
            if (move === 0) expect(incarnation).toBeGreaterThan(before.incarnation)
            highest.set(of, { incarnation, epoch })
            apply(
              move < moves ? { kind: 'move', actor: of, epoch } : { kind: 'delete', actor: of, incarnation },
            )
            const actors = [{ actor: of, epoch, home: boot }]
            apply({ kind: 'released', boot, journal, length: 1, actors })
          }
          expect(table.actors.has(of)).toBe(false)
        }
        for (const { what, name } of steps) {
          if (what === 'life') live(`n${name}`, 0)
          else if (what === 'moves') live(`n${name}`, 1 + name)
          else if (what === 'snapshot') table = decodeRegistry(structuredClone(encodeRegistry(table)))
          else for (let other = 0; other < 700; other++) live(`other-${name % 2}-${other}`, 0)
        }
      },
    ),
    {
      numRuns: 60,
      // One with high numbers is forgotten before others with low ones, and comes back.
      examples: [
        [
          [
            { what: 'moves', name: 5 },
            { what: 'crowd', name: 0 },
            { what: 'crowd', name: 1 },
            { what: 'life', name: 5 },
          ],
        ],
      ],
    },
  )
})

test('failed starts count until one was good for a while; beyond maxRestarts the actor is dead with the last cause', () => {
  const { actor, apply, release } = tableWith(2)
  const failed = (cause: string): CommandResult =>
    apply({ kind: 'failed', actor: key, epoch: actor().epoch, cause, again: true, counts: true })
  const started = (steady: boolean): CommandResult =>
    apply({ kind: 'started', boot, steady, actors: [{ actor: key, epoch: actor().epoch }] })
  failed('no database')
  expect(actor().failures).toEqual({ count: 1, cause: 'no database' })
  started(false)
  expect(actor().failures).toEqual({ count: 1, cause: '' })
  started(true)
  expect(actor().failures).toBeUndefined()
  for (const cause of ['one', 'two', 'three']) failed(cause)
  const cause = 'it does not start and its 2 restart(s) are used up. The last start: three'
  expect(actor()).toMatchObject({ home: boot, status: { kind: 'stopping', cause } })
  release()
  expect(actor()).toMatchObject({ home: null, status: { kind: 'dead', cause } })
})

test('R4 a start that can not work gives the actor up as well only with the release of its home', () => {
  const { actor, apply, release, create } = tableWith()
  const failed = (): CommandResult =>
    apply({
      kind: 'failed',
      actor: key,
      epoch: actor().epoch,
      cause: 'no such type',
      again: false,
      counts: true,
    })
  failed()
  expect(actor()).toMatchObject({ home: boot, status: { kind: 'stopping', cause: 'no such type' } })
  failed()
  release()
  expect(actor().status).toEqual({ kind: 'dead', cause: 'no such type' })

  // Whoever stops it meanwhile has it stopped.
  create()
  failed()
  apply({ kind: 'stop', actor: key, incarnation: actor().incarnation })
  release()
  expect(actor().status).toEqual({ kind: 'stopped' })
})
