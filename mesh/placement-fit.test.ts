import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rendezvousScore } from './hash.ts'
import {
  anyActors,
  anyPeers,
  candidatesOf,
  crowd,
  type Homes,
  loadOf,
  missed,
  objection,
  type Peer,
} from './hosts.testing.ts'
import { actorKey, bootId, peerId, peerOfBoot } from './ids.ts'
import { Occupancy } from './occupancy.ts'
import { assignHomes, type HostActor, type HostCandidate } from './placement.ts'
import { whyNoHome } from './placement-why.ts'

/** One actor after the other, each to the best of all peers that nothing speaks against. */
function dumbly(actors: readonly HostActor[], peers: readonly Peer[]): Homes {
  const homes: Homes = new Map()
  for (const actor of actors) {
    const rank = (peer: Peer) => [
      missed(actor, peer),
      crowd(actor, peer, peers, homes),
      loadOf(peer, homes),
      -rendezvousScore(actor.key, peer.boot),
    ]
    const [best] = peers
      .filter((peer) => objection(actor, peer, peers, homes) === '')
      .sort((a, b) => rank(a).reduce((order, mine, i) => order || mine - rank(b)[i]!, 0))
    if (best) homes.set(actor.key, { actor, home: best.boot })
  }
  return homes
}

test('P3 P4 any batch of any actors: the homes are those of the rules in words', () => {
  fc.assert(
    fc.property(anyPeers(), anyActors(), (peers, actors) => {
      const expected = new Map([...dumbly(actors, peers)].map(([key, { home }]) => [key, home]))
      expect(assignHomes(actors, candidatesOf(peers, new Map()))).toEqual(expected)
    }),
    { numRuns: 500 },
  )
})

test('P3 on peers that have actors already, nothing is overcommitted, and who is left out has a cause', () => {
  fc.assert(
    fc.property(anyPeers(), anyActors(), anyActors(), (peers, early, late) => {
      const homes = dumbly(early, peers)
      const renamed = late.map((actor) => ({ ...actor, key: actorKey(actor.type, `late ${actor.key}`) }))
      for (const [key, home] of assignHomes(renamed, candidatesOf(peers, homes)))
        homes.set(key, { actor: renamed.find((actor) => actor.key === key)!, home })
      for (const { actor, home } of homes.values())
        expect(objection(actor, peers.find(({ boot }) => boot === home)!, peers, homes)).toBe('')
      for (const actor of renamed) {
        const able = peers.some((peer) => objection(actor, peer, peers, homes) === '')
        const why = whyNoHome(actor, candidatesOf(peers, homes), String)
        if (!homes.has(actor.key)) expect([able, why === '']).toEqual([false, false])
      }
    }),
    { numRuns: 300 },
  )
})

const host = (name: string, change: Partial<HostCandidate> = {}, there: readonly HostActor[] = []) => {
  const occupancy = new Occupancy()
  for (const actor of there) occupancy.count(actor, { load: 1, room: 1 })
  return {
    boot: bootId(peerId(name), '1'),
    peer: peerId(name),
    live: true,
    leaving: false,
    canHost: true,
    labels: {},
    types: ['Trainer', 'Index'],
    head: false,
    occupancy,
    ...change,
  }
}
const one = (type: string, placement: HostActor['placement'] = {}, labels = {}): HostActor => ({
  key: actorKey(type, 'a'),
  type,
  labels,
  placement: placement ?? {},
})
const gpu = one('Trainer', { resources: { gpu: 1 } })
const full = host('atlas', { resources: { gpu: 2 } }, [gpu, gpu])

test.each<[string, HostActor, HostCandidate[], string]>([
  ['nobody is there', gpu, [], 'no peer that is here can run Trainer'],
  ['nobody knows the type', gpu, [host('atlas', { types: [] })], 'no peer that is here can run Trainer'],
  ['no room', gpu, [full], 'needs gpu=1: atlas has 0 of 2 left'],
  ['no room anywhere', gpu, [full, host('borea')], 'needs gpu=1: atlas has 0 of 2 left, borea offers none'],
  [
    'many without',
    gpu,
    ['a', 'b', 'c', 'd', 'e'].map((name) => host(name)),
    'needs gpu=1: a offers none, b offers none, c offers none, 2 more alike',
  ],
  [
    'no room, and nobody with the label',
    one('Trainer', { resources: { gpu: 1 } }, { zone: 'b' }),
    [full],
    'needs gpu=1: atlas has 0 of 2 left; zone=b is asked for and nobody has it',
  ],
  [
    'room, and somewhere else the label',
    one('Trainer', { resources: { gpu: 1 } }, { zone: 'b' }),
    [host('atlas', { resources: { gpu: 2 } }), host('borea', { labels: { zone: 'b' } })],
    'needs gpu=1: borea offers none',
  ],
  [
    'labels that nobody has together',
    one('Trainer', {}, { zone: 'b', disk: 'ssd' }),
    [host('a', { labels: { zone: 'b' } }), host('b', { labels: { disk: 'ssd' } })],
    'zone=b, disk=ssd are asked for and nobody has all of them',
  ],
  [
    'it keeps apart',
    one('Trainer', { apartFrom: ['Index'] }),
    [host('atlas', {}, [one('Index')])],
    'keeps apart from Index, which is on atlas',
  ],
  [
    'it is kept apart from',
    one('Index'),
    [host('atlas', {}, [one('Trainer', { apartFrom: ['Index'] })])],
    'actors on atlas keep apart from Index',
  ],
  [
    'the head is none for it',
    one('Trainer', { home: 'head' }),
    [host('atlas'), host('borea', { head: true, types: [] })],
    'home: head is asked for and the head cannot run it',
  ],
  ['somebody can', gpu, [full, host('borea', { resources: { gpu: 1 } })], ''],
])('why it waits: %s', (_, actor, candidates, expected) => {
  expect(whyNoHome(actor, candidates, String)).toBe(expected)
  expect(assignHomes([actor], candidates).size).toBe(expected === '' ? 1 : 0)
})

test('three times 0.1 is 0.3, and a name of Object is a name like any other', () => {
  const third = (name: string) => ({
    ...one('Trainer', { resources: { slots: 0.1 } }),
    key: actorKey('Trainer', name),
  })
  const actors = ['1', '2', '3', '4'].map(third)
  expect(assignHomes(actors, [host('a', { resources: { slots: 0.3 } })]).size).toBe(3)
  const odd = one('Trainer', { resources: { constructor: 1, toString: 1 } })
  expect(whyNoHome(odd, [host('a')], String)).toContain('needs constructor=1: a offers none')
})

test('P4 noSpread: what is spread lives where fewest of its kind do, however busy it is there', () => {
  const spread = (name: string): HostActor => ({
    ...one('Trainer', { spread: 'zone' }),
    key: actorKey('Trainer', name),
  })
  const peers = [
    host('a', { labels: { zone: 'north' } }, [spread('1')]),
    host('b', { labels: { zone: 'north' } }),
    host('c', { labels: { zone: 'south' } }, [one('Index'), one('Index'), one('Index')]),
  ]
  const actor = spread('2')
  expect(peerOfBoot(assignHomes([actor], peers).get(actor.key)!)).toBe('c')
})

test('a wish comes before the holder of the journal, and the holder before the least busy', () => {
  const peers = [
    host('a', { labels: { disk: 'ssd' } }, [one('Index')]),
    host('b', {}, [one('Index')]),
    host('c'),
  ]
  const prefer = [peerId('b')]
  const at = (actor: HostActor) => peerOfBoot(assignHomes([{ ...actor, prefer }], peers).get(actor.key)!)
  expect(at(one('Trainer'))).toBe('b')
  expect(at(one('Trainer', { preferLabels: { disk: 'ssd' } }))).toBe('a')
})
