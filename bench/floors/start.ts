// The floors, started, as subjects of a comparison.

import type { Bench } from '../harness/case.ts'
import type { Subject } from '../harness/compare.ts'
import type { Plan } from '../harness/drive.ts'
import { Worker } from '../harness/worker.ts'

export const TCP = 'raw TCP echo'
export const LIBP2P = 'libp2p stream echo'
export const APPEND = 'hypercore append'
export const SYNC = 'fdatasync'

export type Floor = (plan: Plan) => Subject

async function startWorker<Jobs extends object>(bench: Bench, path: string): Promise<Worker<Jobs>> {
  const worker = await Worker.start<Jobs>(new URL(path, import.meta.url))
  bench.teardown(() => worker.kill())
  return worker
}

export async function startTcp(bench: Bench): Promise<Floor> {
  const [server, client] = [
    await startWorker<typeof import('./tcp.ts')>(bench, './tcp.ts'),
    await startWorker<typeof import('./tcp.ts')>(bench, './tcp.ts'),
  ]
  await client.run('connect', await server.run('serve'))
  return (plan) => ({ name: TCP, measure: () => client.run('echo', plan), watched: [server, client] })
}

export async function startLibp2p(bench: Bench): Promise<Floor> {
  const [server, client] = [
    await startWorker<typeof import('./libp2p.ts')>(bench, './libp2p.ts'),
    await startWorker<typeof import('./libp2p.ts')>(bench, './libp2p.ts'),
  ]
  await client.run('connect', await server.run('serve'))
  return (plan) => ({ name: LIBP2P, measure: () => client.run('echo', plan), watched: [server, client] })
}

export async function startDisk(bench: Bench): Promise<{ readonly append: Floor; readonly sync: Floor }> {
  const worker = await startWorker<typeof import('./disk.ts')>(bench, './disk.ts')
  await worker.run('open', bench.directory())
  return {
    append: (plan) => ({ name: APPEND, measure: () => worker.run('append', plan), watched: [worker] }),
    sync: (plan) => ({ name: SYNC, measure: () => worker.run('sync', plan), watched: [worker] }),
  }
}
