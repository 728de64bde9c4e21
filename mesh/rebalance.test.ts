import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  anyActors,
  anyPeer,
  candidatesOf,
  crowd,
  type Homes,
  loadOf,
  missed,
  objection,
  type Peer,
} from './hosts.testing.ts'
import { actorKey, bootId, peerId, peerOfBoot } from './ids.ts'
import { assignHomes, type HostActor, Places } from './placement.ts'
import { chooseMoves, type Move } from './rebalance.ts'

/** Peers that come and go, with actors that get a home as soon as there is one for them. */
class Town {
  peers: Peer[] = []
  readonly homes: Homes = new Map()
  readonly #actors: readonly HostActor[]

  constructor(actors: readonly HostActor[]) {
    this.#actors = actors
  }

  /** The lowest name is the head's, as in a mesh. */
  join(peer: Peer): void {
    this.peers = [...this.peers.filter(({ boot }) => boot !== peer.boot), peer].sort((a, b) =>
      a.peer < b.peer ? -1 : 1,
    )
    this.settle()
  }
  leave(name: string): void {
    this.peers = this.peers.filter(({ peer }) => peer !== name)
    for (const [key, { home }] of this.homes) if (peerOfBoot(home) === name) this.homes.delete(key)
    this.settle()
  }
  settle(): void {
    const waiting = this.#actors.filter(({ key }) => !this.homes.has(key))
    for (const [key, home] of assignHomes(waiting, candidatesOf(this.peers, this.homes)))
      this.homes.set(key, { actor: this.#actors.find((actor) => actor.key === key)!, home })
  }
  propose(most: number, pinnedOnly = false): Move[] {
    return chooseMoves({
      places: new Places(candidatesOf(this.peers, this.homes)),
      actors: [...this.homes.values()],
      steady: new Set(this.peers.map(({ boot }) => boot)),
      most,
      pinnedOnly,
    })
  }
  carryOut({ actor: key, to }: Move): void {
    const { actor } = this.homes.get(key)!
    this.homes.delete(key)
    this.homes.set(key, { actor, home: to })
  }

  /** B2, counted out. */
  potential(): number[] {
    const all = [...this.homes.values()]
    const peerOf = (home: string): Peer => this.peers.find(({ boot }) => boot === home)!
    const head = this.peers.find(({ live }) => live)
    return [
      all.filter(({ actor, home }) => actor.placement?.home === 'head' && home !== head?.boot).length,
      all.reduce((sum, { actor, home }) => sum + missed(actor, peerOf(home)), 0),
      // An actor and each of its kind at its value: with a of them, a (a - 1), which shrinks as a² does.
      all.reduce((sum, { actor, home }) => sum + crowd(actor, peerOf(home), this.peers, this.homes), 0),
      this.peers.reduce((sum, peer) => sum + loadOf(peer, this.homes) ** 2, 0),
    ]
  }
}

const smaller = (a: readonly number[], b: readonly number[]): boolean => {
  const at = a.findIndex((part, i) => part !== b[i])
  return at >= 0 && a[at]! < b[at]!
}

const steady = (name: string) => anyPeer(name).map((peer) => ({ ...peer, live: true, leaving: false }))
const change = fc
  .integer({ min: 0, max: 7 })
  .chain((n) =>
    fc.oneof(
      { weight: 2, arbitrary: steady(`p${n}`).map((join) => ({ join })) },
      { weight: 1, arbitrary: fc.constant({ leave: `p${n}` }) },
    ),
  )

test('B1 B2 B3 after any joins and leaves there is an end to moves, each is for the better, and none breaks a rule', () => {
  fc.assert(
    fc.property(
      anyActors(30),
      fc.array(change, { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 5 }),
      (actors, changes, most) => {
        const town = new Town(actors)
        for (const each of changes) {
          if ('join' in each) {
            // A peer comes back as another one: what was there went with it.
            town.leave(each.join.peer)
            town.join(each.join)
          } else town.leave(each.leave)
          for (let round = 0, end = false; !end; round++) {
            if (round > 500) throw new Error('no end to moves')
            const moves = town.propose(most)
            expect(moves.length).toBeLessThanOrEqual(most)
            end = moves.length === 0
            for (const move of moves) {
              const before = town.potential()
              town.carryOut(move)
              expect(smaller(town.potential(), before)).toBe(true)
            }
            for (const { actor, home } of town.homes.values()) {
              const problem = objection(
                actor,
                town.peers.find(({ boot }) => boot === home)!,
                town.peers,
                town.homes,
              )
              // What is pinned stays at a former head where the present one cannot run it, or has no room.
              if (problem !== 'not the head') expect(problem).toBe('')
            }
            // Room was made: who waited comes first, as in a mesh.
            town.settle()
          }
        }
      },
    ),
    { numRuns: 200 },
  )
})

const plain = (name: string, peer: Partial<Peer> = {}): Peer => ({
  boot: bootId(peerId(name), '1'),
  peer: peerId(name),
  live: true,
  leaving: false,
  canHost: true,
  labels: {},
  types: ['Counter'],
  ...peer,
})
const counters = (count: number, placement: HostActor['placement'] = {}): HostActor[] =>
  Array.from({ length: count }, (_, i) => ({
    key: actorKey('Counter', `${i}`),
    type: 'Counter',
    labels: {},
    placement: placement ?? {},
  }))
const loads = ({ peers, homes }: Town): number[] => peers.map((peer) => loadOf(peer, homes))
function balance(town: Town, pinnedOnly = false): number {
  for (let count = 0; ; count++) {
    const [move] = town.propose(1, pinnedOnly)
    if (!move) return count
    town.carryOut(move)
  }
}

test('a newcomer gets its share, up to the margin, and only the others pay', () => {
  const town = new Town(counters(300))
  for (const name of ['a', 'b', 'c']) town.join(plain(name))
  balance(town)
  expect(balance(town)).toBe(0)
  town.join(plain('d'))
  const moves = balance(town)
  expect(Math.max(...loads(town)) - Math.min(...loads(town))).toBeLessThanOrEqual(15) // a fifth of the mean of 75
  expect(moves).toBe(loads(town)[3])
})

test('four more actors are no reason to move any, five are', () => {
  const town = new Town(counters(4))
  town.join(plain('a'))
  town.join(plain('b'))
  expect(balance(town)).toBe(0)
  const fuller = new Town(counters(5))
  fuller.join(plain('a'))
  fuller.join(plain('b'))
  expect(balance(fuller)).toBe(1)
})

test('a preferred label and an even spread are had as soon as there is a peer for them', () => {
  const wishes = new Town(counters(3, { preferLabels: { disk: 'ssd' } }))
  wishes.join(plain('a'))
  wishes.join(plain('b', { labels: { disk: 'ssd' } }))
  expect([balance(wishes), loads(wishes)]).toEqual([3, [0, 3]])
  const spread = new Town(counters(6, { spread: 'zone' }))
  spread.join(plain('a', { labels: { zone: 'north' } }))
  spread.join(plain('b', { labels: { zone: 'north' } }))
  spread.join(plain('c', { labels: { zone: 'south' } }))
  balance(spread)
  expect(loads(spread)[2]).toBe(3)
})

test('B2 loadBeforeWishes: a preferred label is worth more than an even load', () => {
  const town = new Town(counters(20, { preferLabels: { disk: 'ssd' } }))
  town.join(plain('a', { labels: { disk: 'ssd' } }))
  town.join(plain('b'))
  expect([town.propose(5), loads(town)]).toEqual([[], [20, 0]])
})

test('what is pinned follows the head, also where nothing else moves, and stays where the head has no room', () => {
  const town = new Town([...counters(1, { home: 'head', resources: { slots: 1 } })])
  town.join(plain('b', { resources: { slots: 1 } }))
  town.join(plain('a'))
  expect(balance(town, true)).toBe(0)
  town.join(plain('0', { resources: { slots: 1 } }))
  expect([balance(town, true), loads(town)]).toEqual([1, [1, 0, 0]])
  const others = new Town(counters(20))
  others.join(plain('a'))
  others.join(plain('b'))
  expect(balance(others, true)).toBe(0)
})

test('nothing is sent to a peer that has just come', () => {
  const town = new Town(counters(20))
  town.join(plain('a'))
  town.join(plain('b'))
  const question = { actors: [...town.homes.values()], most: 3, pinnedOnly: false }
  const places = () => new Places(candidatesOf(town.peers, town.homes))
  expect(chooseMoves({ ...question, places: places(), steady: new Set([town.peers[0]!.boot]) })).toEqual([])
  expect(chooseMoves({ ...question, places: places(), steady: new Set([town.peers[1]!.boot]) }).length).toBe(
    3,
  )
})
