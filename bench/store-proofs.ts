// What one keeper costs: append on the writer, proof on the wire, ingest and sync on the keeper. Medians, on whatever
// machine this runs. bench/hypercore-ways.ts measures the alternatives.
//
//     npx node bench/store-proofs.ts

import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openHypercoreStore } from '../checkpoint/hypercore-store.ts'

const ROUNDS = 500
const parent = await mkdtemp(join(tmpdir(), 'actor-mesh-bench-'))
const random = () => randomBytes(16).toString('hex')
const open = (name: string) => openHypercoreStore({ directory: join(parent, name), random })

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
const tell = (what: string, value: string) => process.stdout.write(`${what.padEnd(58)} ${value}\n`)
const ms = (value: number) => `${value.toFixed(3)} ms`

async function measure(rounds: number, work: (round: number) => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const start = performance.now()
    await work(round)
    times.push(performance.now() - start)
  }
  return median(times)
}

const [writer, keeper, late, behind] = [
  await open('writer'),
  await open('keeper'),
  await open('late'),
  await open('behind'),
]

for (const size of [300, 4000, 64 * 1024]) {
  const log = await writer.createLog()
  const proofs: Uint8Array[] = []
  const block = randomBytes(size)
  tell(`block of ${size} bytes`, '')
  tell(
    '  append, with its proof',
    ms(await measure(ROUNDS, async () => proofs.push((await writer.append(log, block)).proof))),
  )
  tell('  bytes of the proof beside the block', `${(proofs.at(-1)?.byteLength ?? 0) - size}`)
  tell(
    '  ingest, one proof at a time',
    ms(await measure(ROUNDS, (round) => keeper.ingest(log, [proofs[round] ?? block]))),
  )
  tell('  verify alone', ms(await measure(ROUNDS, (round) => keeper.verify(log, proofs[round] ?? block))))
  const catchUp = async () => {
    let length = 0
    while (length < ROUNDS) length = await late.ingest(log, await keeper.prove(log, length, length + 50))
  }
  tell('  catch up in runs of 50: prove and ingest, per block', ms((await measure(1, catchUp)) / ROUNDS))
  const start = performance.now()
  await Promise.all(proofs.map((proof) => behind.ingest(log, [proof])))
  tell('  ingest, pipelined, per block', ms((performance.now() - start) / ROUNDS))
}

const log = await writer.createLog()
tell('sync after one append of 300 bytes', '')
const block = randomBytes(300)
const syncs: number[] = []
for (let round = 0; round < 200; round += 1) {
  await writer.append(log, block)
  syncs.push(await measure(1, () => writer.sync()))
}
tell('  sync', ms(median(syncs)))
tell('  persist (a sync and the facts)', ms(await measure(200, () => writer.persist({ boots: [] }))))
const shared = await measure(20, () =>
  Promise.all(Array.from({ length: 100 }, () => writer.persist({ boots: [] }))),
)
tell('  100 concurrent persists, together', ms(shared))

const logs: Awaited<ReturnType<typeof writer.createLog>>[] = []
tell('create a log', ms(await measure(300, async () => logs.push(await writer.createLog()))))
tell('drop a log', ms(await measure(300, (round) => writer.drop(logs[round] ?? log))))

await Promise.all([writer, keeper, late, behind].map((store) => store.close()))
await rm(parent, { recursive: true })
