// Names of retired logs are forgotten (K9 in mesh/logs/kept-logs.ts), and what comes late finds nobody who begins them anew.

import { expect, test } from 'vitest'
import { type LogKey, type PeerId, peerOfBoot } from '../../mesh/ids.ts'
import type { MeshMessage } from '../../mesh/messages.ts'
import { replicated, type Stage, stage, synced } from './stage.ts'

const names = (on: Stage, id: PeerId): string[] => Object.keys(on.mesh.disks.get(id)!.durableFacts!.logs)

/** Nothing passes between `some` and the others. Streams stay open and look it. */
const separate = (on: Stage, some: readonly PeerId[], cut: 'noticed' | 'unnoticed'): void => {
  for (const a of some)
    for (const b of on.ids)
      if (!some.includes(b)) {
        on.mesh.network.cut(a, b, cut)
        on.mesh.network.cut(b, a, cut)
      }
}

/** Until no disk of these peers has the name of the log any more. */
const forgotten = (on: Stage, log: LogKey, ids: readonly PeerId[]) =>
  on.mesh.until('its name is forgotten', () => ids.every((id) => !names(on, id).includes(log)))

test('a host that was away for long does not get its retired journal acknowledged by keepers that forgot it', async () => {
  const on = await stage(41, 5, replicated, { retiredNames: 1 })
  const journal = [...on.registry.journals.values()].find(
    ({ boot, keepers }) => peerOfBoot(boot) !== on.head && keepers.every(({ peer }) => peer !== on.head),
  )!
  const host = peerOfBoot(journal.boot)
  const keepers = journal.keepers.map(({ peer }) => peer).filter((peer) => peer !== host)
  separate(on, [host], 'unnoticed')
  await forgotten(on, journal.key, keepers)
  await on.mesh.clock.run(3000)
  for (const keeper of keepers) {
    on.mesh.kill(keeper)
    await on.start(keeper)
  }
  await on.mesh.until('they are admitted', () => keepers.every((id) => on.driver(id).admitted))
  await on.mesh.clock.run(2000)
  // It meets its keepers again, and nothing tells it what came to pass: a candidate would read it in the registry.
  on.mesh.network.fate = (from, to, { kind }) =>
    (to === host && ['records', 'view', 'ping'].includes(kind)) ||
    (from === host && ['seal', 'relay'].includes(kind))
      ? 'lost'
      : 0
  const answers: string[] = []
  on.seen.push((from, to, message) => {
    if (to !== host || !keepers.includes(from) || !('log' in message) || message.log !== journal.key) return
    answers.push(message.kind)
  })
  for (const keeper of keepers) {
    on.mesh.network.mend(host, keeper)
    on.mesh.network.reset(host, keeper)
  }
  await on.mesh.clock.run(1500)
  on.sound()
  expect(answers).toContain('unknown')
  expect(answers).not.toContain('ack')
  await on.whole()
})

test('a candidate of a term that is long over gets no vote on a registry log that was forgotten', async () => {
  const on = await stage(42, 5, synced, { retiredNames: 1, registryMaxBlocks: 20 })
  const { pointer } = on.driver(on.head)
  const { key, keepers } = pointer!
  const behind = on.ids.at(-1)!
  const votes: MeshMessage[] = []
  on.seen.push((_from, to, message) => {
    if (to === behind && (message.kind === 'sealed' || message.kind === 'accepted') && message.log === key)
      votes.push(message)
  })
  on.mesh.kill(behind)
  // A term after the other: each host that comes and goes makes the registry log longer.
  const others = keepers.map(({ peer }) => peer).filter((peer) => peer !== behind)
  for (let round = 0; names(on, others[0]!).includes(key) || names(on, others[1]!).includes(key); round++) {
    expect(round).toBeLessThan(40)
    const id = on.ids[1 + (round % 3)]!
    on.mesh.kill(id)
    await on.mesh.clock.run(1500)
    await on.start(id)
    await on.mesh.clock.run(1500)
  }
  // It comes back and is told nothing, so it seals the log that it knows.
  on.mesh.network.fate = (_from, to, { kind }) =>
    to === behind && ['pointer', 'records', 'app'].includes(kind) ? 'lost' : 0
  let asked = 0
  on.seen.push((from, to, message) => {
    if (from === behind && to !== behind && message.kind === 'seal' && message.log === key) asked++
  })
  await on.start(behind)
  await on.mesh.clock.run(8000)
  expect(asked).toBeGreaterThan(0)
  expect(votes).toEqual([])
  on.sound()
  await on.whole()
})

test('names of retired logs do not pile up', async () => {
  const on = await stage(43, 3, replicated, { journalMaxBlocks: 8, retiredNames: 4 })
  await on.mesh.clock.run(6000)
  expect(on.registry.nextOrder).toBeGreaterThan(60)
  for (const id of on.ids) expect(names(on, id).length).toBeLessThan(30)
  on.sound()
  await on.whole()
})

test('a keeper that never heard of a journal answers for it all the same, whatever it forgot meanwhile', async () => {
  const on = await stage(44, 5, replicated, { retiredNames: 1 })
  const journal = () =>
    [...on.registry.journals.values()].find(
      ({ boot, keepers }) => peerOfBoot(boot) === host && keepers.every(({ peer }) => peer !== on.head),
    )!
  const host = on.ids.at(-1)!
  let deaf: PeerId | undefined
  on.mesh.network.fate = (from, to, message) => {
    if (from !== host || message.kind !== 'app' || message.class === 'registry') return 0
    deaf ??= to
    return deaf === to ? 'lost' : 0
  }
  on.mesh.kill(host)
  await on.start(host)
  await on.mesh.until('it writes', () => on.oracle.lastWrite.has(on.mesh.peers.get(host)!))
  const { key, boot, order } = journal()
  const other = on.ids.find((id) => id !== host && id !== deaf && id !== on.head)!
  on.mesh.kill(other)
  await on.mesh.clock.run(2000)
  await on.start(other)
  const floor = () => on.mesh.disks.get(deaf!)!.durableFacts!.journalFloor ?? 0
  await on.mesh.until('what was retired is forgotten', () => floor() > order, 20_000)
  on.mesh.kill(host)
  on.mesh.network.fate = undefined
  await on.mesh.until(
    'it is recovered',
    () => on.registry.boots.get(boot)?.status !== 'live' || !on.registry.boots.has(boot),
    5000,
  )
  expect(names(on, deaf!)).toContain(key)
  await on.whole()
})

test('K9 a host that ends before it heard that its journal is open still answers for it', async () => {
  const on = await stage(45, 2, replicated, { journalMaxBlocks: 8, retiredNames: 1 })
  const host = on.ids[1]!
  expect(on.head).not.toBe(host)
  on.mesh.network.fate = (_from, to, { kind }) => (to === host && kind === 'done' ? 'lost' : 0)
  const since = on.registry.nextOrder
  await on.mesh.until('one is open, its host does not know, and older ones were forgotten', () =>
    [...on.registry.journals.values()].some(
      ({ boot, order }) =>
        peerOfBoot(boot) === host &&
        order >= since &&
        order < (on.mesh.disks.get(host)!.durableJournalFloor ?? 0),
    ),
  )
  on.mesh.kill(host)
  await on.whole()
})
