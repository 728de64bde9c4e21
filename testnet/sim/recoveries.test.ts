// Directed scenarios of the recovery of a lost boot: what keepers say, what they do not have, what its host does meanwhile.

import { expect, test } from 'vitest'
import { type PeerId, peerOfBoot } from '../../mesh/ids.ts'
import type { JournalEntry } from '../../mesh/registry/types.ts'
import { replicated, type Stage, stage } from './stage.ts'

function openJournal(on: Stage, host: PeerId): JournalEntry {
  const { boot } = on.driver(host)
  return [...on.registry.journals.values()].find(
    ({ boot: of, status }) => of === boot && status.kind === 'open',
  )!
}

const isDead = (on: Stage, { boot }: JournalEntry): boolean =>
  [...on.mesh.peers.values()].some(
    ({ driver }) => driver.isHead && driver.registry?.boots.get(boot)?.status === 'dead',
  )

test('forgetSeal: a keeper that restarts still refuses what it sealed', async () => {
  const on = await stage(21, 5)
  const host = on.ids[3]!
  const journal = openJournal(on, host)
  const keeper = journal.keepers.map(({ peer }) => peer).find((peer) => peer !== host && peer !== on.head)!
  on.mesh.freeze(host)
  let restarted = false
  on.mesh.network.fate = (from, to, message) => {
    const { kind } = message
    // The recovery does not end, so nobody gives the journal up, and the keeper is not asked again.
    if (kind === 'sealed' && message.log === journal.key) return 'lost'
    if (restarted && kind === 'seal' && to === keeper) return 'lost'
    // Nobody who could tell the host that it was replaced gets through to it.
    return to === host && (from !== keeper || ['records', 'pointer'].includes(kind)) ? 'lost' : 0
  }
  const sealed = () => on.mesh.disks.get(keeper)!.durableLog(journal.key)?.seal !== undefined
  await on.mesh.until('the keeper sealed it', sealed)
  on.mesh.kill(keeper)
  restarted = true
  await on.start(keeper)
  const answers: string[] = []
  on.seen.push((from, to, message) => {
    const isAnswer = message.kind === 'logSealed' || message.kind === 'ack'
    if (from === keeper && to === host && isAnswer && message.log === journal.key) answers.push(message.kind)
  })
  on.mesh.thaw(host)
  await on.mesh.until('the keeper answers', () => answers.length > 0)
  expect(answers[0]).toBe('logSealed')
  on.sound()
  await on.whole()
})

const losses = [
  ['taintedCounts: a keeper whose power failed does not speak for what it acknowledged', 'power'],
  ['unknownCounts: a keeper that lost its disk does not speak for what was on it', 'disk'],
] as const
for (const [title, loss] of losses)
  test(title, async () => {
    const on = await stage(22, 5, replicated)
    const host = on.ids[3]!
    const journal = openJournal(on, host)
    const [first, second] = journal.keepers.map(({ peer }) => peer).filter((peer) => peer !== host)
    // One keeper falls behind: what is acknowledged now is with the host and the other one only.
    on.mesh.network.fate = (_from, to, message) =>
      to === second && message.kind === 'app' && message.log === journal.key ? 'lost' : 0
    await on.mesh.clock.run(300)
    const acknowledged = on.oracle.acknowledged.get(journal.key)!
    on.mesh.kill(host)
    if (loss === 'power') on.mesh.kill(first!, true)
    else on.mesh.wipe(first!)
    await on.mesh.clock.run(50)
    await on.start(first!)
    await on.mesh.clock.run(10_000)
    on.sound()
    expect(on.mesh.peers.has(host)).toBe(false)
    await on.whole()
    expect(on.oracle.ended.get(journal.key)).toBeGreaterThanOrEqual(acknowledged)
  })

test('only-one-keeper-has-the-tail-and-dies-in-repair: nobody waits for what was never acknowledged', async () => {
  // Whether others are asked for the tail, or the head counted enough without it, is chance: often enough of four.
  for (const seed of [31, 33, 37, 38]) {
    const on = await stage(seed, 7, { level: 'replicated', keepers: 5 })
    const host = on.ids[5]!
    const { boot } = on.driver(host)
    const journal = [...on.registry.journals.values()].find(
      (each) => each.boot === boot && each.status.kind === 'open' && each.keepers.length === 5,
    )!
    const registryKeepers = on.driver(on.head).pointer!.keepers.map(({ peer }) => peer)
    const others = journal.keepers.map(({ peer }) => peer).filter((peer) => peer !== host)
    const tail = others.find((peer) => peer !== on.head && !registryKeepers.includes(peer)) ?? others.at(-1)!
    on.mesh.network.fate = (_from, to, message) =>
      to !== tail && message.kind === 'app' && message.log === journal.key ? 'lost' : 0
    await on.mesh.clock.run(200)
    on.mesh.kill(host)
    // It answers before the last of the others, so that what it alone has is what all are to have.
    const late = others.filter((peer) => peer !== tail && peer !== on.head).at(-1)
    on.mesh.network.fate = (from, _to, { kind }) => (kind === 'sealed' && from === late ? 300 : 0)
    let died = false
    on.seen.push((_from, to, message) => {
      if (message.kind !== 'fetch' || message.log !== journal.key || to !== tail || died) return
      died = true
      on.mesh.kill(tail)
    })
    await on.mesh.until('it died in repair', () => died, 10_000)
    await on.mesh.until('the boot of the host is recovered without it', () => isDead(on, journal), 5000)
    expect(on.mesh.peers.has(tail)).toBe(false)
    expect(peerOfBoot(journal.boot)).toBe(host)
    await on.whole()
  }
})

test('K8 oldDiskAfterAnother: an old state of a disk is put back after an empty one, and has no vote', async () => {
  const on = await stage(23, 5, replicated)
  const host = on.ids[3]!
  const journal = openJournal(on, host)
  const [first, second] = journal.keepers.map(({ peer }) => peer).filter((peer) => peer !== host)
  const image = on.mesh.disks.get(first!)!.image()
  on.mesh.kill(first!)
  await on.start(first!)
  await on.mesh.until('it is back', () => on.driver(first!).admitted)
  // One keeper falls behind: what is acknowledged now is with the host and the other one only.
  on.mesh.network.fate = (_from, to, message) =>
    to === second && message.kind === 'app' && message.log === journal.key ? 'lost' : 0
  await on.mesh.clock.run(300)
  const acknowledged = on.oracle.acknowledged.get(journal.key)!
  on.mesh.kill(host)
  on.mesh.wipe(first!)
  await on.start(first!)
  await on.mesh.until('the empty disk is admitted', () => on.driver(first!).admitted)
  on.mesh.kill(first!)
  on.mesh.disks.get(first!)!.restore(image)
  const refused: PeerId[] = []
  on.mesh.onFatal = (id) => refused.push(id)
  await on.start(first!)
  await on.mesh.clock.run(10_000)
  on.sound()
  expect(refused).toEqual([first])
  on.mesh.wipe(first!)
  await on.whole()
  expect(on.oracle.ended.get(journal.key)).toBeGreaterThanOrEqual(acknowledged)
})
