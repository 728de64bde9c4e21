import { expect, test } from 'vitest'
import { logKey } from '../ids.ts'
import { Bench, boot, peer, pointerOf } from '../role.testing.ts'
import { applyIssued } from './apply.ts'
import { snapshotBlocks } from './blocks.ts'
import { Follower } from './follower.ts'
import { Head } from './head.ts'
import { emptyRegistry } from './state.ts'

test('H1 answerBeforeEstablished: nothing is answered out of the table of the term before', () => {
  const bench = new Bench('z', ['a', 'b', 'c'])
  const follower = new Follower(bench.env)
  const before = pointerOf('a', ['a', 'b', 'c'])
  const issued = { boot: boot('a'), n: 1, floor: 1, command: { kind: 'noop' } } as const
  const table = emptyRegistry(before.meshId)
  applyIssued(table, issued)
  const blocks = snapshotBlocks(table, bench.env.codec)
  follower.moveTo(before)
  follower.records(peer('a'), { kind: 'records', log: before.key, from: 0, blocks, commit: 1 })
  expect(follower.state?.issued.get(boot('a'))?.results.size).toBe(1)

  const pointer = { ...before, term: 4, key: logKey('log-4'), writer: bench.env.boot }
  const head = new Head(bench.env, follower, {
    decide: (commands) => commands,
    applied: () => {},
    sealed: () => {},
    keeperLost: () => {},
  })
  follower.moveTo(pointer)
  head.begin(pointer, 1)
  head.submit(peer('a'), boot('a'), issued)
  bench.settle()
  expect(bench.take('done')).toEqual([])
})
