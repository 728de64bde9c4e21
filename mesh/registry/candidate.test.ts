import { describe, expect, test } from 'vitest'
import { logKey } from '../ids.ts'
import type { Ballot, Successor } from '../log-types.ts'
import { PointerStore } from '../pointer.ts'
import { Bench, boot, peer, pointerOf, store } from '../role.testing.ts'
import { snapshotBlocks } from './blocks.ts'
import { Candidate } from './candidate.ts'
import { Follower } from './follower.ts'
import { emptyRegistry } from './state.ts'

const KEEPERS = ['a', 'b', 'c', 'd', 'e']
const pointer = pointerOf('a', KEEPERS)

/** A candidate on peer `z`, which keeps nothing: every answer comes from the test. */
class Campaign {
  readonly bench: Bench
  readonly chosen: string[] = []
  readonly #candidate: Candidate

  constructor(nonce = '1') {
    this.bench = new Bench('z', KEEPERS, nonce)
    const { env } = this.bench
    // A copy of the log's snapshot is at hand, as on any peer that once kept it.
    this.bench.blocks.set(pointer.key, snapshotBlocks(emptyRegistry(pointer.meshId), env.codec))
    this.#candidate = new Candidate(env, new PointerStore(env, pointer, () => {}), new Follower(env), {
      isGone: () => false,
      chooseKeepers: () => [{ peer: peer('e'), store: store('e') }],
      addresses: () => ({}),
      holds: (_log, _term, then) => then(),
      chosen: ({ key }) => this.chosen.push(key),
    })
  }

  /** The ballot that it asks for now. */
  begin(): Ballot {
    this.#candidate.campaign('consent')
    this.bench.settle()
    return this.bench.take('seal')[0]!.ballot
  }
  sealed(
    from: string,
    ballot: Ballot,
    length = 0,
    accepted?: { ballot: Ballot; successor: Successor },
  ): void {
    const answer = { log: pointer.key, store: store(from), ballot, length, hash: '', tainted: false }
    const rest = accepted ? { accepted } : {}
    this.#candidate.handle(peer(from), { kind: 'sealed', ...answer, ...rest })
    this.bench.settle()
  }
  unknown(from: string): void {
    this.#candidate.handle(peer(from), { kind: 'unknown', log: pointer.key, store: store(from) })
    this.bench.settle()
  }
  accepted(from: string, ballot: Ballot): void {
    this.#candidate.handle(peer(from), { kind: 'accepted', log: pointer.key, store: store(from), ballot })
    this.bench.settle()
  }
  /** The keeper of the next term says that it holds so much of this log. */
  acknowledged(log: string, length: number): void {
    this.#candidate.handle(peer('e'), {
      kind: 'ack',
      log: logKey(log),
      store: store('e'),
      length,
      synced: length,
    })
    this.bench.settle()
  }
  /** Nothing is answered for so long that the step is given up, and the next may begin. */
  wait(): void {
    for (let time = 0; time < 4; time++) {
      this.bench.env.now += 20_000
      this.#candidate.tick()
    }
    this.bench.settle()
    this.bench.sent.length = 0
  }
  /** What it proposes, if it does. */
  proposal(): Successor | undefined {
    return this.bench.take('accept')[0]?.successor
  }
  get isReading(): boolean {
    return this.bench.take('fetch').length > 0
  }
}

const successor = (key: string): Successor => ({ ...pointer, term: 4, key: logKey(key) })

describe('C2: what was accepted is adopted', () => {
  const low = { ballot: { n: 1, boot: boot('b') }, successor: successor('low') }
  const high = { ballot: { n: 2, boot: boot('c') }, successor: successor('high') }
  for (const order of [
    [low, high],
    [high, low],
  ])
    test(`adoptLowestBallot: of two, that of the highest ballot (${order[0] === low ? 'last' : 'first'} to come)`, () => {
      const campaign = new Campaign()
      const ballot = campaign.begin()
      campaign.sealed('a', ballot, 3, order[0])
      campaign.sealed('b', ballot, 9)
      campaign.sealed('c', ballot, 3, order[1])
      expect(campaign.proposal()?.key).toBe('high')
    })
})

test('minoritySeal: nothing is read or proposed before a majority answered this very ballot', () => {
  const campaign = new Campaign()
  const first = campaign.begin()
  campaign.wait()
  const ballot = campaign.begin()
  campaign.sealed('a', ballot, 2)
  campaign.sealed('b', ballot, 2)
  campaign.sealed('b', ballot, 2)
  campaign.sealed('c', first, 2)
  expect(campaign.isReading).toBe(false)
  campaign.sealed('c', ballot, 2)
  expect(campaign.isReading).toBe(true)
})

test('shortestLog: the next term begins from the longest of the copies that were sealed', () => {
  for (const lengths of [
    [2, 5, 3],
    [5, 3, 2],
    [2, 3, 5],
  ]) {
    const campaign = new Campaign()
    const ballot = campaign.begin()
    for (const [i, length] of lengths.entries()) campaign.sealed(KEEPERS[i]!, ballot, length)
    expect(campaign.bench.take('fetch')[0]?.upTo).toBe(5)
  }
})

test('minorityAccept: a successor is chosen once a majority accepted it under this very ballot', () => {
  const campaign = new Campaign()
  const first = campaign.begin()
  campaign.wait()
  const ballot = campaign.begin()
  const accepted = { ballot: first, successor: successor('x') }
  for (const name of ['a', 'b', 'c']) campaign.sealed(name, ballot, 3, accepted)
  for (const name of ['a', 'b', 'b']) campaign.accepted(name, ballot)
  campaign.accepted('c', first)
  expect(campaign.chosen).toEqual([])
  campaign.accepted('d', ballot)
  expect(campaign.chosen).toEqual(['x'])
})

test('R7 unknownVotesForATerm: a keeper that knows nothing of the log is no vote', () => {
  const campaign = new Campaign()
  const ballot = campaign.begin()
  campaign.sealed('a', ballot, 2)
  campaign.sealed('b', ballot, 2)
  campaign.unknown('c')
  expect(campaign.isReading).toBe(false)
})

test('C1 ballotReuse: an attempt that was given up is followed by one with a higher ballot', () => {
  const campaign = new Campaign()
  const first = campaign.begin()
  campaign.wait()
  expect(campaign.begin().n).toBeGreaterThan(first.n)
})

test('C4 ballotOfThePeer: the next process of a peer has ballots of its own', () => {
  expect(new Campaign('1').begin()).not.toEqual(new Campaign('2').begin())
})

test('C3 identifyByTerm: a keeper’s word for the log of an earlier attempt is none for this one', () => {
  const campaign = new Campaign()
  const attempt = () => {
    const ballot = campaign.begin()
    for (const name of ['a', 'b', 'c']) campaign.sealed(name, ballot, 1)
  }
  attempt()
  campaign.wait()
  attempt()
  campaign.acknowledged('made-0', 1)
  expect(campaign.proposal()).toBe(undefined)
  campaign.acknowledged('made-1', 1)
  expect(campaign.proposal()?.key).toBe('made-1')
})
