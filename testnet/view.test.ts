import { expect, test } from 'vitest'
import type { MemberStatus } from '../node/api.ts'
import { FAKE_ACTORS, FAKE_MEMBERS, FAKE_STATUS } from '../node/control/test-support/fake-node.ts'
import type { PeerSnapshot } from './ipc.ts'
import { dumpView, isSettled, isWhole, type PeerView } from './view.ts'

const members = (
  ids: readonly string[],
  liveness: MemberStatus['liveness'] = 'alive',
): readonly MemberStatus[] => ids.map((peerId) => ({ ...FAKE_MEMBERS[0]!, peerId, liveness, keep: true }))

const seen = (ids: readonly string[], head = 'A'): PeerSnapshot => ({
  status: { ...FAKE_STATUS, head: { peerId: head, name: head } },
  members: members(ids),
  actors: [],
  reports: [],
})
const view = (peerId: string, snapshot: PeerSnapshot | undefined, process = 'running'): PeerView => ({
  index: 0,
  peerId,
  process,
  seen: snapshot,
})

test('settled: the running peers see exactly each other and name one of them head', () => {
  const both = [view('A', seen(['A', 'B'])), view('B', seen(['B', 'A']))]
  expect(isSettled(both)).toBe(true)
  expect(isSettled([...both, view('C', undefined, 'SIGKILL')])).toBe(true)
  expect(isSettled([...both, view('C', undefined)])).toBe(false) // runs, but does not answer
  expect(isSettled([view('A', seen(['A', 'B', 'C'])), view('B', seen(['A', 'B']))])).toBe(false)
  expect(isSettled([view('A', seen(['A', 'B'], 'A')), view('B', seen(['A', 'B'], 'B'))])).toBe(false)
  expect(isSettled([view('A', seen(['A', 'B'], 'Z')), view('B', seen(['A', 'B'], 'Z'))])).toBe(false)
  expect(isSettled([])).toBe(false)
})

test('whole: every actor runs on a live peer and has its keepers on live peers', () => {
  const peer = (peerId: string) => ({ peerId, name: peerId })
  const actor = { ...FAKE_ACTORS[0]!, peer: peer('A'), keepers: ['A', 'B', 'C'].map(peer) }
  const whole: PeerSnapshot = { ...seen(['A', 'B', 'C']), actors: [actor] }
  expect(isWhole(whole)).toBe(true)
  expect(isWhole({ ...whole, members: members(['A', 'B']) })).toBe(false)
  expect(isWhole({ ...whole, actors: [{ ...actor, keepers: actor.keepers.slice(1) }] })).toBe(false)
  expect(isWhole({ ...whole, actors: [{ ...actor, status: 'waiting', peer: null }] })).toBe(false)
  const daemon = { ...actor, status: 'waiting', peer: null, daemonOf: 'D' } as const
  expect(isWhole({ ...whole, actors: [daemon] })).toBe(true)
  expect(isWhole({ ...whole, actors: [{ ...daemon, daemonOf: 'B' }] })).toBe(false)
  expect(isWhole({ ...whole, actors: [{ ...actor, status: 'stopped', peer: null, keepers: [] }] })).toBe(true)
  expect(isWhole({ ...whole, status: { ...whole.status, registrySafe: false } })).toBe(false)
})

test('whole: as many copies as are asked for, or as there are live peers that keep', () => {
  const peer = (peerId: string) => ({ peerId, name: peerId })
  const withCopies = (keepers: readonly string[], keepersWanted: number): PeerSnapshot => ({
    ...seen(['A', 'B', 'C']),
    actors: [{ ...FAKE_ACTORS[0]!, peer: peer('A'), keepers: keepers.map(peer), keepersWanted }],
  })
  expect(isWhole(withCopies(['A'], 1))).toBe(true)
  expect(isWhole(withCopies(['A'], 3))).toBe(false)
  expect(isWhole(withCopies(['A', 'B', 'C'], 5))).toBe(true)
  const two = withCopies(['A', 'B'], 3)
  expect(isWhole(two)).toBe(false)
  expect(isWhole({ ...two, members: two.members.map((each, i) => ({ ...each, keep: i < 2 })) })).toBe(true)
})

test('a dump tells what a peer sees, or why it sees nothing', () => {
  expect(dumpView(view('peerAAAAAA', undefined, 'SIGKILL'))).toBe('peer 0 (AAAAAA): SIGKILL')
  expect(dumpView(view('peerAAAAAA', undefined))).toContain('does not answer')
  const text = dumpView(view('peerAAAAAA', { ...seen(['peerAAAAAA']), actors: FAKE_ACTORS }))
  expect(text).toContain('members AAAAAA:alive*')
  expect(text).toContain('running@eerTwo×1 stopped@nobody×1')
})
