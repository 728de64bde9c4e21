// A registry whose majority is lost for good, and the one way past it (docs/adr/0009).

import { describe, expect, test } from 'vitest'
import { generationOf } from '../../mesh/generation.ts'
import type { BootId, PeerId } from '../../mesh/ids.ts'
import type { RescueResult } from '../../mesh/registry/rescue.ts'
import { recoverBoot } from '../../node/giving-up.ts'
import { ActorMesh } from './actor-mesh.ts'
import { code } from './actor-stage.ts'

const driver = (on: ActorMesh, id: PeerId) => on.mesh.peers.get(id)!.driver
const rescue = (on: ActorMesh, at: PeerId, acceptLoss = true): Promise<RescueResult> =>
  on.mesh.await(driver(on, at).rescue(acceptLoss))
const keepersOfRegistry = (on: ActorMesh): PeerId[] =>
  driver(on, on.live[0]!.id).pointer!.keepers.map(({ peer }) => peer)

/** Every peer that is up is admitted in the same generation, and nothing waits to be recovered. */
const settled = (on: ActorMesh, generation: number) =>
  on.mesh.until('everybody is admitted after the rescue, every boot recovered', () =>
    on.live.every(
      ({ driver: { admitted, pointer, registry } }) =>
        admitted &&
        generationOf(pointer!.term) === generation &&
        [...registry!.boots.values()].every(
          ({ status, lossAccepted }) => status !== 'superseded' && !lossAccepted,
        ),
    ),
  )

/** Seven peers, an actor on each, and two of the registry's keepers left of five. */
async function withoutMajority(seed: number) {
  const on = await ActorMesh.of(7, { seed })
  const names = on.ids.map((_, index) => `actor-${index}`)
  for (const [index, name] of names.entries()) await on.place(name, on.ids[index]!, 'before')
  const lost = keepersOfRegistry(on).slice(0, 3)
  for (const id of lost) on.mesh.kill(id)
  await on.mesh.clock.run(8000)
  return { on, names, lost }
}

describe('mesh rescue', () => {
  test('is refused while the registry has its majority, or a peer hears the head', async () => {
    const on = await ActorMesh.of(5)
    expect(await rescue(on, on.ids[2]!)).toMatchObject({ ok: false, why: 'not-needed' })
    on.mesh.kill(on.ids[0]!)
    await on.mesh.clock.run(5000)
    expect(await rescue(on, on.ids[4]!)).toMatchObject({ ok: false, why: 'not-needed' })
    expect(generationOf(driver(on, on.ids[4]!).pointer!.term)).toBe(0)
  })

  test('is refused while a majority of the keepers is there, although no head is', async () => {
    const on = await ActorMesh.of(5)
    on.mesh.network.fate = (_from, _to, message) => (message.kind === 'seal' && message.registry ? 'lost' : 0)
    on.mesh.kill(on.head)
    await on.mesh.clock.run(8000)
    const result = await rescue(on, on.live[0]!.id)
    expect(result).toMatchObject({ ok: false, why: 'not-needed' })
    expect(!result.ok && result.detail).toContain("4 of the registry's 5 keepers")
  })

  test('a disk that is newer than the rescued registry is not taken for a copy', async () => {
    const on = await ActorMesh.of(7, { seed: 12 })
    const keepers = keepersOfRegistry(on)
    const [newer, other] = on.ids.filter((id) => !keepers.includes(id)) as [PeerId, PeerId]
    const at = keepers[4]!
    on.split([at], on.ids)
    // Admitted under a boot that the one that is left never hears of.
    on.mesh.kill(newer)
    await on.mesh.start(newer)
    on.split([at], on.ids)
    await on.mesh.until('it is admitted', () => driver(on, newer).admitted)
    const { boot } = driver(on, newer)
    await on.mesh.until('its disk remembers no older boot', () => {
      const { boots } = on.mesh.disks.get(newer)!.durableFacts!
      return boots.length === 1 && boots[0] === boot
    })
    expect(driver(on, newer).pointer!.keepers.some(({ peer }) => peer === newer)).toBe(false)
    for (const id of [...keepers.slice(0, 4), other, newer]) on.mesh.kill(id)
    on.mesh.network.heal()
    await on.mesh.start(newer)
    await on.mesh.clock.run(8000)
    expect(driver(on, at).registry!.boots.has(boot)).toBe(false)
    expect(await rescue(on, at)).toMatchObject({ ok: true, done: true })
    await settled(on, 1)
    expect(on.mesh.peers.has(newer)).toBe(true)
    on.end()
  })

  test('without accepting the loss it says what it would do, and does nothing', async () => {
    const { on, lost } = await withoutMajority(2)
    const at = on.live[0]!.id
    const before = driver(on, at).pointer
    const result = await rescue(on, at, false)
    expect(result).toMatchObject({ ok: true, done: false, account: { term: before!.term } })
    expect(result.ok && [...result.account.missing].sort()).toEqual([...lost].sort())
    await on.mesh.clock.run(5000)
    for (const { driver: each } of on.live) expect(each.pointer).toEqual(before)
  })

  test('brings back the registry and every actor with what its keepers still have, and reports each', async () => {
    const { on, names, lost } = await withoutMajority(3)
    expect(await rescue(on, on.live[0]!.id)).toMatchObject({ ok: true, done: true })
    await settled(on, 1)
    const state = on.registry()
    expect(state.reports.some(({ kind }) => kind === 'rescue')).toBe(true)
    const told = state.reports.flatMap(({ actors }) => actors)
    for (const [index, name] of names.entries()) {
      const tokens = await on.tokens(on.live[1]!.id, name)
      const details = told.filter(({ actor }) => actor === on.key(name)).map(({ detail }) => detail)
      expect(details.length).toBeGreaterThan(0)
      // Nothing is lost without a word: where the state is not whole, the report says so.
      if (!tokens.includes('before')) expect(details.join()).toContain('possible loss')
      if (!lost.includes(on.ids[index]!)) expect(tokens).toContain('before')
    }
    for (const name of names) await on.call(on.live[1]!.id, name, 'add', 'after')
    expect(on.mesh.failures).toEqual([])
  })

  test('who comes back from before follows, as a new boot, and its longer copies stay on its disk', async () => {
    const { on, names, lost } = await withoutMajority(4)
    await rescue(on, on.live[0]!.id)
    await settled(on, 1)
    await on.mesh.clock.run(20_000)
    const before = new Map(lost.map((id) => [id, on.mesh.disks.get(id)!.durableFacts!]))
    for (const id of lost) await on.mesh.start(id)
    await settled(on, 1)
    await on.mesh.clock.run(20_000)
    for (const id of lost) {
      const { logs, pointer } = on.mesh.disks.get(id)!.durableFacts!
      expect(generationOf(pointer!.term)).toBe(1)
      const kept = Object.values(before.get(id)!.logs).filter(
        ({ class: of, order, retired }) => of === 'registry' && order >= 0 && !retired,
      )
      expect(kept.length).toBeGreaterThan(0)
      for (const { key } of kept) expect(logs[key]?.retired).toBeUndefined()
      const cut = driver(on, on.ids[6]!).registry!.cutJournals
      for (const [key, length] of cut) {
        const held = on.mesh.disks.get(id)!.writtenLogs.get(key)?.length ?? 0
        if (held > length) expect(logs[key]?.retired).toBeUndefined()
      }
    }
    for (const name of names) await on.call(lost[0]!, name, 'add', 'after')
    expect(on.mesh.failures).toEqual([])
  })

  test('the lost majority was alive elsewhere: its boots end when they meet, none serves in both', async () => {
    const on = await ActorMesh.of(7, { seed: 5 })
    const majority = keepersOfRegistry(on).slice(0, 3)
    const rest = on.ids.filter((id) => !majority.includes(id))
    on.split(majority, rest)
    await on.mesh.clock.run(10_000)
    expect(await rescue(on, rest[0]!)).toMatchObject({ ok: true, done: true })
    await on.mesh.clock.run(20_000)
    expect(generationOf(driver(on, majority[0]!).pointer!.term)).toBe(0)
    // They went on, in journals that the rescued registry has never heard of.
    await on.call(majority[0]!, 'before', 'add', 'one')
    const unheard = [...driver(on, majority[0]!).registry!.journals.keys()].filter(
      (key) => !driver(on, rest[0]!).registry!.journals.has(key),
    )
    expect(unheard.length).toBeGreaterThan(0)
    const boots = majority.map((id) => driver(on, id).boot)
    on.mesh.network.heal()
    await settled(on, 1)
    await on.mesh.clock.run(20_000)
    for (const id of majority)
      for (const key of unheard) {
        const { logs } = on.mesh.disks.get(id)!.durableFacts!
        expect(logs[key]?.retired, `${key} at ${id}`).toBeUndefined()
      }
    for (const [index, id] of majority.entries()) expect(driver(on, id).boot).not.toBe(boots[index])
    await on.call(majority[0]!, 'after', 'add', 'one')
    expect(await on.tokens(rest[0]!, 'after')).toEqual(['one'])
    expect(on.mesh.failures).toEqual([])
  })

  test('two rescues in two halves are never merged: both sides refuse, loudly', async () => {
    const on = await ActorMesh.of(7, { seed: 6 })
    const keepers = keepersOfRegistry(on)
    const spare = on.ids.filter((id) => !keepers.includes(id))
    for (const id of keepers.slice(0, 3)) on.mesh.kill(id)
    const one = [keepers[3]!, spare[0]!]
    const two = [keepers[4]!, spare[1]!]
    on.split(one, two)
    await on.mesh.clock.run(10_000)
    for (const half of [one, two]) expect(await rescue(on, half[0]!)).toMatchObject({ ok: true, done: true })
    await settled(on, 1)
    const keys = new Map(on.live.map(({ id }) => [id, driver(on, id).pointer!.rescues]))
    on.mesh.network.heal()
    await on.mesh.clock.run(30_000)
    for (const { id, events } of on.live) {
      expect(driver(on, id).pointer!.rescues).toEqual(keys.get(id))
      expect(events.some((event) => event.kind === 'warning' && event.code === 'RESCUED_APART')).toBe(true)
      expect([...driver(on, id).apart().keys()].sort()).toEqual([...(one.includes(id) ? two : one)].sort())
    }
    for (const [half, name] of [
      [one, 'one'],
      [two, 'two'],
    ] as const) {
      await on.call(half[0]!, name, 'add', name)
      expect(await on.tokens(half[1]!, name)).toEqual([name])
    }
    // One that was away through both follows whom it meets first, and refuses the others.
    await on.mesh.start(keepers[0]!)
    await on.mesh.until('it is admitted', () => driver(on, keepers[0]!).admitted)
    expect(driver(on, keepers[0]!).apart().size).toBeGreaterThan(0)
    expect(on.mesh.failures).toEqual([])
  })

  test('of two that are told at the same moment and reach each other one gives up', async () => {
    const { on } = await withoutMajority(7)
    const [first, second] = on.live.map(({ id }) => id) as [PeerId, PeerId]
    const results = await on.mesh.await(
      Promise.all([driver(on, second).rescue(true), driver(on, first).rescue(true)]),
    )
    expect(results.filter(({ ok }) => ok)).toHaveLength(1)
    await settled(on, 1)
    expect(on.live.every(({ driver: each }) => each.apart().size === 0)).toBe(true)
  })
})

describe('mesh recover', () => {
  const giveUp = (on: ActorMesh, at: PeerId, boot: BootId) =>
    on.mesh.await(driver(on, at).command({ kind: 'acceptLoss', boot, refusal: null }))
  const reported = (on: ActorMesh, name: string): string =>
    on
      .registry()
      .reports.flatMap(({ actors }) => actors)
      .filter(({ actor }) => actor === on.key(name))
      .map(({ detail }) => detail)
      .join()

  /** An actor whose host is neither the head nor a keeper of the registry, so that only its journal is lost with it. */
  async function hosted(seed: number) {
    const on = await ActorMesh.of(7, { seed })
    const kept = keepersOfRegistry(on)
    const host = on.ids.find((id) => !kept.includes(id))!
    await on.place('a', host, 'before')
    const boot = on.boot(host)
    const keepers = on.keepers('a').filter((id) => id !== host)
    const at = on.ids.find((id) => id !== host && !keepers.includes(id))!
    return { on, host, boot, keepers, at }
  }

  test('is refused where the boot is here, is being recovered, or was recovered', async () => {
    const { on, host, boot, at } = await hosted(8)
    expect(await giveUp(on, at, boot)).toMatchObject({ ok: false, why: 'recoverable' })
    on.mesh.kill(host)
    expect(await giveUp(on, at, boot)).toMatchObject({ ok: false, why: 'recoverable' })
    await on.recovered(boot)
    expect(await giveUp(on, at, boot)).toMatchObject({ ok: false, why: 'recoverable' })
    const nobody = `${host}/0` as BootId
    expect(await giveUp(on, at, nobody)).toMatchObject({ ok: false, why: 'unknown-boot' })
    expect(await on.tokens(at, 'a')).toEqual(['before'])
  })

  test('takes what one keeper of three still has, and says that more may be lost', async () => {
    const { on, host, boot, keepers, at } = await hosted(9)
    const [gone, left] = keepers as [PeerId, PeerId]
    // The one that is left misses the last record, which is acknowledged all the same.
    on.mesh.network.fate = (from, to, message) =>
      message.kind === 'app' && from === host && to === left ? 'lost' : 0
    await on.call(host, 'a', 'add', 'after')
    on.mesh.kill(host)
    on.mesh.kill(gone)
    on.mesh.network.fate = undefined
    await on.mesh.clock.run(10_000)
    expect(on.registry().boots.get(boot)?.status).toBe('live')
    expect(await giveUp(on, at, boot)).toEqual({ ok: true })
    await on.recovered(boot)
    expect(await on.tokens(at, 'a')).toEqual(['before'])
    expect(reported(on, 'a')).toContain('possible loss: 1 of 3 keepers')
    await on.call(at, 'a', 'add', 'new')
    // The longer copies come back, and are kept for people; the actor goes on from where it is.
    const cut = [...on.registry().cutJournals.keys()][0]!
    await on.mesh.start(host)
    await on.mesh.start(gone)
    await on.mesh.clock.run(30_000)
    for (const id of [host, gone]) {
      expect(on.mesh.disks.get(id)!.durableFacts!.logs[cut]?.retired).toBeUndefined()
      expect(on.mesh.disks.get(id)!.writtenLogs.get(cut)!.length).toBeGreaterThan(
        on.registry().cutJournals.get(cut)!,
      )
    }
    expect(await on.tokens(at, 'a')).toEqual(['before', 'new'])
    on.end()
  })

  test.each([14, 15, 16])(
    'K4 what a repair had brought to the last keeper before it broke off is not left out, seed %i',
    async (seed) => {
      const { on, host, boot, keepers, at } = await hosted(seed)
      const [whole, short] = keepers as [PeerId, PeerId]
      on.mesh.network.fate = (from, to, message) => {
        if (message.kind === 'app' && from === host && to === short) return 'lost'
        return message.kind === 'held' ? 'lost' : 0
      }
      await on.call(host, 'a', 'add', 'after')
      const { key } = on.journals('a').at(-1)!
      const held = (id: PeerId) => on.mesh.disks.get(id)!.writtenLogs.get(key)?.length ?? 0
      expect(held(short)).toBeLessThan(held(whole))
      on.mesh.kill(host)
      await on.mesh.until('the short copy is repaired, and the head does not know', () => {
        return held(short) === held(whole)
      })
      on.mesh.kill(whole)
      await on.mesh.clock.run(15_000)
      on.mesh.network.fate = undefined
      expect(on.registry().boots.get(boot)?.status).not.toBe('dead')
      expect(await giveUp(on, at, boot)).toEqual({ ok: true })
      await on.recovered(boot)
      expect(await on.tokens(at, 'a')).toEqual(['before', 'after'])
      expect(reported(on, 'a')).toContain(`what it held beyond record ${held(whole)} is gone`)
      on.end()
    },
  )

  test('with no keeper left the actor begins anew, and the report says so', async () => {
    const { on, host, boot, keepers, at } = await hosted(10)
    for (const id of [host, ...keepers]) on.mesh.kill(id)
    await on.mesh.until('the registry goes on', () => on.live.some(({ driver: each }) => each.isHead))
    await on.mesh.clock.run(10_000)
    expect(await giveUp(on, at, boot)).toEqual({ ok: true })
    await on.recovered(boot)
    expect(reported(on, 'a')).toContain('from its initial arguments; possible loss: 0 of 3 keepers')
    expect(await on.tokens(at, 'a')).toEqual([])
    on.end()
  })

  test('a boot that was recovered, whose journals went before they were copied, can be given up too', async () => {
    const { on, host, boot, keepers, at } = await hosted(11)
    // Nobody may read the journal, so the actor waits at its new home with that journal as its source.
    on.onRestore = () => false
    const copies = new Set([host, ...keepers])
    on.mesh.kill(host)
    await on.recovered(boot)
    await on.mesh.until('it has a home', () => on.entry('a')?.home != null)
    const holder = on.home('a')
    for (const id of copies) if (id !== holder) on.mesh.kill(id)
    if (copies.has(holder)) on.mesh.kill(holder)
    await on.mesh.clock.run(15_000)
    on.onRestore = () => true
    const waiting = on.live[0]!.id
    expect(await giveUp(on, waiting, boot)).toEqual({ ok: true })
    expect(await on.tokens(waiting, 'a')).toEqual([])
    expect(reported(on, 'a')).toContain('possible loss')
    on.end()
    expect(at).toBeDefined()
  })

  test.each([17, 18])(
    'a boot that was recovered, of whose journal only a shorter copy is left, can be given up too, seed %i',
    async (seed) => {
      const { on, host, boot, keepers, at } = await hosted(seed)
      const [whole, short] = keepers as [PeerId, PeerId]
      on.mesh.network.fate = (from, to, message) =>
        message.kind === 'app' && from === host && to === short ? 'lost' : 0
      await on.call(host, 'a', 'add', 'after')
      on.mesh.kill(short)
      on.mesh.network.fate = undefined
      // It comes back, and is recovered from its own disk and that of the one other copy, which are lost then.
      on.mesh.kill(host)
      on.onRestore = () => false
      await on.mesh.start(host)
      await on.recovered(boot)
      for (const id of [host, whole]) on.mesh.kill(id)
      await on.mesh.start(short)
      await on.mesh.clock.run(15_000)
      on.onRestore = () => true
      const waiting = code(on.mesh.await(on.send(at, 'a', 'all', [], 5000)))
      expect(await waiting).toBe('ACTOR_UNAVAILABLE')
      expect(await giveUp(on, at, boot)).toEqual({ ok: true })
      expect(await on.tokens(at, 'a')).toEqual(['before'])
      expect(reported(on, 'a')).toContain('possible loss: 1 of 3 keepers')
      on.end()
    },
  )

  test('a head whose term gives way to its own next one knows that keepers are missing', async () => {
    const { on, host, boot, keepers, at } = await hosted(19)
    const { head } = on
    const gone = keepers.find((id) => id !== head && keepersOfRegistry(on).includes(id))!
    for (const id of [host, gone]) on.mesh.kill(id)
    const waits = () => driver(on, head).recoveries().get(boot)?.lacksKeepers === true
    await on.mesh.until('keepers are missing', waits)
    const { term } = driver(on, head).pointer!
    // A keeper of the registry is among them, in whose place another one comes with the next term.
    await on.mesh.until('its next term begins', () => driver(on, head).pointer!.term > term)
    await on.mesh.until('it is head of that', () => driver(on, head).isHead)
    await on.mesh.until('it recovers again', () => driver(on, head).recoveries().has(boot))
    expect(driver(on, head).recoveries().get(boot)!.lacksKeepers).toBe(true)
    expect(await giveUp(on, at, boot)).toEqual({ ok: true })
    await on.recovered(boot)
    expect(await on.tokens(at, 'a')).toEqual(['before'])
    on.end()
  })

  test('A5 a loss that was accepted once is not accepted again by a peer that was cut off before it heard', async () => {
    const { on, host, boot, keepers } = await hosted(13)
    const [gone, left] = keepers as [PeerId, PeerId]
    const at = on.others(on.head, host, gone, left).at(-1)!
    const own = on.boot(at)
    on.onRestore = () => false
    for (const id of [host, gone]) on.mesh.kill(id)
    await on.mesh.clock.run(10_000)
    on.mesh.network.fate = (_from, to, { kind }) =>
      to === at && (kind === 'done' || kind === 'records') ? 'lost' : 0
    const accepted = code(recoverBoot(driver(on, at), boot, true))
    await on.mesh.until('the loss is accepted', () => on.registry().boots.get(boot)?.lossAccepted === true)
    on.split([at], on.others(at))
    on.mesh.network.fate = undefined
    await on.recovered(boot)
    // What the last keeper has is all there is of the actor, and it is away for a moment.
    on.mesh.kill(left)
    await on.recovered(own)
    on.mesh.network.heal()
    await on.mesh.clock.run(40_000)
    await on.mesh.start(left)
    on.onRestore = () => true
    expect(await on.tokens(on.head, 'a')).toEqual(['before'])
    expect(await on.mesh.await(accepted)).toBe('MESH_UNAVAILABLE')
    on.end()
  })
})
