// A process that uses a store until it is killed, and prints what was acknowledged: one JSON line each, written
// synchronously, so that whoever reads it knows that the line was printed after the acknowledgement.

import { randomBytes } from 'node:crypto'
import { writeSync } from 'node:fs'
import { peerId } from '../../mesh/ids.ts'
import { openHypercoreStore } from '../hypercore-store.ts'
import type { LogKey } from '../mesh-types.ts'

const [writerDirectory, keeperDirectory] = process.argv.slice(2)
const random = () => randomBytes(16).toString('hex')
const tell = (line: object) => writeSync(1, `${JSON.stringify(line)}\n`)

const writer = await openHypercoreStore({
  directory: writerDirectory ?? '',
  random,
  writeBufferBytes: 256 * 1024,
})
const keeper = await openHypercoreStore({
  directory: keeperDirectory ?? '',
  random,
  writeBufferBytes: 256 * 1024,
})
tell({ kind: 'open', writer: writer.facts.storeId, keeper: keeper.facts.storeId })

async function appendAndIngest(log: LogKey): Promise<never> {
  for (let n = 0; ; n += 1) {
    const block = Buffer.from(`${n} `.repeat(1 + (n % 400)))
    const { length, proof } = await writer.append(log, block)
    tell({ kind: 'append', log, length })
    tell({ kind: 'ingest', log, length: await keeper.ingest(log, [proof]) })
  }
}

async function persist(): Promise<never> {
  for (let n = 0; ; n += 1) {
    await keeper.persist({ peers: { [peerId('p')]: [`${n}`] } })
    tell({ kind: 'persist', n })
  }
}

await Promise.all([
  appendAndIngest(await writer.createLog()),
  appendAndIngest(await writer.createLog()),
  persist(),
])
