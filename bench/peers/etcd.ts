// etcd: three members on this machine. A put is answered when a majority has synced it to disk.

import { join } from 'node:path'
import type { Bench } from '../harness/case.ts'
import type { Subject } from '../harness/compare.ts'
import type { Plan } from '../harness/drive.ts'
import { Worker } from '../harness/worker.ts'
import { Foreign, freePort, versionOf } from './foreign.ts'

export const ETCD_HOW = 'Debian: apt-get install etcd-server'

export interface Etcd {
  readonly version: string
  put(plan: Plan, keys: number): Subject
}

export async function startEtcd(bench: Bench): Promise<Etcd | undefined> {
  const version = versionOf('etcd', ['--version'])
  if (version === undefined) return undefined
  const directory = bench.directory()
  const names = ['a', 'b', 'c']
  const [clients, peers] = [await Promise.all(names.map(freePort)), await Promise.all(names.map(freePort))]
  const url = (port: number | undefined): string => `http://127.0.0.1:${port}`
  for (const [n, name] of names.entries())
    Foreign.start(bench, 'etcd', [
      ...['--name', name, '--data-dir', join(directory, name), '--logger', 'zap', '--log-level', 'error'],
      ...['--listen-client-urls', url(clients[n]), '--advertise-client-urls', url(clients[n])],
      ...['--listen-peer-urls', url(peers[n]), '--initial-advertise-peer-urls', url(peers[n])],
      ...['--initial-cluster', names.map((each, m) => `${each}=${url(peers[m])}`).join(',')],
    ])
  const client = await Worker.start<typeof import('./etcd-client.ts')>(
    new URL('./etcd-client.ts', import.meta.url),
  )
  bench.teardown(() => client.kill())
  await client.run('connect', clients[0]!)
  return {
    version,
    put: (plan, keys) => ({
      name: 'etcd put',
      measure: () => client.run('puts', { ...plan, keys }),
      watched: [client],
    }),
  }
}
