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

test('F3 who catches up asks once at a time, however much is pushed to it and comes twice meanwhile', () => {
  const bench = new Bench('z', ['a'])
  const { env } = bench
  const follower = new Follower(env)
  const pointer = pointerOf('a', ['a'])
  const [snapshot] = snapshotBlocks(emptyRegistry(logKey('log-0')), env.codec)
  const commands = (): Uint8Array => env.codec.encode({ kind: 'commands', commands: [] })
  const records = (from: number, blocks: Uint8Array[], commit: number): void =>
    void follower.records(peer('a'), { kind: 'records', log: pointer.key, from, blocks, commit })
  const asked = (): number[] => {
    bench.settle()
    return bench.take('follow').map(({ from }) => from)
  }
  env.now = 10_000
  follower.moveTo(pointer)
  records(8, [commands()], 9)
  expect(asked()).toEqual([0])
  records(9, [commands()], 10)
  expect(asked()).toEqual([])
  records(0, [snapshot!, commands()], 10)
  records(0, [snapshot!, commands()], 10)
  expect(asked()).toEqual([2])
  env.now += env.settings.resendMs
  records(10, [commands()], 11)
  expect(asked()).toEqual([2])
})
