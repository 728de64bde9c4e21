// Many seeds of `mesh chaos`, several at a time: what all of them together met, broke and took.

import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Spread } from '../../testnet/chaos/measure.ts'
import { spread } from '../../testnet/chaos/measure.ts'
import { FAULT_KINDS, type FaultKind } from '../../testnet/chaos/plan.ts'
import type { ChaosFigures, ChaosTask } from './chaos-run.ts'
import { type Outcome, round, type Trial } from './trial.ts'

const RUN = fileURLToPath(new URL('./chaos-run.ts', import.meta.url))

export async function chaosSeeds(trial: Trial): Promise<Outcome> {
  const { times, first, parallel, peers, minutes, clients, pace, say } = trial
  const done: ChaosFigures[] = []
  let interrupted = false
  process.once('SIGINT', () => {
    interrupted = true
    say('interrupted: what is under way is brought to its end')
  })
  const seeds = Array.from({ length: times }, (_, index) => first + index).values()
  const lane = async (): Promise<void> => {
    for (const seed of seeds) {
      if (interrupted) return
      const figures = await run({
        seed,
        peers,
        seconds: minutes * 60,
        clientsPerPeer: clients,
        paceMs: pace,
      })
      done.push(figures)
      say(`${done.length} of ${times}: ${line(figures)}`)
    }
  }
  await Promise.all(Array.from({ length: parallel }, lane))
  return sumUp(done)
}

function run(task: ChaosTask): Promise<ChaosFigures> {
  return new Promise((resolve) => {
    // Of a group of its own, so that who interrupts this process does not interrupt that one.
    const child = fork(RUN, { detached: true })
    child.once('message', (figures) => resolve(figures as ChaosFigures))
    child.once('exit', (code, signal) =>
      resolve(crashed(task, `its process ended: ${signal ?? `code ${code}`}`)),
    )
    child.send(task)
  })
}

const crashed = ({ seed }: ChaosTask, why: string): ChaosFigures => ({
  ok: false,
  seed,
  seconds: 0,
  acknowledged: 0,
  failed: 0,
  codes: {},
  wrong: [why],
  kinds: [],
})

const happened = ({ kinds }: ChaosFigures): number => kinds.reduce((sum, each) => sum + each.happened, 0)

const line = (figures: ChaosFigures): string =>
  [
    `seed ${figures.seed} ${figures.ok ? 'ok' : 'FAILED'}, ${round(figures.seconds)} s, ${happened(figures)} faults, ${figures.acknowledged} calls`,
    ...figures.wrong,
  ].join('\n    ')

interface KindTotal {
  readonly happened: number
  readonly detectionMs?: Spread
  readonly recoveryMs?: Spread
}

function total(runs: readonly ChaosFigures[], kind: FaultKind): KindTotal {
  const parts = runs.flatMap(({ kinds }) => kinds.filter((each) => each.kind === kind))
  const detectionMs = spread(parts.flatMap((part) => part.detectionMs))
  const recoveryMs = spread(parts.flatMap((part) => part.recoveryMs))
  return {
    happened: parts.reduce((sum, part) => sum + part.happened, 0),
    ...(detectionMs && { detectionMs }),
    ...(recoveryMs && { recoveryMs }),
  }
}

function sumUp(runs: readonly ChaosFigures[]): Outcome {
  const sum = (of: (run: ChaosFigures) => number): number => runs.reduce((all, each) => all + of(each), 0)
  const codes = new Set(runs.flatMap((each) => Object.keys(each.codes)))
  return {
    ok: sum(happened) > 0 && runs.every(({ ok }) => ok),
    seeds: runs.length,
    failedSeeds: runs.filter(({ ok }) => !ok).map(({ seed, wrong }) => ({ seed, wrong })),
    machineHours: round(sum(({ seconds }) => seconds) / 3600, 2),
    acknowledged: sum(({ acknowledged }) => acknowledged),
    failedCalls: sum(({ failed }) => failed),
    codes: Object.fromEntries([...codes].map((code) => [code, sum((each) => each.codes[code] ?? 0)])),
    faults: sum(happened),
    ...Object.fromEntries(FAULT_KINDS.map((kind) => [kind, total(runs, kind)])),
  }
}
