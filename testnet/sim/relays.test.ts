// Two peers that have lost the link to each other, and can both talk to others: what the protocol must get through all the
// same (docs/adr/0010).

import { expect, test } from 'vitest'
import { type PeerId, peerOfBoot } from '../../mesh/ids.ts'
import type { MeshMessage } from '../../mesh/messages.ts'
import { type Stage, stage } from './stage.ts'

const unlink = (on: Stage, a: PeerId, b: PeerId): void => {
  on.mesh.network.cut(a, b)
  on.mesh.network.cut(b, a)
}

/** A host that is not the head, the keepers of its journal beside it, and everybody who is neither. */
function journalOfOther(on: Stage) {
  const { head } = on
  const journal = [...on.registry.journals.values()].find(
    ({ boot, status, keepers }) =>
      status.kind === 'open' &&
      peerOfBoot(boot) !== head &&
      keepers.length === 3 &&
      keepers.every(({ peer }) => peer !== head),
  )!
  const host = peerOfBoot(journal.boot)
  const keepers = journal.keepers.map(({ peer }) => peer).filter((peer) => peer !== host)
  return { journal, host, keepers: keepers as [PeerId, PeerId] }
}

const isRecovered = (on: Stage, boot: string) => () =>
  [...on.mesh.peers.values()].some(
    ({ driver }) =>
      driver.isHead &&
      [...driver.registry!.boots.values()].some((each) => each.boot === boot && each.status === 'dead'),
  )

test('a keeper that the head has no link to is sealed and repaired all the same', async () => {
  const on = await stage(31, 5)
  const { journal, host, keepers } = journalOfOther(on)
  unlink(on, on.head, keepers[0])
  await on.mesh.clock.run(6000)
  on.mesh.kill(host)
  await on.mesh.until('the boot is recovered', isRecovered(on, journal.boot), 5000)
  await on.whole()
})

test('keepers that the head has no link to at all are sealed and repaired, and not asked without end', async () => {
  const on = await stage(35, 7)
  const { journal, host, keepers } = journalOfOther(on)
  for (const keeper of keepers) unlink(on, on.head, keeper)
  await on.mesh.clock.run(3000)
  on.mesh.network.fate = (_from, to, message) =>
    message.kind === 'app' && message.log === journal.key && to === keepers[0] ? 'lost' : 0
  await on.mesh.clock.run(500)
  let asked = 0
  on.seen.push((from, _to, { kind }) => {
    if (from === on.head && kind === 'relay') asked++
  })
  on.mesh.kill(host)
  await on.mesh.until('the boot is recovered', isRecovered(on, journal.boot), 8000)
  expect(asked).toBeLessThan(100)
  await on.whole()
})

test('a keeper gets what it lacks from one that it has no link to', async () => {
  const on = await stage(32, 5)
  const { journal, host, keepers } = journalOfOther(on)
  const [behind, whole] = keepers
  unlink(on, behind, whole)
  await on.mesh.clock.run(3000)
  on.mesh.network.fate = (_from, to, message) =>
    message.kind === 'app' && message.log === journal.key && to === behind ? 'lost' : 0
  await on.mesh.clock.run(500)
  on.mesh.kill(host)
  await on.mesh.until('the boot is recovered', isRecovered(on, journal.boot), 5000)
  await on.whole()
})

test('a peer that has no link to the head gets its commands committed, and new peers are admitted', async () => {
  const on = await stage(33, 5)
  const { head } = on
  const far = on.ids.find((id) => id !== head)!
  unlink(on, head, far)
  await on.mesh.clock.run(3000)
  const began = on.mesh.clock.now
  expect(await on.mesh.await(on.driver(far).command({ kind: 'noop' }))).toEqual({ ok: true })
  // A round trip over two hops, and the record read from another follower, which is asked every resendMs.
  expect(on.mesh.clock.now - began).toBeLessThan(700)
  const joiner = on.mesh.name(9)
  on.ids.push(joiner)
  unlink(on, head, joiner)
  await on.start(joiner)
  await on.mesh.until('it is admitted', () => on.driver(joiner).admitted, 5000)
  await on.whole()
})

test('who can be reached through others only is given nothing new', async () => {
  const on = await stage(34, 5)
  const { head } = on
  const far = on.ids.at(-1)!
  unlink(on, head, far)
  await on.mesh.clock.run(3000)
  const { term } = on.driver(head).pointer!
  const near = on.ids.find((id) => id !== head && id !== far)!
  on.mesh.kill(near)
  await on.mesh.clock.run(500)
  await on.start(near)
  await on.mesh.clock.run(20_000)
  const newest = [...on.registry.journals.values()].filter(({ boot }) => boot === on.driver(near).boot)
  expect(newest.length).toBeGreaterThan(0)
  for (const { keepers } of newest) expect(keepers.map(({ peer }) => peer)).not.toContain(far)
  expect(on.driver(head).pointer!.term).toBeGreaterThanOrEqual(term)
  expect(on.head).toBe(head)
  await on.whole()
})

test('L2: what an earlier boot had relayed does not come back to life', async () => {
  const on = await stage(35, 5)
  const { head } = on
  const joiner = on.mesh.name(9)
  on.ids.push(joiner)
  unlink(on, head, joiner)
  let held = 0
  on.mesh.network.fate = (_from, to, { kind, ...rest }) => {
    const { from, message } = rest as { from?: PeerId; message?: MeshMessage }
    if (
      kind !== 'relayed' ||
      to !== head ||
      from !== joiner ||
      message?.kind !== 'cmd' ||
      on.mesh.clock.now > ends
    )
      return 0
    held++
    return 6000
  }
  const ends = on.mesh.clock.now + 3000
  await on.start(joiner)
  await on.mesh.clock.run(3000)
  expect(held).toBeGreaterThan(0)
  // It never was admitted, loses its disk, and is admitted with another one.
  on.mesh.wipe(joiner)
  on.mesh.network.heal()
  await on.start(joiner)
  await on.mesh.until('it is admitted', () => on.driver(joiner).admitted, 5000)
  const { boot } = on.driver(joiner)
  await on.mesh.clock.run(9000)
  expect(on.driver(joiner).boot).toBe(boot)
  expect(on.registry.peers.get(joiner)?.boot).toBe(boot)
  await on.whole()
})
