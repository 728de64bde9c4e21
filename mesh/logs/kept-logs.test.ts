// Forgetting the names of retired logs, by a store that has just started: the registry it has applied so far is older than
// what is on its disk.

import { expect, test } from 'vitest'
import { Env } from '../env.ts'
import { bootId, type LogKey, logKey, peerId, storeId } from '../ids.ts'
import type { LogFacts } from '../log-types.ts'
import { defaultMeshSettings } from '../settings.ts'
import { KeptLogs } from './kept-logs.ts'

const key = (name: string): LogKey => logKey(name.repeat(32))
const journal = (name: string, order: number): LogFacts => ({
  key: key(name),
  class: 'replicated',
  systemBoot: 's',
  order,
})
const gone = (name: string, order: number): LogFacts => ({
  ...journal(name, order),
  retired: true,
  dropped: true,
})

function started(logs: readonly LogFacts[], journalFloor: number) {
  const env = new Env({
    self: peerId('a'),
    boot: bootId(peerId('a'), '1'),
    store: storeId('1'),
    settings: { ...defaultMeshSettings, retiredNames: 1 },
    codec: { encode: () => new Uint8Array(), decode: () => undefined },
    random: { id: () => '', number: () => 0 },
  })
  const facts = {
    storeId: storeId('1'),
    boots: [],
    peers: {},
    journalFloor,
    logs: Object.fromEntries(logs.map((each) => [each.key, each])),
  }
  const kept = new KeptLogs(env, facts, 's', new Map())
  const isForgotten = (name: string, order: number) =>
    kept.isForgotten(key(name), 'replicated', order, undefined)
  return { env, kept, isForgotten }
}

test('K9 a name is kept until the floor is above its order', () => {
  const { env, kept, isForgotten } = started([gone('aa', 3), gone('bb', 7)], 0)
  kept.forgetRetired(5, () => [])
  expect(kept.get(key('aa'))).toBeUndefined()
  expect(isForgotten('aa', 3)).toBe(true)
  expect(kept.get(key('bb'))?.facts.retired).toBe(true)
  expect(env.takeEffects()).toMatchObject([
    { type: 'persist', patch: { journalFloor: 5, logs: { [key('aa')]: null } } },
  ])
})

test('K9 a journal that was forgotten is not taken up again because an older registry has it', () => {
  const { kept, isForgotten } = started([gone('aa', 3)], 9)
  kept.forgetRetired(5, () => [journal('bb', 4)])
  expect(kept.get(key('bb'))).toBeUndefined()
  expect(isForgotten('bb', 4)).toBe(true)
  expect(isForgotten('cc', 8)).toBe(true)
  expect(isForgotten('cc', 9)).toBe(false)
})

test('K9 what this store keeps and never heard of is on its disk before the floor is', () => {
  const { env, kept, isForgotten } = started([gone('aa', 3)], 0)
  kept.forgetRetired(5, () => [journal('bb', 4)])
  expect(isForgotten('bb', 4)).toBe(false)
  expect(env.takeEffects()).toMatchObject([
    { patch: { logs: { [key('bb')]: journal('bb', 4) } } },
    { patch: { journalFloor: 5 } },
  ])
})

test('K9 a journal that was made here has its order on the disk before the floor is above it, and keeps it', () => {
  const { env, kept, isForgotten } = started([gone('aa', 3), journal('bb', -1)], 0)
  kept.forgetRetired(5, () => [journal('bb', 4)])
  expect(env.takeEffects()).toMatchObject([
    { patch: { logs: { [key('bb')]: journal('bb', 4) } } },
    { patch: { journalFloor: 5 } },
  ])
  kept.hold(key('bb'), 'replicated', -1)
  kept.forgo(key('bb'))
  expect(kept.get(key('bb'))?.facts.order).toBe(4)
  expect(isForgotten('bb', 4)).toBe(false)
})

test('K9 a journal that is just being written down for the first time has its order on the disk with the floor', () => {
  const { env, kept } = started([gone('aa', 3)], 0)
  kept.hold(key('bb'), 'replicated', -1)
  kept.forgetRetired(5, () => [journal('bb', 4)])
  expect(env.takeEffects()).toMatchObject([
    { patch: { logs: { [key('bb')]: journal('bb', -1) } } },
    { patch: { journalFloor: 5, logs: { [key('bb')]: journal('bb', 4) } } },
  ])
})

test('K2 a seal that comes while a log is being given up is not lost with it', () => {
  const { env, kept } = started([journal('bb', -1)], 0)
  kept.forgo(key('bb'))
  const [dropping] = env.takeEffects()
  kept.open(key('bb'), 'replicated', 4)
  if (dropping?.type !== 'drop') throw new Error('it is not being dropped')
  env.completed(dropping.op, undefined)
  expect(env.takeEffects()).toEqual([])
})
