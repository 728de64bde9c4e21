// What a thread of its own costs an actor: memory of its process, the first call, a call. `npx node bench/isolation.ts [actors]`

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Actor, createNode } from '../node/index.ts'

const ACTORS = Number(process.argv[2] ?? 20)
const CALLS = 500

export class Here extends Actor<{ n: number }> {
  override state = { n: 0 }
  add(): number {
    return ++this.state.n
  }
}
export class Apart extends Here {
  static readonly options = { isolation: { worker: import.meta.url } } as const
}

async function measure(): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'isolation-'))
  const node = await createNode({ dataDir, actors: [Here, Apart] })
  try {
    for (const type of [Here, Apart]) {
      await node.actor(type, 'first').add()
      const before = process.memoryUsage().rss
      const began = performance.now()
      for (let n = 0; n < ACTORS; n++) await node.actor(type, `${n}`).add()
      const startMs = (performance.now() - began) / ACTORS
      await sleep(1000)
      const mb = (process.memoryUsage().rss - before) / ACTORS / 2 ** 20
      const calls = performance.now()
      for (let n = 0; n < CALLS; n++) await node.actor(type, '0').add()
      const callMs = (performance.now() - calls) / CALLS
      process.stdout.write(
        `${type.name.padEnd(6)} ${mb.toFixed(1)} MB and ${startMs.toFixed(0)} ms for the first call of each, ${callMs.toFixed(2)} ms a call\n`,
      )
    }
  } finally {
    await node.close()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

// The workers load this module as well.
if (process.argv[1] === import.meta.filename && (await import('node:worker_threads')).isMainThread)
  await measure()
