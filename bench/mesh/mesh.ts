// A mesh of measured processes: hosts that keep and run actors, and one client that does neither.

import { join } from 'node:path'
import type { NodeSettings } from '../../node/api.ts'
import type { Bench } from '../harness/case.ts'
import { Worker } from '../harness/worker.ts'

export type PeerWorker = Worker<typeof import('./peer.ts')>

export interface Mesh {
  readonly hosts: PeerWorker[]
  readonly client: PeerWorker
  readonly all: readonly PeerWorker[]
  /** Starts a host again that was killed, with its disk. */
  restart(index: number): Promise<void>
}

/** Label of host `n`, for actors that are to begin there. */
export const seat = (n: number): Readonly<Record<string, string>> => ({ seat: `${n}` })

const PEER = new URL('./peer.ts', import.meta.url)

export async function startMesh(
  bench: Bench,
  size: number,
  options: { readonly settings?: NodeSettings; readonly flags?: readonly string[] } = {},
): Promise<Mesh> {
  const directory = bench.directory()
  const { settings, flags } = options
  const start = async (name: string, more: object): Promise<PeerWorker> => {
    const worker = await Worker.start<typeof import('./peer.ts')>(PEER, flags)
    bench.teardown(() => worker.kill())
    await worker.run('start', {
      dataDir: join(directory, name),
      name,
      ...(settings && { settings }),
      ...more,
    })
    return worker
  }
  const first = await start('host-0', { labels: seat(0) })
  const invite = await first.run('invite')
  const hosts = [first]
  for (let n = 1; n < size; n += 1) hosts.push(await start(`host-${n}`, { labels: seat(n), invite }))
  const client = await start('client', { host: false, keep: false, invite })
  const settled = { peers: size + 1, keepers: size >= 5 ? 5 : size >= 3 ? 3 : 1 }
  const everybody = () => Promise.all([...hosts, client].map((peer) => peer.run('settled', settled)))
  await everybody()
  return {
    hosts,
    client,
    get all() {
      return [...hosts, client]
    },
    async restart(index) {
      hosts[index] = await start(`host-${index}`, { labels: seat(index) })
      await everybody()
    },
  }
}

export const named = (prefix: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, n) => `${prefix}-${n}`)
