// The proof codec against hypercore itself, and against any bytes.

import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { blockOf, decodeProof, encodeProof, treeOf, verifyProof } from './hypercore-proof.ts'
import { openHypercoreStore } from './hypercore-store.ts'
import { temporaryDirectory } from './test-support/temporary-directory.ts'

const random = () => randomBytes(16).toString('hex')

it('decodes what it encoded, for every shape of tree', async () => {
  const store = await openHypercoreStore({ directory: await temporaryDirectory(), random })
  const log = await store.createLog()
  for (let i = 0; i < 70; i += 1) {
    const { proof } = await store.append(log, randomBytes(i))
    const decoded = decodeProof(proof)
    expect(Buffer.compare(encodeProof(decoded), proof)).toBe(0)
    expect([decoded.index, blockOf(i, decoded.stored).byteLength]).toEqual([i, i])
    verifyProof(Buffer.from(log, 'hex'), decoded)
    const tree = treeOf(decoded.roots, i)
    tree.append(decoded.stored)
    // What the proof hashes to is what hypercore says the hash of the log is.
    expect(tree.hash().toString('hex')).toBe(await store.hash(log, i + 1))
  }
  await store.close()
})

it('rejects any bytes that are no proof with InvalidProof, and nothing else', () => {
  const key = randomBytes(32)
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    // The right version and index 0 get past the first checks.
    fc.uint8Array({ minLength: 108, maxLength: 400 }).map((tail) => {
      const bytes = Buffer.concat([Buffer.from([1]), tail])
      bytes.fill(0, 33, 39)
      bytes[107] = 0
      return bytes
    }),
  )
  fc.assert(
    fc.property(anything, (bytes) => {
      let code = 'none'
      try {
        verifyProof(key, decodeProof(bytes))
      } catch (error) {
        code = (error as { code: string }).code
      }
      expect(code).toBe('INVALID_PROOF')
    }),
    { numRuns: 2000 },
  )
})
