// The two ways that hypercore itself offers to bring a block to a keeper, for comparison with bench/store-proofs.ts:
// its proofs applied with applyProof, and its replication stream (both ends in this process, without a network).
//
//     npx node bench/hypercore-ways.ts

import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// Untyped on purpose: checkpoint/hypercore.d.ts declares what the product calls, and this is not among it.
const require = createRequire(import.meta.url)
const Corestore = require('corestore')
const Hypercore = require('hypercore')

const ROUNDS = 500
const parent = await mkdtemp(join(tmpdir(), 'actor-mesh-bench-'))
const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
const timed = async (into: number[], work: () => Promise<unknown>) => {
  const start = performance.now()
  const result = await work()
  into.push(performance.now() - start)
  return result
}
const later = () => new Promise((resolve) => setImmediate(resolve))

for (const size of [300, 4000, 64 * 1024]) {
  const [writer, keeper, follower] = ['a', 'b', 'c'].map(
    (name) => new Corestore(join(parent, `${name}${size}`)),
  )
  const { d, x } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  const publicKey = Buffer.from(x ?? '', 'base64url')
  const keyPair = { publicKey, secretKey: Buffer.concat([Buffer.from(d ?? '', 'base64url'), publicKey]) }
  const manifest = { version: 1, signers: [{ publicKey }] }
  const key = Hypercore.key(manifest)
  const source = writer.get({ key, manifest })
  const copy = keeper.get({ key, manifest })
  await Promise.all([source.ready(), copy.ready()])

  const [append, prove, apply, replicate] = [[], [], [], []] as [number[], number[], number[], number[]]
  const block = randomBytes(size)
  for (let index = 0; index < ROUNDS; index += 1) {
    await timed(append, () => source.append(block, { keyPair }))
    const request = { block: { index, nodes: 0 }, upgrade: { start: index, length: 1 } }
    const proof = await timed(prove, () => source.proof(request))
    await timed(apply, () => copy.applyProof(proof))
  }

  const followed = follower.get({ key })
  await followed.ready()
  const near = writer.replicate(true)
  near.pipe(follower.replicate(false)).pipe(near)
  followed.download({ start: 0, end: -1 })
  while (followed.contiguousLength < ROUNDS) await later()
  for (let length = ROUNDS + 1; length <= 2 * ROUNDS; length += 1) {
    await timed(replicate, async () => {
      await source.append(block, { keyPair })
      while (followed.contiguousLength < length) await later()
    })
  }
  const [a, p, i, r] = [append, prove, apply, replicate].map((times) => `${median(times).toFixed(3)} ms`)
  process.stdout.write(`${size} bytes: append ${a}, proof ${p}, applyProof ${i}; append to replicated ${r}\n`)
  near.destroy()
  await Promise.all([writer.close(), keeper.close(), follower.close()])
}
await rm(parent, { recursive: true })
