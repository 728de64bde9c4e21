// While the registry is on its way into its next log nothing is committed, and every lost actor waits. So nobody is waited for
// in vain, and nothing that is under way is ended because it is slow.

import { expect, test } from 'vitest'
import type { PeerId } from '../../mesh/ids.ts'
import { type Stage, stage } from './stage.ts'

/** A take-over takes some ten messages and syncs of a few milliseconds; far below what an answer is waited for. */
const AT_ONCE_MS = 700

test('a keeper of the next term ends before it has the snapshot: others are taken at once', async () => {
  const on = await stage(1, 4)
  const { head } = on
  const keepers = on.driver(head).pointer!.keepers.map(({ peer }) => peer)
  const spare = on.ids.find((id) => !keepers.includes(id))!
  on.seen.push((from, to, message) => {
    const isSnapshot = message.kind === 'app' && message.class === 'registry' && !message.pointer
    if (isSnapshot && from === head && to === spare) on.mesh.kill(spare)
  })
  on.mesh.kill(keepers.find((id) => id !== head)!)
  await on.mesh.until('its place is being taken', () => !on.mesh.peers.has(spare))
  const since = on.mesh.clock.now
  await on.mesh.await(on.driver(head).command({ kind: 'noop' }))
  expect(on.mesh.clock.now - since).toBeLessThan(AT_ONCE_MS)
  await on.whole()
})

test('candidates that try one after the other do not overtake each other when every step is slow', async () => {
  const on = await stage(2, 5)
  const { head } = on
  const first = on.ids.find((id) => id !== head)
  // Longer than one candidate waits after the other.
  on.mesh.network.fate = () => 350
  const proposed = new Set<PeerId>()
  on.seen.push((from, _to, message) => message.kind === 'accept' && proposed.add(from))
  on.mesh.kill(head)
  await on.mesh.until('a new head', () => [...on.mesh.peers.values()].some(({ driver }) => driver.isHead))
  expect([on.head, ...proposed]).toEqual([first, first])
  await on.whole()
})

const frozen = (on: Stage, head: PeerId): void => on.mesh.freeze(head)
const cutOff = (on: Stage, head: PeerId): void => {
  for (const id of on.ids.filter((each) => each !== head)) {
    on.mesh.network.cut(id, head, 'unnoticed')
    on.mesh.network.cut(head, id, 'unnoticed')
  }
}
const silenced = async (silence: typeof frozen): Promise<void> => {
  const on = await stage(3, 5)
  const { head } = on
  const others = [...on.mesh.peers.values()].filter(({ id }) => id !== head)
  silence(on, head)
  const isDead = (): boolean =>
    others.every(({ driver }) =>
      driver.members().some(({ peer, liveness }) => peer === head && liveness === 'dead'),
    )
  await on.mesh.until('it is held to be dead', isDead)
  const since = on.mesh.clock.now
  await on.mesh.until('a new head', () => others.some(({ driver }) => driver.isHead))
  expect(on.mesh.clock.now - since).toBeLessThan(AT_ONCE_MS)
  on.mesh.thaw(head)
  on.mesh.network.heal()
  await on.whole()
}

test('the head is frozen, and its streams look open: the next term does not wait for it', () =>
  silenced(frozen))

test('the head is cut off, and its streams look open: the next term does not wait for it', () =>
  silenced(cutOff))
