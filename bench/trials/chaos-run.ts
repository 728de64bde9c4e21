// A process that runs one seed of chaos and sends what came of it: the judge of one run does not slow the clients of another.

import { type ChaosResult, runChaos } from '../../testnet/chaos/chaos.ts'
import { detections, recoveries } from '../../testnet/chaos/measure.ts'
import { FAULT_KINDS, type FaultKind } from '../../testnet/chaos/plan.ts'

/** Between two faults, on average: that of `mesh chaos`. */
const GAP_MS = 4000

/** What one seed needs to be told. */
export interface ChaosTask {
  readonly seed: number
  readonly peers: number
  readonly seconds: number
  readonly clientsPerPeer: number
  readonly paceMs: number
}

/** What a kind of fault came to in one run; times in milliseconds, as in docs/chaos.md. */
export interface KindFigures {
  readonly kind: FaultKind
  readonly happened: number
  readonly detectionMs: readonly number[]
  readonly recoveryMs: readonly number[]
}

export interface ChaosFigures {
  readonly ok: boolean
  readonly seed: number
  readonly seconds: number
  readonly acknowledged: number
  readonly failed: number
  readonly codes: Readonly<Record<string, number>>
  /** What the history breaks, and what did not come back. */
  readonly wrong: readonly string[]
  readonly kinds: readonly KindFigures[]
}

function figures(result: ChaosResult): ChaosFigures {
  const { faults, history, losses, began, ended } = result
  const recovered = recoveries(history, faults)
  const detected = detections(losses, faults)
  return {
    ok: result.ok,
    seed: result.seed,
    seconds: (ended - began) / 1000,
    acknowledged: result.acknowledged,
    failed: result.failed,
    codes: Object.fromEntries(result.codes),
    wrong: [...result.problems.map(({ promise, text }) => `${promise}: ${text}`), ...result.stuck],
    kinds: FAULT_KINDS.map((kind) => ({
      kind,
      happened: faults.filter((fault) => fault.kind === kind && fault.skipped === undefined).length,
      detectionMs: detected.get(kind) ?? [],
      recoveryMs: recovered.get(kind) ?? [],
    })),
  }
}

process.once('message', async (task) => {
  const ends: (() => Promise<void>)[] = []
  // Its parent is gone: so is the mesh.
  process.once('disconnect', () => {
    void Promise.all(ends.map((end) => end())).finally(() => process.exit(1))
  })
  try {
    const result = await runChaos({
      ...(task as ChaosTask),
      kinds: FAULT_KINDS,
      gapMs: GAP_MS,
      workloads: ['counter', 'append', 'kv', 'bank'],
      teardown: (end) => void ends.push(end),
    })
    process.send?.(figures(result))
  } finally {
    for (const end of ends) await end()
    process.removeAllListeners('disconnect')
    process.disconnect?.()
  }
})
