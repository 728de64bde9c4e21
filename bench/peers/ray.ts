// Ray: one node with two processors, actors in processes of their own, called by the driver. `PYTHON` names the interpreter
// that has it, python3 by default; PYTHONPATH is passed on.

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Bench } from '../harness/case.ts'
import type { Plan } from '../harness/drive.ts'
import type { Measured } from '../harness/statistics.ts'
import { Foreign, versionOf } from './foreign.ts'

const PROGRAM = fileURLToPath(new URL('./ray/echo.py', import.meta.url))
export const RAY_HOW = 'pip install ray; PYTHON=<interpreter that has it>'

export interface Ray {
  readonly version: string
  sync(plan: Plan): Promise<Measured>
  async(plan: Plan, actors: number): Promise<Measured>
  /** Kills the process of an actor that keeps its count in a file. */
  restart(): Promise<Measured>
}

export async function startRay(bench: Bench): Promise<Ray | undefined> {
  const python = process.env['PYTHON'] ?? 'python3'
  if (versionOf(python, ['-c', 'import ray; print(ray.__version__)']) === undefined) return undefined
  const directory = bench.directory()
  const quiet = { RAY_TMPDIR: directory, RAY_USAGE_STATS_ENABLED: '0', RAY_DEDUP_LOGS: '0' }
  const ray = Foreign.start(bench, python, [PROGRAM], quiet)
  const { ray: version } = await ray.answer<{ readonly ray: string }>()
  let restarts = 0
  return {
    version: `Ray ${version}`,
    sync: ({ bytes, forMs }) => ray.ask(`sync ${bytes} ${forMs}`),
    async: ({ inFlight, bytes, forMs }, actors) => ray.ask(`async ${inFlight} ${bytes} ${forMs} ${actors}`),
    restart: () => ray.ask(`restart ${join(directory, `kept-${restarts++}`)}`),
  }
}
