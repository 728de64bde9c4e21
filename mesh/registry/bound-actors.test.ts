// Actors that may not be just anywhere: those bound to a peer (A6) and those that need the mesh's key (A6, A8).

import { expect, test } from 'vitest'
import { actorKey, type BootId, bootId, logKey, peerId, storeId } from '../ids.ts'
import { applyIssued } from './apply.ts'
import { decodeRegistry, emptyRegistry, encodeRegistry } from './state.ts'
import type { ActorOptions, Command, CommandResult } from './types.ts'

const options: ActorOptions = { maxRestarts: -1, class: { level: 'replicated', keepers: 3 }, labels: {} }
const actor = actorKey('Counter', 'a')

class Table {
  table = emptyRegistry(logKey('log-0'))
  #n = 1

  boot = (peer: string): BootId => bootId(peerId(peer), '1')
  apply(command: Command): CommandResult {
    const n = this.#n++
    return applyIssued(this.table, { boot: this.boot('a'), n, floor: n, command })
  }
  admit(name: string, keyId?: string): CommandResult {
    const peer = peerId(name)
    const entry = {
      peer,
      name,
      store: storeId(name),
      boot: this.boot(name),
      addresses: [],
      labels: {},
      types: ['Counter'],
      ...(keyId === undefined ? {} : { keyId }),
      canHost: true,
      canKeep: true,
    }
    return this.apply({ kind: 'admit', entry, previous: [] })
  }
  create(change: Partial<ActorOptions>, home: string): CommandResult {
    const init = new Uint8Array()
    return this.apply({
      kind: 'create',
      again: false,
      actor,
      options: { ...options, ...change },
      init,
      home: this.boot(home),
    })
  }
  assign(home: string): BootId | null {
    const { epoch } = this.table.actors.get(actor)!
    this.apply({ kind: 'assign', actors: [{ actor, epoch, home: this.boot(home) }] })
    return this.table.actors.get(actor)!.home
  }
}
const why = (result: CommandResult): string => (result.ok ? 'ok' : result.why)

test('A6 an actor that is bound to a peer has no home but there, whatever the head wants', () => {
  const at = new Table()
  for (const name of ['a', 'b']) at.admit(name)
  expect(why(at.create({ placement: { peer: peerId('b') } }, 'a'))).toBe('ok')
  expect(at.table.actors.get(actor)!.home).toBeNull()
  expect(at.assign('a')).toBeNull()
  expect(at.assign('b')).toBe(at.boot('b'))
})

test('A6 an encrypted actor has no home without its key', () => {
  const at = new Table()
  at.admit('a', 'k1')
  at.admit('b')
  expect(why(at.create({ keyId: 'k1' }, 'b'))).toBe('ok')
  expect(at.table.actors.get(actor)!.home).toBeNull()
  expect(at.assign('b')).toBeNull()
  expect(at.assign('a')).toBe(at.boot('a'))
})

test('A8 the first peer with a key decides on it while there is no actor; others have that one, or none', () => {
  const at = new Table()
  expect([at.admit('a'), at.admit('b', 'k1'), at.admit('c', 'k2'), at.admit('d', 'k1')].map(why)).toEqual([
    'ok',
    'ok',
    'wrong-key',
    'ok',
  ])
  expect(at.table.keyId).toBe('k1')
  expect(why(at.create({}, 'a'))).toBe('wrong-key')
  expect(why(at.create({ keyId: 'k2' }, 'b'))).toBe('wrong-key')
  expect(why(at.create({ keyId: 'k1' }, 'b'))).toBe('ok')
  at.table = decodeRegistry(encodeRegistry(at.table))
  expect(why(at.admit('e', 'k2'))).toBe('wrong-key')
})

test('A8 a mesh with an actor that is not encrypted takes no peer with a key', () => {
  const at = new Table()
  at.admit('a')
  expect(why(at.create({ keyId: 'k1' }, 'a'))).toBe('wrong-key')
  at.create({}, 'a')
  expect(why(at.admit('b', 'k1'))).toBe('wrong-key')
  expect(why(at.admit('b'))).toBe('ok')
})
