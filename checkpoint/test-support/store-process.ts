// A process that has one store open and does what it is asked over its IPC channel, until it is killed. It tells of every
// sync of a WAL before anything that was waiting for it.

import { randomBytes } from 'node:crypto'
import { openHypercoreStore } from '../hypercore-store.ts'
import type { StoreAnswer, StoreQuestion } from './remote-store.ts'
import { WatchedDisk } from './watched-disk.ts'

const [directory = ''] = process.argv.slice(2)
const tell = (answer: StoreAnswer): void => void process.send?.(answer)

const walDisk = new WatchedDisk()
walDisk.onSynced = (path, bytes) => tell({ kind: 'synced', path, bytes })
const store = await openHypercoreStore({
  directory,
  random: () => randomBytes(16).toString('hex'),
  walDisk,
  // Small, so that WALs rotate while a script runs.
  writeBufferBytes: 64 * 1024,
})
process.on('message', ({ id, method, args }: StoreQuestion) => {
  const operation = store[method] as (...args: unknown[]) => Promise<unknown>
  operation.apply(store, [...args]).then(
    (value) => tell({ kind: 'done', id, value }),
    (error: Error & { code?: string }) =>
      tell({ kind: 'failed', id, code: error.code ?? '', text: error.message }),
  )
})
process.once('disconnect', () => process.exit())
tell({ kind: 'open', facts: store.facts, systemBoot: store.systemBoot })
