import { describe, expect, test } from 'vitest'
import { type ActorKey, actorKey, bootId, logKey, peerId, storeId } from '../ids.ts'
import type { Placement } from '../occupancy.ts'
import type { Resources } from '../resources.ts'
import { applyIssued, neededJournals } from './apply.ts'
import { decodeRegistry, emptyRegistry, encodeRegistry, type RegistryTable } from './state.ts'
import type { ActorOptions, Command, CommandResult, JournalClass } from './types.ts'

const plain: JournalClass = { level: 'replicated', keepers: 3 }
const options: ActorOptions = { maxRestarts: -1, class: plain, labels: {} }
const key = actorKey('Counter', 'a')
const none = new Uint8Array()

/** A mesh of peers `a`, `b`, … with one admitted boot each, and a way to apply commands as any boot. */
class Table {
  readonly table: RegistryTable = emptyRegistry(logKey('log-0'))
  #n = 1

  apply(boot: string, command: Command): CommandResult {
    const n = this.#n++
    return applyIssued(this.table, { boot: this.boot(boot), n, floor: n, command })
  }
  boot = (text: string) => bootId(peerId(text.slice(0, 1)), text.slice(1) || '1')
  admit(
    boot: string,
    store = boot.slice(0, 1),
    previous: string[] = [],
    resources?: Resources,
  ): CommandResult {
    const peer = peerId(boot.slice(0, 1))
    const entry = {
      peer,
      name: peer,
      store: storeId(store),
      boot: this.boot(boot),
      addresses: [],
      labels: {},
      types: ['Counter'],
      ...(resources && { resources }),
      canHost: true,
      canKeep: true,
    }
    return this.apply(boot, { kind: 'admit', entry, previous: previous.map(this.boot) })
  }
  leaving(boot: string): CommandResult {
    return this.apply(boot, { kind: 'leaving', peer: peerId(boot.slice(0, 1)), boot: this.boot(boot) })
  }
  left(boot: string): CommandResult {
    return this.apply(boot, { kind: 'left', peer: peerId(boot.slice(0, 1)), boot: this.boot(boot) })
  }
  open(boot: string, journal: string): CommandResult {
    const keepers = ['a', 'b', 'c'].map((peer) => ({ peer: peerId(peer), store: storeId(peer) }))
    return this.apply(boot, {
      kind: 'open',
      journal: logKey(journal),
      boot: this.boot(boot),
      class: plain,
      keepers,
    })
  }
  create(home: string | null): CommandResult {
    return this.apply('a', {
      kind: 'create',
      again: true,
      actor: key,
      options,
      init: none,
      home: home === null ? null : this.boot(home),
    })
  }
  recover(boot: string, journals: Record<string, number>, home?: string): CommandResult {
    return this.apply('a', {
      kind: 'recover',
      boot: this.boot(boot),
      journals: Object.fromEntries(
        Object.entries(journals).map(([log, length]) => [log, { length, hash: 'h' }]),
      ),
      cause: 'its peer is dead',
      at: 0,
      homes: home === undefined ? {} : { [key]: this.boot(home) },
    })
  }
  trim(boot: string, journal: string, epoch: number): CommandResult {
    return this.apply(boot, {
      kind: 'trim',
      journal: logKey(journal),
      boot: this.boot(boot),
      actors: [{ actor: key, epoch }],
    })
  }
  get actor() {
    return this.table.actors.get(key)!
  }
  sources(): string[] {
    return this.actor.sources.map(({ journal, length, epoch }) => `${journal}<${length}@${epoch}`)
  }
}

function mesh(): Table {
  const table = new Table()
  for (const peer of ['a', 'b', 'c']) expect(table.admit(peer).ok).toBe(true)
  return table
}

describe('the end of an assignment (A1, A2, R4)', () => {
  test('recover gives a new epoch, the sealed journals as sources, and a home', () => {
    const table = mesh()
    table.open('b', 'J')
    table.create('b')
    expect(table.actor).toMatchObject({ epoch: 1, home: table.boot('b') })
    expect(table.recover('b', { J: 7 }, 'c').ok).toBe(true)
    expect(table.actor).toMatchObject({ epoch: 2, home: table.boot('c'), restarts: 1 })
    expect(table.sources()).toEqual(['J<7@1'])
    expect(table.table.reports[0]?.actors).toEqual([
      { actor: key, outcome: 'recovered', detail: expect.stringContaining('J') },
    ])
  })

  test('an actor with a home is not assigned another one', () => {
    const table = mesh()
    table.create('b')
    table.apply('a', { kind: 'assign', actors: [{ actor: key, epoch: 1, home: table.boot('c') }] })
    expect(table.actor.home).toBe(table.boot('b'))
  })

  test('an assignment made for an older epoch does nothing', () => {
    const table = mesh()
    table.open('b', 'J')
    table.create('b')
    table.recover('b', { J: 1 })
    expect(table.actor.home).toBeNull()
    table.apply('a', { kind: 'assign', actors: [{ actor: key, epoch: 1, home: table.boot('c') }] })
    expect(table.actor.home).toBeNull()
    table.apply('a', { kind: 'assign', actors: [{ actor: key, epoch: 2, home: table.boot('c') }] })
    expect(table.actor).toMatchObject({ home: table.boot('c'), epoch: 2 })
  })

  test('a release counts only from the home, in its journal, under its epoch', () => {
    const table = mesh()
    table.open('b', 'J')
    table.open('c', 'K')
    table.create('b')
    table.apply('a', { kind: 'move', actor: key, epoch: 1, to: peerId('c') })
    const release = (boot: string, journal: string, epoch: number) =>
      table.apply(boot, {
        kind: 'released',
        boot: table.boot(boot),
        journal: logKey(journal),
        length: 4,
        actors: [{ actor: key, epoch, home: table.boot('c') }],
      })
    release('c', 'K', 1)
    release('b', 'J', 9)
    expect(release('b', 'K', 1).ok).toBe(false)
    expect(table.actor.home).toBe(table.boot('b'))
    release('b', 'J', 1)
    expect(table.actor).toMatchObject({ home: table.boot('c'), epoch: 2, status: { kind: 'running' } })
    expect(table.sources()).toEqual(['J<4@1'])
  })

  test('a recovered boot is no home for its own actors', () => {
    const table = new Table()
    for (const boot of ['a', 'b']) table.admit(boot)
    table.create('b')
    table.recover('b', {}, 'b')
    expect(table.table.actors.get(key)).toMatchObject({ home: null, status: { kind: 'running' } })
    expect(table.table.reports.at(-1)?.actors).toMatchObject([{ actor: key, outcome: 'waiting' }])
  })

  test('what was stopping is stopped by recovery, never restarted', () => {
    const table = mesh()
    table.open('b', 'J')
    table.create('b')
    table.apply('a', { kind: 'stop', actor: key, incarnation: 1 })
    expect(table.actor.status.kind).toBe('stopping')
    table.recover('b', { J: 3 }, 'c')
    expect(table.actor).toMatchObject({ status: { kind: 'stopped' }, home: null, sources: [] })
  })

  test('a stopped name is free for a new incarnation with nothing of the old', () => {
    const table = mesh()
    table.create(null)
    expect(table.create(null)).toMatchObject({ ok: false, why: 'name-taken' })
    table.apply('a', { kind: 'stop', actor: key, incarnation: 1 })
    expect(table.create('b').ok).toBe(true)
    expect(table.actor).toMatchObject({
      incarnation: 2,
      sources: [],
      home: table.boot('b'),
      status: { kind: 'running' },
    })
  })

  test('restarts used up end the actor with its cause', () => {
    const table = mesh()
    table.open('b', 'J')
    table.apply('a', {
      kind: 'create',
      again: true,
      actor: key,
      options: { ...options, maxRestarts: 0 },
      init: none,
      home: table.boot('b'),
    })
    table.recover('b', { J: 1 }, 'c')
    expect(table.actor.status).toMatchObject({ kind: 'dead', cause: expect.stringContaining('restart') })
    expect(table.actor.home).toBeNull()
    expect([...neededJournals(table.table)]).toEqual([])
  })

  test('an actor that can not be made ends with the release of its host, and needs nothing afterwards', () => {
    const table = mesh()
    table.open('b', 'J')
    table.create('b')
    table.apply('b', { kind: 'failed', actor: key, epoch: 1, cause: 'it throws', again: false, counts: true })
    expect(table.actor).toMatchObject({ home: table.boot('b'), status: { kind: 'stopping' } })
    expect([...neededJournals(table.table)]).toEqual([logKey('J')])
    const actors = [{ actor: key, epoch: 1, home: null }]
    table.apply('b', { kind: 'released', boot: table.boot('b'), journal: logKey('J'), length: 0, actors })
    table.apply('b', { kind: 'close', journal: logKey('J'), length: 9 })
    expect(table.actor).toMatchObject({ home: null, status: { kind: 'dead', cause: 'it throws' } })
    expect([...neededJournals(table.table)]).toEqual([])
  })

  test('an actor that can not be made while it is being stopped is stopped', () => {
    const table = mesh()
    table.open('b', 'J')
    table.create('b')
    table.apply('a', { kind: 'stop', actor: key, incarnation: 1 })
    table.apply('b', { kind: 'failed', actor: key, epoch: 1, cause: 'it throws', again: false, counts: true })
    const actors = [{ actor: key, epoch: 1, home: null }]
    table.apply('b', { kind: 'released', boot: table.boot('b'), journal: logKey('J'), length: 0, actors })
    expect(table.actor).toMatchObject({ home: null, status: { kind: 'stopped' } })
  })
})

describe('recover names exactly the open journals of the boot (A3)', () => {
  test('one journal missing, or one too many, is rejected', () => {
    const table = mesh()
    table.open('b', 'J')
    table.open('b', 'K')
    expect(table.recover('b', { J: 1 })).toMatchObject({ ok: false, why: 'journals-changed' })
    expect(table.recover('b', { J: 1, K: 1, L: 1 })).toMatchObject({ ok: false, why: 'journals-changed' })
    expect(table.recover('b', { J: 1, K: 1 }).ok).toBe(true)
  })

  test('afterwards nothing of that boot is accepted', () => {
    const table = mesh()
    table.recover('b', {})
    expect(table.open('b', 'J')).toMatchObject({ ok: false, why: 'boot-dead' })
    expect(table.admit('b', 'b', ['b'])).toMatchObject({ ok: false, why: 'boot-dead' })
    table.create('b')
    expect(table.actor.home).toBeNull()
  })
})

describe('journals are retired only when nothing may be read from them (A4)', () => {
  test('an open journal, and a source, are needed; after the trim they are not', () => {
    const table = mesh()
    table.open('b', 'J')
    table.create('b')
    expect(table.apply('a', { kind: 'retire', journals: [logKey('J')] })).toMatchObject({
      ok: false,
      why: 'journal-in-use',
    })
    table.recover('b', { J: 5 }, 'c')
    expect(table.apply('a', { kind: 'retire', journals: [logKey('J')] })).toMatchObject({
      ok: false,
      why: 'journal-in-use',
    })
    table.open('c', 'K')
    expect(table.trim('b', 'K', 2)).toMatchObject({ ok: false })
    table.trim('c', 'K', 1)
    expect(table.sources()).toEqual(['J<5@1'])
    table.trim('c', 'K', 2)
    expect(table.sources()).toEqual([])
    expect([...neededJournals(table.table)]).toEqual(['K'])
    expect(table.apply('a', { kind: 'retire', journals: [logKey('J')] }).ok).toBe(true)
  })

  test('a closed journal stays a source of those that have not written in a newer one', () => {
    const table = mesh()
    table.open('b', 'J')
    table.create('b')
    table.open('b', 'K')
    table.apply('b', { kind: 'close', journal: logKey('J'), length: 9 })
    expect(table.sources()).toEqual(['J<9@1'])
    table.recover('b', { K: 2 }, 'c')
    expect(table.sources()).toEqual(['K<2@1', 'J<9@1'])
  })

  test('a trim that was committed before the close leaves nothing behind', () => {
    const table = mesh()
    table.open('b', 'J')
    table.create('b')
    table.open('b', 'K')
    table.trim('b', 'K', 1)
    table.apply('b', { kind: 'close', journal: logKey('J'), length: 9 })
    expect(table.sources()).toEqual([])
    table.recover('b', { K: 2 }, 'c')
    expect(table.sources()).toEqual(['K<2@1'])
  })
})

describe('who is who', () => {
  test('a restart with its disk supersedes the old boot; a copy of the disk is foreign', () => {
    const table = mesh()
    expect(table.admit('b2', 'b', ['b'])).toEqual({ ok: true })
    expect(table.table.boots.get(table.boot('b'))?.status).toBe('superseded')
    expect(table.admit('b3', 'b', ['b'])).toMatchObject({ ok: false, why: 'store-foreign' })
    expect(table.admit('b3', 'c', ['b'])).toMatchObject({ ok: false, why: 'store-foreign' })
    expect(table.admit('b3', 'wiped', [])).toEqual({ ok: true })
  })

  test('an older state of a disk is foreign after another disk had its place; its newest state is not', () => {
    const table = mesh()
    expect(table.admit('b2', 'b', ['b'])).toEqual({ ok: true })
    expect(table.admit('b3', 'wiped', [])).toEqual({ ok: true })
    expect(table.admit('b4', 'b', ['b'])).toMatchObject({ ok: false, why: 'store-foreign' })
    expect(table.admit('b5', 'b', ['b2'])).toEqual({ ok: true })
  })

  test('a disk that left says nothing any more, and may come back, whatever boots it had before', () => {
    const table = mesh()
    expect(table.admit('b2', 'b', ['b'])).toEqual({ ok: true })
    table.recover('b', {})
    expect(table.leaving('b2').ok).toBe(true)
    expect(table.left('b2').ok).toBe(true)
    expect(table.admit('b3', 'another', [])).toEqual({ ok: true })
    expect(table.admit('b4', 'b', ['b2'])).toEqual({ ok: true })
  })
})

describe('who leaves (L1)', () => {
  test('leaveUnannounced: nobody leaves who may still be made a home or a keeper, or whose store keeps a journal', () => {
    const table = mesh()
    expect(table.left('c')).toMatchObject({ why: 'not-leaving' })
    table.open('b', 'J')
    table.leaving('c')
    expect(table.left('c')).toMatchObject({ why: 'journal-in-use' })
    table.recover('b', { J: 0 })
    table.apply('a', { kind: 'retire', journals: [logKey('J')] })
    expect(table.left('c')).toEqual({ ok: true })
  })
})

describe('commands are applied once (A5)', () => {
  test('the same number gives the first result; below the floor it is refused', () => {
    const table = mesh()
    const boot = table.boot('a')
    const create = (n: number, floor: number) =>
      applyIssued(table.table, {
        boot,
        n,
        floor,
        command: { kind: 'create', again: true, actor: key, options, init: none, home: null },
      })
    expect(create(100, 100)).toEqual({ ok: true })
    expect(create(100, 100)).toEqual({ ok: true })
    expect(create(101, 101)).toMatchObject({ why: 'name-taken' })
    expect(create(100, 100)).toMatchObject({ why: 'expired' })
  })

  test('what a dead boot asks for again is not done again, although its numbers are forgotten', () => {
    const table = mesh()
    const command: Command = { kind: 'create', again: true, actor: key, options, init: none, home: null }
    const create = () => applyIssued(table.table, { boot: table.boot('b'), n: 100, floor: 100, command })
    expect(create()).toEqual({ ok: true })
    table.recover('b', {})
    table.apply('a', { kind: 'stop', actor: key, incarnation: 1 })
    expect(create()).toMatchObject({ why: 'boot-dead' })
    expect(table.actor).toMatchObject({ incarnation: 1, status: { kind: 'stopped' } })
    expect(table.table.issued.has(table.boot('b'))).toBe(false)
  })

  test('openAfterRecovery: a boot that was superseded opens no journal', () => {
    const table = mesh()
    expect(table.admit('b2', 'b', ['b'])).toEqual({ ok: true })
    expect(table.open('b', 'J')).toMatchObject({ why: 'boot-dead' })
    expect(table.open('b2', 'J')).toEqual({ ok: true })
  })

  test('what left is answered again when it asks again, and is forgotten in the end', () => {
    const table = mesh()
    for (let n = 0; n < 1000; n++) {
      const boot = `d${n}`
      expect(table.admit(boot, `d${n}`)).toEqual({ ok: true })
      expect(table.leaving(boot)).toEqual({ ok: true })
      const command: Command = { kind: 'left', peer: peerId('d'), boot: table.boot(boot) }
      const left = () =>
        applyIssued(table.table, { boot: table.boot(boot), n: 10_000, floor: 10_000, command })
      expect(left()).toEqual({ ok: true })
      expect(left()).toEqual({ ok: true })
    }
    expect(table.table.issued.size).toBeLessThan(300)
  })
})

test('a snapshot holds everything', () => {
  const table = mesh()
  table.open('b', 'J')
  table.create('b')
  table.recover('b', { J: 5 }, 'c')
  expect(decodeRegistry(structuredClone(encodeRegistry(table.table)))).toEqual(table.table)
})

describe('A6 a home has room', () => {
  const [first, second] = ['1', '2'].map((name) => actorKey('Counter', name)) as [ActorKey, ActorKey]
  const make = (table: Table, actor: ActorKey, placement: Placement, home: string | null) =>
    table.apply('a', {
      kind: 'create',
      again: true,
      actor,
      options: { ...options, placement },
      init: none,
      home: home === null ? null : table.boot(home),
    })
  const town = () => {
    const table = new Table()
    for (const boot of ['a', 'b']) table.admit(boot, boot, [], { slots: 1 })
    return table
  }
  const homes = ({ table }: Table) => [first, second].map((key) => table.actors.get(key)?.home ?? null)

  test('for resources: whatever the head decided, the second one waits, and is given what the first one frees', () => {
    const table = town()
    for (const actor of [first, second]) make(table, actor, { resources: { slots: 0.7 } }, 'a')
    expect(homes(table)).toEqual([table.boot('a'), null])
    const assign = () =>
      table.apply('a', { kind: 'assign', actors: [{ actor: second, epoch: 1, home: table.boot('a') }] })
    assign()
    expect(homes(table)[1]).toBe(null)
    table.apply('a', {
      kind: 'failed',
      actor: first,
      epoch: 1,
      cause: 'it cannot be made',
      again: false,
      counts: true,
    })
    table.open('a', 'J')
    const actors = [{ actor: first, epoch: 1, home: null }]
    table.apply('a', { kind: 'released', boot: table.boot('a'), journal: logKey('J'), length: 0, actors })
    assign()
    expect(homes(table)[1]).toBe(table.boot('a'))
  })

  test('beside nobody it keeps apart from, nor who keeps apart from it', () => {
    const table = town()
    make(table, first, { apartFrom: ['Counter'] }, 'a')
    make(table, second, {}, 'a')
    expect(homes(table)).toEqual([table.boot('a'), null])
  })

  test('at the end of a move, too, where its own place at home counts no more', () => {
    const table = town()
    table.open('a', 'J')
    const whole = { resources: { slots: 1 } }
    make(table, first, whole, 'a')
    make(table, second, whole, 'b')
    const release = (epoch: number, home: string) => {
      table.apply('a', { kind: 'move', actor: first, epoch, to: peerId(home) })
      const actors = [{ actor: first, epoch, home: table.boot(home) }]
      table.apply('a', { kind: 'released', boot: table.boot('a'), journal: logKey('J'), length: 1, actors })
    }
    release(1, 'a')
    expect(homes(table)).toEqual([table.boot('a'), table.boot('b')])
    release(2, 'b')
    expect(homes(table)).toEqual([null, table.boot('b')])
  })

  test('after a recovery', () => {
    const table = town()
    for (const [actor, home] of [
      [first, 'a'],
      [second, 'b'],
    ] as const)
      make(table, actor, { resources: { slots: 1 } }, home)
    table.apply('b', {
      kind: 'recover',
      boot: table.boot('a'),
      journals: {},
      cause: 'its peer is dead',
      at: 0,
      homes: { [first]: table.boot('b') },
    })
    expect(homes(table)).toEqual([null, table.boot('b')])
    expect(table.table.reports[0]?.actors).toMatchObject([{ actor: first, outcome: 'waiting' }])
  })
})
