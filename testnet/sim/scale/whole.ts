// Whole peers, with the registry and its head, on the simulator's own network (mesh.ts): what the membership alone does not
// show. Every peer has its own tables and registry, so that hundreds of them are what fits.

import type { PeerId } from '../../../mesh/ids.ts'
import { nameOf, SimMesh } from '../mesh.ts'

export interface WholeOptions {
  readonly size: number
  readonly seed: number
  /** Share of messages and of gossip that never arrive. */
  readonly loss: number
  /** Virtual time in which nothing is done to the mesh. */
  readonly steadyMs: number
}

/** Decided by the seed. */
export interface WholeResult {
  readonly size: number
  /** Facts in views that a peer sent, on average, until all were admitted. */
  readonly factsToMeet: number
  /** Sent per peer and second in the steady time, and by the head. Not counted: copies of gossip. */
  readonly messages: number
  readonly messagesByKind: Readonly<Record<string, number>>
  readonly headMessages: number
  /** Terms begun in the steady time: the head lost its place for no reason. */
  readonly needlessTerms: number
  /** From the end of the head's process to the first and the last peer that follows another, in ms; and the terms it took. */
  readonly takenOverMs: number
  readonly followedMs: number
  readonly terms: number
}

/** Together, as a rack that is switched on. */
const BATCH = 10

export async function runWhole({ size, seed, loss, steadyMs }: WholeOptions): Promise<WholeResult> {
  const mesh = new SimMesh({ seed, wire: false })
  const counts = new Map<string, number>()
  const sent = new Map<PeerId, number>()
  let facts = 0
  mesh.network.trace = (from, _to, message) => {
    counts.set(message.kind, (counts.get(message.kind) ?? 0) + 1)
    sent.set(from, (sent.get(from) ?? 0) + 1)
    if (message.kind === 'view') facts += message.facts.length
  }
  await mesh.start(nameOf(0), true)
  for (let at = 1; at < size; at += BATCH) {
    const names = Array.from({ length: Math.min(BATCH, size - at) }, (_, i) => nameOf(at + i))
    await Promise.all(names.map((name) => mesh.start(name)))
  }
  const drivers = () => [...mesh.peers.values()].map(({ driver }) => driver)
  await mesh.until('all are admitted', () => drivers().every(({ admitted }) => admitted))
  const factsToMeet = facts / size
  // A joiner with a lower ID would get the head by now, and keepers have been added.
  await mesh.clock.run(5000)
  mesh.network.chaos = () => ({ lost: mesh.random() < loss })
  counts.clear()
  sent.clear()
  const termBefore = term(mesh)
  await mesh.clock.run(steadyMs)
  const seconds = steadyMs / 1000
  const messagesByKind = Object.fromEntries([...counts].map(([kind, n]) => [kind, n / size / seconds]))
  const head = drivers()
    .find(({ isHead }) => isHead)
    ?.head()
  if (head === undefined) throw new Error(`there is no head\n${mesh.dump()}`)
  const result = {
    size,
    factsToMeet,
    messages: [...counts.values()].reduce((a, b) => a + b, 0) / size / seconds,
    messagesByKind,
    headMessages: (sent.get(head) ?? 0) / seconds,
    needlessTerms: term(mesh) - termBefore,
  }
  return { ...result, ...(await lose(mesh, head)) }
}

async function lose(
  mesh: SimMesh,
  head: PeerId,
): Promise<Pick<WholeResult, 'takenOverMs' | 'followedMs' | 'terms'>> {
  const killedAt = mesh.clock.now
  const before = term(mesh)
  mesh.kill(head)
  const follow = () =>
    [...mesh.peers.values()].map(({ driver }) => driver.head() !== head && driver.head() !== undefined)
  await mesh.until('another has the registry', () => follow().includes(true))
  const takenOverMs = mesh.clock.now - killedAt
  await mesh.until('everybody follows it', () => !follow().includes(false))
  return { takenOverMs, followedMs: mesh.clock.now - killedAt, terms: term(mesh) - before }
}

const term = (mesh: SimMesh): number =>
  Math.max(...[...mesh.peers.values()].map(({ driver }) => driver.pointer?.term ?? 0))
