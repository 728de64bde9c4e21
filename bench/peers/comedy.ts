// comedy: actors for Node, from npm. Each remote actor is a process of its own, which a listener on the other side starts.

import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Bench } from '../harness/case.ts'
import type { Plan } from '../harness/drive.ts'
import type { Measured } from '../harness/statistics.ts'
import { Foreign, freePort, listening } from './foreign.ts'

const CLIENT = fileURLToPath(new URL('./comedy/client.ts', import.meta.url))
const LOOPBACK = fileURLToPath(new URL('./comedy/loopback.cjs', import.meta.url))
export const COMEDY_HOW = 'npm install --no-save comedy'

export interface Comedy {
  readonly version: string
  calls(plan: Plan, actors: number): Promise<Measured>
}

export async function startComedy(bench: Bench): Promise<Comedy | undefined> {
  const found = installed()
  if (found === undefined) return undefined
  const port = await freePort()
  // The processes that the listener starts inherit it.
  const env = { NODE_OPTIONS: `--require ${JSON.stringify(LOOPBACK)}` }
  Foreign.start(bench, process.execPath, [join(found.directory, 'listener-node.js'), `${port}`], env)
  await listening(port)
  const client = Foreign.start(bench, process.execPath, [CLIENT, `${port}`], env)
  await client.answer()
  return {
    version: `comedy ${found.version}`,
    calls: ({ inFlight, bytes, forMs }, actors) =>
      client.ask(`calls ${inFlight} ${bytes} ${forMs} ${actors}`),
  }
}

function installed(): { readonly version: string; readonly directory: string } | undefined {
  const require = createRequire(import.meta.url)
  try {
    const file = require.resolve('comedy/package.json')
    return { version: (require(file) as { version: string }).version, directory: dirname(file) }
  } catch {
    return undefined
  }
}
