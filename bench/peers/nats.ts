// NATS JetStream: three servers on this machine, one stream with three replicas. Its acknowledgement means that a majority
// has the message; by default the servers sync their files every two minutes.

import { join } from 'node:path'
import type { Bench } from '../harness/case.ts'
import type { Subject } from '../harness/compare.ts'
import type { Plan } from '../harness/drive.ts'
import { Worker } from '../harness/worker.ts'
import { Foreign, freePort, versionOf } from './foreign.ts'

export const NATS_HOW = 'Debian: apt-get install nats-server'

export interface Nats {
  readonly version: string
  publish(plan: Plan, subjects: number): Subject
}

export async function startNats(bench: Bench): Promise<Nats | undefined> {
  const version = versionOf('nats-server', ['--version'])
  if (version === undefined) return undefined
  const directory = bench.directory()
  const names = ['a', 'b', 'c']
  const ports = await Promise.all(names.map(freePort))
  const routes = await Promise.all(names.map(freePort))
  for (const [n, name] of names.entries())
    Foreign.start(bench, 'nats-server', [
      ...['--addr', '127.0.0.1', '--port', `${ports[n]}`, '--name', name],
      ...['--jetstream', '--store_dir', join(directory, name), '--cluster_name', 'bench'],
      ...['--cluster', `nats://127.0.0.1:${routes[n]}`],
      ...['--routes', routes.map((port) => `nats://127.0.0.1:${port}`).join(',')],
    ])
  const client = await Worker.start<typeof import('./nats-client.ts')>(
    new URL('./nats-client.ts', import.meta.url),
  )
  bench.teardown(() => client.kill())
  await client.run('connect', ports)
  return {
    version: `NATS ${version}`,
    publish: (plan, subjects) => ({
      name: 'NATS JetStream R3 publish',
      measure: () => client.run('publish', { ...plan, subjects }),
      watched: [client],
    }),
  }
}
