import { expect, test } from 'vitest'
import { logKey } from '../ids.ts'
import { Bench, peer, pointerOf } from '../role.testing.ts'
import { snapshotBlocks } from './blocks.ts'
import { Follower } from './follower.ts'
import { emptyRegistry } from './state.ts'

test('F2 applyForeignRecords: blocks of the term before are no part of this one', () => {
  const { env } = new Bench('z', ['a'])
  const follower = new Follower(env)
  const before = pointerOf('a', ['a'])
  const records = (log: string) => ({
    kind: 'records' as const,
    log: logKey(log),
    from: 0,
    blocks: snapshotBlocks(emptyRegistry(logKey('log-0')), env.codec),
    commit: 1,
  })
  follower.moveTo({ ...before, term: 4, key: logKey('log-4') })
  follower.records(peer('a'), records('log-3'))
  expect(follower.applied).toBe(0)
  follower.records(peer('a'), records('log-4'))
  expect(follower.applied).toBe(1)
})
