// The attack itself, on real processes; and the parts of it that need none: plans, figures, verdicts, the page.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { CHAOS_ACTORS, runChaos } from './chaos.ts'
import { detections, recoveries, unavailable } from './measure.ts'
import { page } from './page.ts'
import { FAULT_KINDS, planOf } from './plan.ts'
import { summarise } from './summary.ts'
import type { Recorded } from './workload.ts'
import { workloads } from './workloads/index.ts'

test('a mesh that loses a peer, a cable and its time keeps every promise', async () => {
  const result = await runChaos({
    peers: 3,
    seconds: 10,
    seed: 493, // a kill of almost four seconds, a cable for two, a freeze for one
    kinds: ['kill', 'freeze', 'isolate-host'],
    workloads: [],
    clientsPerPeer: 3,
    paceMs: 60,
    gapMs: 2500,
    teardown: onTestFinished,
  })
  expect([...result.problems, ...result.stuck]).toEqual([])
  expect(result.ok).toBe(true)
  expect(result.faults.filter(({ skipped }) => skipped === undefined).length).toBeGreaterThan(0)
  expect(result.acknowledged).toBeGreaterThan(50)
  const summary = summarise(result)
  expect(summary.faults.find(({ kind }) => kind === 'kill')).toMatchObject({
    detectionMs: { p50: expect.any(Number) },
  })
  const html = page(summary)
  expect(html).toContain('every promise held')
  expect(html).toContain('<polyline class="rate"')
}, 120_000)

test.each([
  ['next', 'a client chooses', "next: () => { throw new Error('no idea') }", 'its next threw Error: no idea'],
  ['next', 'an operation without a type', 'next: () => ({})', 'its next has to answer with'],
  [
    'check',
    'it is judged',
    "check: () => { throw new Error('too hard') }",
    'its check threw Error: too hard',
  ],
  ['final', 'the end is read', "final: () => { throw new Error('nothing left') }", 'its final threw Error'],
])(
  'a workload whose %s does not work ends the run and is named: when %s',
  async (_what, _when, part, said) => {
    const dir = mkdtempSync(join(tmpdir(), 'chaos-test-'))
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
    const module = join(dir, 'workload.mjs')
    const works = `name: 'mine', final: () => [], check: () => [],
    next: () => ({ type: 'ChaosCounter', name: 'a', method: 'increment', args: [] })`
    writeFileSync(module, `export const workload = { ${works}, ${part} }`)
    const run = runChaos({
      peers: 1,
      seconds: said.includes('check') ? 60 : 0.2,
      seed: 1,
      kinds: ['reset'],
      workloads: [],
      workloadModule: pathToFileURL(module).href,
      actorModule: CHAOS_ACTORS,
      clientsPerPeer: 2,
      paceMs: 20,
      gapMs: 60_000,
      teardown: onTestFinished,
    })
    await expect(run).rejects.toThrow(`the workload mine does not work: ${said}`)
  },
)

test('a bank that books what comes twice is found out, on real peers', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'chaos-test-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  const module = join(dir, 'actors.mjs')
  writeFileSync(
    module,
    `import * as good from '${CHAOS_ACTORS}'
    export const { ChaosAuditor } = good
    export class ChaosAccount extends good.ChaosAccount {
      deposit(...transfer) {
        super.deposit(...transfer)
        super.deposit(...transfer)
      }
    }`,
  )
  const result = await runChaos({
    peers: 1,
    seconds: 1,
    seed: 1,
    kinds: ['reset'],
    workloads: ['bank'],
    actorModule: pathToFileURL(module).href,
    clientsPerPeer: 3,
    paceMs: 20,
    gapMs: 60_000,
    teardown: onTestFinished,
  })
  expect(result.ok).toBe(false)
  const broken = result.problems.map(({ promise }) => promise)
  expect(broken).toEqual(expect.arrayContaining(['twice', 'conserved']))
})

test('a seed gives the same plan again, and another one another', () => {
  const plan = (seed: number) => planOf({ seed, lastsMs: 60_000, kinds: FAULT_KINDS, gapMs: 2000 })
  expect(plan(5)).toEqual(plan(5))
  expect(plan(5)).not.toEqual(plan(6))
  const kinds = new Set(
    Array.from({ length: 40 }, (_, seed) => plan(seed)).flatMap((faults) => faults.map(({ kind }) => kind)),
  )
  expect([...kinds].sort()).toEqual([...FAULT_KINDS].sort())
})

test('a seed means the same for good', () => {
  const plan = planOf({ seed: 5, lastsMs: 20_000, kinds: FAULT_KINDS, gapMs: 4000 })
  expect(plan.map(({ kind, at, lastsMs }) => [kind, at, lastsMs])).toEqual([
    ['partition', 3966, 5309],
    ['freeze', 8229, 4315],
    ['kill', 11_119, 4371],
    ['kill-head', 15_015, 1963],
    ['reset', 19_547, 1287],
  ])
})

const operation = (
  type: string,
  method: string,
  id: string,
  start: number,
  rest: Partial<Recorded> = {},
): Recorded => ({
  type,
  name: 'a',
  method,
  args: [],
  id,
  peer: 0,
  start,
  outcome: 'ok',
  end: start + 1,
  ...rest,
})

const named = (name: string) => workloads.find((workload) => workload.name === name)!

const lost = [
  operation('ChaosList', 'append', 'x', 0, { result: 1 }),
  operation('ChaosList', 'append', 'y', 5, { result: 2 }),
  operation('ChaosList', 'read', 'end', 10, { result: ['x'] }),
]
const twice = [
  operation('ChaosList', 'append', 'x', 0, { result: 1 }),
  operation('ChaosList', 'read', 'end', 10, { result: ['x', 'x'] }),
]
const refusedButThere = [
  operation('ChaosList', 'append', 'x', 0, { outcome: 'refused' }),
  operation('ChaosList', 'read', 'end', 10, { result: ['x'] }),
]
const stale = [
  operation('ChaosCounter', 'increment', 'x', 0, { result: 1 }),
  operation('ChaosCounter', 'read', 'end', 10, { result: 0 }),
]
const sameCount = [
  operation('ChaosCounter', 'increment', 'x', 0, { result: 1 }),
  operation('ChaosCounter', 'increment', 'y', 5, { result: 1 }),
]
const twoWriters = [
  operation('ChaosRegister', 'put', 'x', 0, { result: 1 }),
  operation('ChaosRegister', 'put', 'y', 0, { result: 1 }),
]
const otherValue = [
  operation('ChaosRegister', 'put', 'x', 0, { result: 1 }),
  operation('ChaosRegister', 'get', 'g', 5, { result: { version: 1, value: 'z' } }),
]

test.each([
  ['append', 'an acknowledged one is gone', lost],
  ['append', 'one is there twice', twice],
  ['append', 'one is there that was said not to be executed', refusedButThere],
  ['counter', 'a read before the last write', stale],
  ['counter', 'two that made the same count', sameCount],
  ['kv', 'two writes of one version', twoWriters],
  ['kv', 'a value that nobody wrote', otherValue],
])('%s: %s', (name, _what, history) => {
  expect(named(name).check(history, true)).not.toEqual([])
})

test('good histories are good, those with open ends too', () => {
  const open = { outcome: 'unknown' as const }
  const history: Recorded[] = [
    operation('ChaosList', 'append', 'x', 0, { result: 1 }),
    { ...operation('ChaosList', 'append', 'lost with its client', 2), ...open },
    operation('ChaosList', 'read', 'end', 10, { result: ['x', 'lost with its client'] }),
    operation('ChaosCounter', 'increment', 'c', 0, { result: 1 }),
    { ...operation('ChaosCounter', 'increment', 'd', 1), ...open },
    operation('ChaosCounter', 'read', 'e', 10, { result: 2 }),
    operation('ChaosRegister', 'put', 'r', 0, { result: 1 }),
    operation('ChaosRegister', 'compareAndSet', 's', 5, { result: { done: false, version: 1 } }),
    operation('ChaosRegister', 'get', 't', 8, { result: { version: 1, value: 'r' } }),
  ]
  expect(workloads.flatMap((workload) => workload.check(history, false))).toEqual([])
})

test('recovery counts from the fault to an answer that was not on its way before', () => {
  const fault = { kind: 'kill' as const, began: 100, peers: [1], actors: ['ChaosList/a'] }
  const answers = [
    operation('ChaosList', 'append', 'before', 90, { end: 99 }),
    operation('ChaosList', 'append', 'on its way', 95, { end: 110 }),
    operation('ChaosList', 'append', 'by the dead', 101, { end: 102, peer: 1 }),
    operation('ChaosList', 'append', 'after', 97, { end: 400 }),
  ]
  expect(recoveries(answers, [fault])).toEqual(new Map([['kill', [300]]]))
})

test('an actor that nobody asked in time tells nothing of its recovery', () => {
  const fault = { kind: 'kill' as const, began: 100, peers: [1], actors: ['ChaosList/a'] }
  const late = operation('ChaosList', 'append', 'late', 5000, { end: 5006 })
  expect(recoveries([late], [fault])).toEqual(new Map([['kill', []]]))
  const failed = {
    ...operation('ChaosList', 'append', 'failed', 200),
    outcome: 'unknown' as const,
    end: 3000,
  }
  expect(recoveries([failed, late], [fault])).toEqual(new Map([['kill', [4906]]]))
})

test('detection counts from the fault to when each of the others noticed, while it lasts', () => {
  const fault = { kind: 'kill' as const, began: 100, ended: 500, peers: [1], actors: [] }
  const losses = [
    { by: 0, lost: 1, at: 90 },
    { by: 0, lost: 1, at: 140 },
    { by: 0, lost: 1, at: 300 },
    { by: 1, lost: 0, at: 150 },
    { by: 2, lost: 3, at: 160 },
    { by: 2, lost: 1, at: 180 },
    { by: 3, lost: 1, at: 501 },
  ]
  expect(detections(losses, [fault])).toEqual(new Map([['kill', [40, 80]]]))
})

test('nobody asking is no unavailability', () => {
  const idle = [operation('ChaosList', 'append', 'x', 0), operation('ChaosList', 'append', 'y', 5000)]
  const waited = [
    operation('ChaosList', 'append', 'x', 0),
    operation('ChaosList', 'append', 'y', 10, { end: 3010 }),
  ]
  expect(unavailable(idle)).toEqual([])
  expect(unavailable(waited)).toEqual([3000])
})
