import { describe, expect, test } from 'vitest'
import { type LogKey, logKey } from '../ids.ts'
import type { Ballot, LogFacts, Successor } from '../log-types.ts'
import { PointerStore } from '../pointer.ts'
import { Bench, boot, peer, pointerOf, store } from '../role.testing.ts'
import { Keeper } from './keeper.ts'
import { KeptLogs } from './kept-logs.ts'

const KEEPERS = ['a', 'b', 'c']
const pointer = pointerOf('a', KEEPERS)
const log = pointer.key

/** The keeper of `c`; with what an earlier one left on its disk, it is the next process there. */
class Process {
  readonly bench = new Bench('c', ['a', 'b', 'd'])
  readonly #keeper: Keeper

  constructor(before?: Process) {
    const { env } = this.bench
    // A keeper has the log on its disk before its term is chosen (C3).
    const held: LogFacts = { key: log, class: 'registry', systemBoot: 'system', order: pointer.term }
    const facts: Record<LogKey, LogFacts> = { [log]: held, ...Object.fromEntries(before?.bench.facts ?? []) }
    const stored = { storeId: env.store, boots: [], logs: facts, peers: {} }
    const logs = new KeptLogs(env, stored, 'system', new Map())
    this.#keeper = new Keeper(env, new PointerStore(env, pointer, () => {}), logs, () => {})
  }

  seal(ballot: Ballot, of = store('c')) {
    this.#keeper.handle(peer('a'), {
      kind: 'seal',
      log,
      store: of,
      order: pointer.term,
      ballot,
      registry: true,
      force: 'consent',
    })
    return this.#answer()
  }
  accept(ballot: Ballot, key: string) {
    const successor: Successor = { ...pointer, term: 4, key: logKey(key) }
    this.#keeper.handle(peer('a'), { kind: 'accept', log, store: store('c'), ballot, successor })
    return this.#answer()
  }
  /** A block of a journal, before and after the registry knows this process. */
  appBeforeAdmission(): [number, { readonly length: number }[]] {
    const block = {
      class: 'replicated',
      order: 1,
      from: 0,
      proofs: [new Uint8Array(1)],
      length: 1,
      commit: 0,
    } as const
    this.#keeper.handle(peer('a'), { kind: 'app', log: logKey('journal'), store: store('c'), ...block })
    this.bench.settle()
    const before = this.bench.sent.length
    this.#keeper.admitted()
    this.bench.settle()
    return [before, this.bench.take('ack')]
  }
  /** The messages that go out after the first of the two is under way and before it ends, and after that. */
  sealDuringAWrite(): [string[], string[]] {
    const block = {
      class: 'registry',
      order: 3,
      from: 0,
      proofs: [new Uint8Array(1)],
      length: 1,
      commit: 0,
    } as const
    this.bench.slow = 'ingest'
    this.#keeper.handle(peer('a'), { kind: 'app', log, store: store('c'), ...block })
    this.bench.settle()
    this.#keeper.handle(peer('a'), {
      kind: 'seal',
      log,
      store: store('c'),
      order: pointer.term,
      ballot: ballot(1),
      registry: true,
      force: 'consent',
    })
    this.bench.settle()
    const during = this.bench.sent.splice(0).map(({ message }) => message.kind)
    this.bench.slow = undefined
    this.bench.settle()
    return [during, this.bench.sent.map(({ message }) => message.kind)]
  }
  #answer() {
    this.bench.settle()
    return this.bench.sent.splice(0)[0]?.message
  }
}

const ballot = (n: number, of = 'a'): Ballot => ({ n, boot: boot(of) })

describe('R3: a promise binds', () => {
  for (const restarts of [false, true])
    test(restarts ? 'forgetPromise: after a restart, too' : 'as long as the process lives', () => {
      const first = new Process()
      expect(first.seal(ballot(5))).toMatchObject({ kind: 'sealed' })
      const now = restarts ? new Process(first) : first
      expect(now.accept(ballot(4), 'x')).toMatchObject({ kind: 'nack', promised: ballot(5) })
      expect(now.seal(ballot(4))).toMatchObject({ kind: 'nack', promised: ballot(5) })
      expect(now.accept(ballot(5), 'y')).toMatchObject({ kind: 'accepted' })
      expect(now.seal(ballot(6))).toMatchObject({ accepted: { ballot: ballot(5), successor: { key: 'y' } } })
    })

  test('between ballots of one number the boot decides, and never both', () => {
    const keeper = new Process()
    expect(keeper.seal(ballot(1, 'b'))).toMatchObject({ kind: 'sealed' })
    expect(keeper.seal(ballot(1, 'd'))).toMatchObject({ kind: 'nack' })
    expect(keeper.seal(ballot(1, 'a'))).toMatchObject({ kind: 'sealed' })
    expect(keeper.accept(ballot(1, 'b'), 'x')).toMatchObject({ kind: 'nack' })
  })
})

test('R7: the store that was on this peer before is answered for by nobody', () => {
  expect(new Process().seal(ballot(1), store('wiped'))).toMatchObject({
    kind: 'unknown',
    store: store('wiped'),
  })
})

test('K1 sealWithoutDrain: a seal waits for the write under way, and counts it', () => {
  const keeper = new Process()
  const [during, after] = keeper.sealDuringAWrite()
  expect(during).toEqual([])
  expect(after).toEqual(['logSealed', 'sealed'])
  expect(keeper.bench.facts.get(log)?.seal?.length).toBe(1)
})

test('K8 of what comes before the process is admitted the question is kept, and not the blocks', () => {
  const [before, answers] = new Process().appBeforeAdmission()
  expect(before).toBe(0)
  expect(answers).toMatchObject([{ length: 0 }])
})
