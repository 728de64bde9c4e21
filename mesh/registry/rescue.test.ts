import { expect, test } from 'vitest'
import { logKey } from '../ids.ts'
import type { LogFacts } from '../log-types.ts'
import { KeptLogs } from '../logs/kept-logs.ts'
import type { RegistryCopy } from '../messages.ts'
import { PointerStore } from '../pointer.ts'
import { Bench, peer, pointerOf, store } from '../role.testing.ts'
import { type RegistryBlock, snapshotBlocks } from './blocks.ts'
import { Follower } from './follower.ts'
import { Rescue, type RescueResult } from './rescue.ts'
import { emptyRegistry } from './state.ts'

const pointer = pointerOf('a', ['a', 'b', 'c', 'd', 'e'])

/** A rescue on `d`, which has `own` blocks of the chosen log, while `e` has these copies. */
class Attempt {
  readonly bench = new Bench('d', ['e'])
  readonly results: RescueResult[] = []
  deposed = 0
  readonly #rescue: Rescue

  constructor(own: number, copies: readonly RegistryCopy[], acceptLoss = false) {
    const { env } = this.bench
    const facts: LogFacts = {
      key: pointer.key,
      class: 'registry',
      systemBoot: 'system',
      order: pointer.term,
    }
    const stored = { storeId: env.store, boots: [], logs: { [pointer.key]: facts }, peers: {} }
    const parts = {
      pointers: new PointerStore(env, pointer, () => {}),
      follower: new Follower(env),
      logs: new KeptLogs(env, stored, 'system', new Map([[pointer.key, own]])),
    }
    this.#rescue = new Rescue(env, parts, {
      depose: () => void this.deposed++,
      chooseKeepers: () => [],
      isGone: () => false,
      addresses: () => ({}),
      holds: (_log, _term, then) => then(),
      chosen: () => {},
    })
    env.emit = (effect) => {
      if (effect.type === 'rescued') this.results.push(effect.result)
    }
    this.#rescue.begin({ token: 1, acceptLoss })
    this.#rescue.surveyed(peer('e'), {
      kind: 'surveyed',
      id: 1,
      store: store('e'),
      term: pointer.term,
      hearsHead: false,
      rescuing: false,
      copies,
    })
    env.now += env.settings.stepTimeoutMs
    this.#rescue.tick()
  }

  get account() {
    const result = this.results[0]
    return result?.ok ? result.account : undefined
  }
}

const chosen = { log: pointer.key, term: pointer.term }
/** Of a candidate that was overtaken: it has what the term before had, and nothing that was committed since. */
const overtaken = { log: logKey('log-3-of-another'), term: pointer.term }
const next = { log: logKey('log-4'), term: pointer.term + 1 }

test('the longest copy of the chosen log is taken', () => {
  expect(new Attempt(4, [{ ...chosen, length: 6 }]).account).toMatchObject({ holder: peer('e'), records: 6 })
  expect(new Attempt(6, [{ ...chosen, length: 6 }]).account).toMatchObject({ holder: peer('d'), records: 6 })
})

test('X5 a log of the same term that was not chosen does not count, however long it is', () => {
  for (const length of [4, 9]) {
    const { account } = new Attempt(4, [{ ...overtaken, length }])
    expect(account).toMatchObject({ holder: peer('d'), records: 4 })
  }
})

test('X5 what a candidate for the next term wrote has all that was committed in this one', () => {
  const { account } = new Attempt(4, [{ ...next, length: 1 }])
  expect(account).toMatchObject({ holder: peer('e'), term: next.term })
})

test('X5 a copy that turns out to be a part of one is passed over', () => {
  const attempt = new Attempt(1, [{ ...next, length: 1 }], true)
  const { blocks, env } = attempt.bench
  const part: RegistryBlock = { kind: 'snapshot', part: 0, parts: 2, data: new Uint8Array(1) }
  blocks.set(next.log, [env.codec.encode(part)])
  blocks.set(pointer.key, snapshotBlocks(emptyRegistry(pointer.meshId), env.codec))
  attempt.bench.settle()
  expect(attempt.results).toEqual([])
  // What was true of its boots ends when it has read what it goes on from.
  expect(attempt.deposed).toBe(1)
})
