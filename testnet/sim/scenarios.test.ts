// Directed scenarios of PROTOCOL.md section 9, as far as registry and journals go; those of actors are elsewhere. Each runs
// under the checks of invariants.ts, with writes on every peer, and ends with a mesh that is whole again.

import { describe, expect, test } from 'vitest'
import { type PeerId, peerOfBoot } from '../../mesh/ids.ts'
import type { MeshMessage } from '../../mesh/messages.ts'
import { replicated, Stage, stage, synced } from './stage.ts'

/** How far each kind of message is counted: 10 in a thorough run. */
const EACH = Number(process.env.SIM_EACH ?? 3)

describe('a process ends at the n-th message of a kind, while the head is taken over and its boot recovered', () => {
  const kinds: readonly (readonly [string, (message: MeshMessage) => boolean])[] = [
    ['seal of the registry', (message) => message.kind === 'seal' && message.registry],
    ['seal of a journal', (message) => message.kind === 'seal' && !message.registry],
    ['sealed', ({ kind }) => kind === 'sealed'],
    ['accept', ({ kind }) => kind === 'accept'],
    ['accepted', ({ kind }) => kind === 'accepted'],
    ['snapshot', (message) => message.kind === 'app' && message.class === 'registry' && !message.pointer],
    ['app with the pointer', (message) => message.kind === 'app' && message.pointer !== undefined],
    ['ack', ({ kind }) => kind === 'ack'],
    ['pointer', ({ kind }) => kind === 'pointer'],
    ['records', (message) => message.kind === 'records' && message.blocks.length > 0],
    ['cmd', ({ kind }) => kind === 'cmd'],
    ['done', ({ kind }) => kind === 'done'],
    ['fill', ({ kind }) => kind === 'fill'],
  ]
  for (const [name, is] of kinds)
    for (const who of ['sender', 'receiver'] as const)
      test(`${name}: the ${who}`, { timeout: 600_000 }, async () => {
        for (let n = 1; n <= EACH; n++) {
          const on = await stage(n, 5, synced)
          let count = 0
          on.mesh.kill(on.head, true)
          on.seen.push((from, to, message) => {
            if (!is(message) || ++count !== n) return
            const id = who === 'sender' ? from : to
            // The message itself goes out first, or never, as it happens.
            if (n % 2 === 0) on.mesh.kill(id, true)
            else on.mesh.clock.set(0.1, () => on.mesh.kill(id, true))
          })
          await on.mesh.clock.run(6000)
          await on.whole()
        }
      })
})

test('one-to-three-founder-dies-at-each-step', { timeout: 600_000 }, async () => {
  for (let at = 5; at < 700; at += 12) {
    const on = new Stage(at, 3, synced)
    for (const [index, id] of on.ids.entries()) await on.start(id, index === 0)
    await on.mesh.clock.run(at)
    on.mesh.kill(on.ids[0]!, true)
    await on.mesh.clock.run(at % 5 === 0 ? 4000 : 50)
    // Its command line still says so; a store that knows a mesh founds none.
    await on.start(on.ids[0]!, true)
    await on.whole()
  }
})

test('adopt-a-dead-candidate’s-successor: accepted once, by a keeper that lives', async () => {
  const on = await stage(3, 5)
  on.mesh.kill(on.head)
  let accepted: { key: string; candidate: PeerId } | undefined
  on.mesh.network.fate = (from, to, message) => {
    if (message.kind !== 'accept') return 0
    if (accepted && from !== accepted.candidate) return 0
    accepted ??= { key: message.successor.key, candidate: from }
    return to === on.ids[4] ? 0 : 'lost'
  }
  on.seen.push((from, to, message) => {
    if (message.kind === 'accepted' && to === accepted?.candidate && from !== to) on.mesh.kill(to)
  })
  await on.mesh.until(
    'the candidate is dead',
    () => accepted !== undefined && !on.mesh.peers.has(accepted.candidate),
  )
  const { key } = accepted!
  const chosen: string[] = []
  on.seen.push((_from, _to, message) => message.kind === 'pointer' && chosen.push(message.pointer.key))
  await on.mesh.until('a new head', () => [...on.mesh.peers.values()].some(({ driver }) => driver.isHead))
  expect(chosen).toContain(key)
  await on.whole()
})

test('candidate-restarts-between-prepare-and-accept: its old promises bind nobody, its old answers count for nothing', async () => {
  const on = await stage(4, 5)
  on.mesh.kill(on.head)
  let candidate: PeerId | undefined
  on.seen.push((from, _to, message) => {
    if (message.kind !== 'accept' || candidate) return
    candidate = from
    on.mesh.kill(from)
    on.mesh.clock.set(30, () => void on.start(from))
  })
  await on.mesh.until('a candidate came that far', () => candidate !== undefined)
  await on.whole()
})

test('H1 ackBeforePointer: a late acknowledgement that the candidate asked for is not one of the pointer', async () => {
  const on = await stage(5, 5)
  const old = on.head
  const others = on.ids.filter((id) => id !== old)
  on.mesh.kill(old)
  // Acknowledgements of the snapshot come twice, the second time late; the pointer itself is slow.
  on.mesh.network.fate = (_from, _to, message) =>
    message.kind === 'app' && message.pointer ? 2000 : message.kind === 'pointer' ? 2000 : 0
  on.seen.push((from, to, message) => {
    if (message.kind !== 'ack' || !others.includes(to)) return
    const { network } = on.mesh
    const again = () => on.mesh.peers.get(to)?.driver.message(from, on.driver(from).boot, message)
    if (network.fate) for (const ms of [8, 15, 30, 60]) on.mesh.clock.set(ms, again)
  })
  await on.mesh.clock.run(1900)
  on.sound()
  await on.mesh.clock.run(4000)
  await on.whole()
})

test('only-one-keeper-has-the-tail-and-dies-in-repair: another holder is asked', async () => {
  const on = await stage(6, 7, { level: 'replicated', keepers: 5 })
  const host = on.ids[5]!
  const journal = [...on.registry.journals.values()].find(
    ({ boot, status, keepers }) =>
      peerOfBoot(boot) === host && status.kind === 'open' && keepers.length === 5,
  )!
  const behind = journal.keepers.slice(3).map(({ peer }) => peer)
  // Two of five keepers fall behind, and then the host dies.
  on.mesh.network.fate = (from, to, message) =>
    message.kind === 'app' && from === host && message.log === journal.key && behind.includes(to) ? 'lost' : 0
  await on.mesh.clock.run(200)
  on.mesh.kill(host)
  // The head is told of both that are behind before it is told of both that are not.
  on.mesh.network.fate = (from, _to, { kind }) => (kind === 'sealed' && from === tail[1] ? 30 : 0)
  const tail = journal.keepers
    .map(({ peer }) => peer)
    .filter((peer) => peer !== host && !behind.includes(peer))
  let died: PeerId | undefined
  on.seen.push((_from, to, message) => {
    if (message.kind !== 'fetch' || message.log !== journal.key || died) return
    died = to
    on.mesh.kill(to)
  })
  await on.mesh.until('the holder that was asked died', () => died !== undefined, 10_000)
  expect(tail).toContain(died)
  // Sooner than the registry takes another term for the sake of the dead one, with which recovery begins anew.
  await on.mesh.until(
    'its boot is recovered without it',
    () =>
      [...on.mesh.peers.values()].some(({ driver }) => driver.isHead) &&
      on.registry.boots.get(journal.boot)?.status === 'dead',
    2000,
  )
  expect(on.mesh.peers.has(died!)).toBe(false)
  await on.whole()
})

for (const journals of [replicated, synced])
  test(`power-loss-of-a-keeper-then-host-dies, ${journals.level}`, async () => {
    const on = await stage(7, 3, journals)
    const host = on.ids[1]!
    const keeper = on.ids[2]!
    on.mesh.kill(keeper, true)
    await on.mesh.clock.run(50)
    await on.start(keeper)
    const { boot } = on.driver(host)
    await on.mesh.clock.run(12_000)
    expect(on.driver(host).boot).toBe(boot)
    on.mesh.kill(host)
    // Two of three keepers are up, long after the power came back: nobody waits for the third.
    await on.mesh.until(
      'the boot of the host is recovered',
      () => on.registry.boots.get(boot)?.status === 'dead',
      20_000,
    )
    expect(on.registry.reports.find((report) => report.boot === boot)?.cause).not.toContain('possible loss')
    await on.whole()
  })

test('power-loss-of-both-keepers: what the host still has is not lost', async () => {
  const on = await stage(8, 3, replicated)
  const [host, ...keepers] = on.ids as [PeerId, PeerId, PeerId]
  for (const { key, boot } of on.registry.journals.values())
    if (peerOfBoot(boot) !== host) on.oracle.excused.add(key)
  const { boot } = on.driver(host)
  for (const id of keepers) {
    on.invariants.remember(on.mesh.disks.get(id)!)
    on.mesh.kill(id, true)
  }
  await on.mesh.clock.run(100)
  for (const id of keepers) await on.start(id)
  await on.mesh.clock.run(10_000)
  expect(on.driver(host).boot).toBe(boot)
  await on.whole()
})

test('a host ends before the order of its journal is on its disk: its copy counted, so it stays', async () => {
  const on = await stage(12, 3)
  const host = on.ids[2]!
  const { driver, disk } = on.mesh.peers.get(host)!
  const { boot } = driver
  const journal = await on.mesh.await(driver.journal({ level: 'replicated', keepers: 2 }))
  on.mesh.diskSlowness.set(host, 10)
  const keepers = on.registry.journals.get(journal.key)!.keepers.map(({ peer }) => peer)
  expect(keepers).toContain(host)
  expect(keepers).toHaveLength(2)
  let acknowledged = false
  void journal.append(new Uint8Array(1)).then(() => {
    acknowledged = true
  })
  await on.mesh.until('the block is acknowledged', () => acknowledged)
  expect(disk.durableLog(journal.key)?.order).toBeGreaterThan(0)
  on.mesh.kill(host)
  on.mesh.diskSlowness.clear()
  await on.start(host)
  await on.mesh.until('its boot is recovered', () => on.registry.boots.get(boot)?.status === 'dead')
  expect(on.registry.journals.get(journal.key)?.status).toMatchObject({ length: 1 })
  await on.whole()
})

test('a joiner that was never told the pointer asks for it', async () => {
  const on = await stage(13, 3)
  const joiner = on.mesh.name(9)
  let asked = false
  on.seen.push((from, _to, { kind }) => {
    if (from === joiner && kind === 'follow') asked = true
  })
  on.mesh.network.fate = (_from, to, { kind }) => (to === joiner && kind === 'pointer' && !asked ? 'lost' : 0)
  on.ids.push(joiner)
  await on.start(joiner)
  await on.mesh.until('it is admitted', () => on.driver(joiner).admitted, 5000)
  await on.whole()
})

test('roll-opens-a-journal-during-recovery: the recovery takes it along', async () => {
  const on = await stage(9, 5)
  const host = on.ids[3]!
  const { boot } = on.driver(host)
  on.mesh.freeze(host)
  let woken = false
  on.seen.push((_from, _to, message) => {
    if (message.kind !== 'seal' || message.registry || woken) return
    woken = true
    on.mesh.clock.set(2, () => {
      on.mesh.thaw(host)
      on.driver(host)
        .journal(synced)
        .catch(() => {})
    })
  })
  await on.mesh.until('its boot is recovered', () => on.registry.boots.get(boot)?.status === 'dead')
  expect(woken).toBe(true)
  for (const { boot: of, status } of on.registry.journals.values())
    if (of === boot) expect(status.kind).not.toBe('open')
  await on.whole()
})

test('seal-during-a-write-in-flight: the host stops at every of its messages once', {
  timeout: 120_000,
}, async () => {
  for (let n = 1; n <= 8; n++) {
    const on = await stage(100 + n, 5, n % 2 ? synced : replicated)
    const host = on.ids[2]!
    let count = 0
    on.seen.push((from, _to, { kind }) => {
      if (kind === 'app' && from === host && ++count === n) on.mesh.freeze(host)
    })
    const { boot } = on.driver(host)
    await on.mesh.until('its boot is recovered', () => on.registry.boots.get(boot)?.status === 'dead')
    await on.whole()
  }
})

test('uncommitted-assign-is-not-acted-on: what only the head had is applied by nobody', async () => {
  const on = await stage(11, 5)
  const { head } = on
  on.mesh.network.fate = (from, _to, message) =>
    from === head && message.kind === 'app' && message.class === 'registry' ? 'lost' : 0
  on.driver(head)
    .command({
      kind: 'create',
      again: true,
      actor: 'Counter/a' as never,
      options: { maxRestarts: -1, class: replicated, labels: {} },
      init: new Uint8Array(),
      home: null,
    })
    .catch(() => {})
  await on.mesh.clock.run(120)
  for (const { driver } of on.mesh.peers.values()) expect(driver.registry?.actors.size).toBe(0)
  on.mesh.kill(head)
  on.mesh.network.fate = undefined
  await on.mesh.clock.run(8000)
  expect(on.registry.actors.size).toBe(0)
  await on.whole()
})

test('wiped-keeper-with-its-old-peer-id: it has no vote, and a new keeper takes its place', async () => {
  const on = await stage(12, 5)
  const id = on.ids[4]!
  const store = on.mesh.disks.get(id)!.durableFacts!.storeId
  on.mesh.wipe(id)
  const votes: string[] = []
  on.seen.push((_from, _to, message) => {
    if ('store' in message && message.store === store && ['sealed', 'accepted', 'ack'].includes(message.kind))
      votes.push(message.kind)
  })
  await on.start(id)
  await on.mesh.until('the old disk keeps nothing any more', () => {
    const registry = on.mesh.peers.size === 5 ? on.driver(on.ids[0]!).registry : undefined
    const pointer = on.driver(on.ids[0]!).pointer!
    const open = [...(registry?.journals.values() ?? [])].filter(({ status }) => status.kind === 'open')
    return ![pointer, ...open].some(({ keepers }) => keepers.some((keeper) => keeper.store === store))
  })
  expect(votes).toEqual([])
  await on.whole()
})

for (const power of [false, true])
  test(`whole-mesh-restart, ${power ? 'the power fails' : 'processes die'}`, async () => {
    const on = await stage(13, 5, power ? synced : replicated)
    for (let round = 0; round < 3; round++) {
      for (const id of on.ids) on.mesh.kill(id, power)
      await on.mesh.clock.run(200 * round)
      await on.whole()
    }
  })

test('head-without-keepers: a head that lost its majority acknowledges nothing, and goes on when it is back', async () => {
  const on = await stage(14, 5)
  const { head } = on
  const others = on.ids.filter((id) => id !== head)
  for (const id of others) on.mesh.kill(id)
  let done = false
  on.driver(head)
    .command({ kind: 'noop' }, 3_600_000)
    .then(() => {
      done = true
    })
  await on.mesh.clock.run(1_200_000)
  expect(done).toBe(false)
  let messages = 0
  on.seen.push((from) => {
    if (from === head) messages++
  })
  await on.start(others[0]!)
  await on.start(others[1]!)
  await on.mesh.until('it is committed', () => done)
  await on.mesh.clock.run(300)
  // Twenty minutes of rounds that nobody answered are not made up for.
  if (process.env.SIM_TRACE) console.error('burst', messages)
  expect(messages).toBeLessThan(1000)
  await on.whole()
})

test('one-way-duel: nobody is torn between two that hear each other half', async () => {
  const on = await stage(15, 5)
  const [low, second] = on.ids as [PeerId, PeerId]
  for (const [from, to] of [
    [low, second],
    [second, low],
  ] as const) {
    on.mesh.network.cut(from, to)
    await on.mesh.clock.run(15_000)
    const { term } = on.driver(on.ids[4]!).pointer!
    await on.mesh.clock.run(30_000)
    expect(on.driver(on.ids[4]!).pointer!.term - term).toBeLessThanOrEqual(2)
    on.mesh.network.heal()
    await on.mesh.clock.run(10_000)
  }
  await on.whole()
})

test('a lower ID that reaches the head and no majority does not flap it', { timeout: 120_000 }, async () => {
  const on = await stage(16, 5)
  const low = on.mesh.name(0)
  const { head } = on
  on.ids.push(low)
  await on.start(low)
  await on.mesh.until('it is admitted', () => on.driver(low).admitted)
  for (const id of on.ids.slice(2, 5)) {
    on.mesh.network.cut(low, id)
    on.mesh.network.cut(id, low)
  }
  await on.mesh.clock.run(15_000)
  const { term } = on.driver(head).pointer!
  await on.mesh.clock.run(40_000)
  expect(on.driver(head).pointer!.term).toBe(term)
  await on.whole()
  await on.mesh.until('it gets the head once it reaches a majority', () => on.driver(low).isHead, 300_000)
})

test('retire-uncommitted-at-take-over: no keeper drops a journal that the registry still has', async () => {
  const on = await stage(17, 5)
  const { head } = on
  const host = on.ids[3]!
  const { boot } = on.driver(host)
  let retiring = false
  // The head commits the recovery; of what it appends after that nothing leaves it.
  on.mesh.network.fate = (from, _to, message) => {
    const state = on.mesh.peers.get(head)?.driver.registry
    if (state?.boots.get(boot)?.status === 'dead') retiring = true
    return retiring && from === head && message.kind === 'app' && message.class === 'registry' ? 'lost' : 0
  }
  on.mesh.kill(host)
  await on.mesh.until('the boot is recovered', () => retiring)
  await on.mesh.clock.run(60)
  on.mesh.kill(head)
  await on.mesh.clock.run(6000)
  await on.whole()
  await on.mesh.clock.run(30_000)
  expect(on.invariants.leaks()).toEqual([])
})

test('nothing is left of what came and went: logs of deposed boots, failed candidates, sealed journals', async () => {
  const on = await stage(18, 6)
  for (let round = 0; round < 12; round++) {
    const id = on.ids[round % on.ids.length]!
    if (round % 3 === 0) on.mesh.freeze(id)
    else on.mesh.kill(id)
    await on.mesh.clock.run(2500)
    on.mesh.thaw(id)
    await on.start(id)
    await on.mesh.clock.run(round % 2 ? 40 : 3000)
  }
  await on.whole()
  await on.mesh.clock.run(40_000)
  expect(on.invariants.leaks()).toEqual([])
})

test('H2 commandOfAnOldBoot: what a dead process asked for is not done when it comes late', async () => {
  const on = await stage(19, 5)
  const { head } = on
  const id = on.ids[3]!
  const { boot } = on.driver(id)
  let late: MeshMessage | undefined
  on.seen.push((from, _to, message) => {
    if (from === id && message.kind === 'cmd' && message.issued.command.kind === 'create') late = message
  })
  const actor = 'Counter/a' as never
  // Nobody may host it, so that a stop ends it at once.
  const options = { maxRestarts: -1, class: replicated, labels: { zone: 'nowhere' } }
  const create = { kind: 'create', again: true, actor, options, init: new Uint8Array(), home: null } as const
  await on.mesh.await(on.driver(id).command(create))
  on.mesh.kill(id)
  await on.mesh.until('its boot is recovered', () => on.registry.boots.get(boot)?.status === 'dead')
  await on.start(id)
  const { incarnation } = on.registry.actors.get(actor)!
  await on.mesh.await(on.driver(head).command({ kind: 'stop', actor, incarnation }))
  await on.mesh.clock.run(1000)
  on.driver(head).message(id, on.driver(id).boot, late!)
  await on.mesh.clock.run(2000)
  expect(on.registry.actors.get(actor)?.incarnation).toBe(incarnation)
  await on.whole()
})

test('J3 ackAfterClose: what comes late into a journal whose length is named is acknowledged to nobody', async () => {
  const on = await stage(20, 5)
  const host = on.ids[3]!
  const { head } = on
  const { boot } = on.driver(host)
  const journal = [...on.registry.journals.values()].find(
    (each) => each.boot === boot && each.status.kind === 'open',
  )!
  let named = false
  // Its keepers hear nothing of it until it is closed without what they did not acknowledge; then all at once.
  on.mesh.network.fate = (from, _to, message) => {
    if (from !== host) return 0
    if (message.kind === 'cmd' && message.issued.command.kind === 'close') {
      named = true
      return 1500
    }
    return message.kind === 'app' && message.log === journal.key && !named ? 'lost' : 0
  }
  await on.mesh.clock.run(100)
  on.driver(host).message(head, on.driver(head).boot, { kind: 'roll', journal: journal.key })
  await on.mesh.until('its length is named', () => named)
  await on.mesh.until('it is closed', () => on.oracle.ended.has(journal.key))
  await on.whole()
})
