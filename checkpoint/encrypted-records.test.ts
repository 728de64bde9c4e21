// Records of an encrypted actor: read back as what they were written for, and never as anything else, whoever writes blocks.

import { expect, test } from 'vitest'
import { bootId, logKey, parseActorKey, peerId } from '../mesh/ids.ts'
import { ActorLog } from './actor-log.ts'
import { CallTable } from './call-table.ts'
import { Cipher } from './cipher.ts'
import { encode } from './codec.ts'
import type { ActorLife } from './journal-index.ts'
import { cut, type EncodedRecord, encodeBlock } from './records.ts'
import { replay } from './replay.ts'

const J = logKey('J')
const cipher = new Cipher(new Uint8Array(32).fill(1))
const life = (name = 'x'): ActorLife => ({ actor: parseActorKey(`T/${name}`), incarnation: 1, epoch: 3 })
const SECRET = 'kept to itself'

/** A snapshot and three deltas, the n-th of which sets `n`. */
function records(of = life(), key: Cipher | null = cipher): EncodedRecord[] {
  const log = new ActorLog({
    life: of,
    state: { n: 0, word: SECRET },
    calls: new CallTable(),
    sequence: 0,
    isGone: () => false,
    cipher: key ?? undefined,
    mark: () => {},
  })
  void log.writeSnapshot()
  const taken = [...log.take(J)]
  for (const n of [1, 2, 3]) {
    const patches = encode([{ op: 'replace', path: ['n'], value: n }])
    const floors = { own: 0, all: 0 }
    const result = encode(SECRET)
    log.commit(patches, { caller: bootId(peerId('p'), 'b'), n, path: '', floors, result })
    taken.push(...log.take(J))
  }
  return taken
}
const blocks = (of: readonly EncodedRecord[]) => of.map((record) => encodeBlock(cut(record)))
const read = (of: readonly EncodedRecord[], key: Cipher | null = cipher) =>
  replay(life(), blocks(of), undefined, key ?? undefined)
/** The heads of some records with the bodies of others. */
const exchanged = (heads: readonly EncodedRecord[], bodies: readonly EncodedRecord[]): EncodedRecord[] =>
  heads.map(({ head }, index) => ({ head, body: bodies[index]!.body }))

test('what is written is read, with every call, and nothing of it is in the blocks', () => {
  const written = records()
  const restored = read(written)
  expect(restored).toMatchObject({ state: { n: 3, word: SECRET }, sequence: 4 })
  expect(restored?.calls.size).toBe(3)
  expect(Buffer.concat(blocks(written)).includes(SECRET)).toBe(false)
  expect(Buffer.concat(blocks(records(life(), null))).includes(SECRET)).toBe(true)
})

test.each<[string, (all: EncodedRecord[]) => EncodedRecord[]]>([
  ['two deltas exchanged', ([a, b, c, d]) => exchanged([a!, b!, c!, d!], [a!, c!, b!, d!])],
  ['an older state as a newer one', ([a, b, c, d]) => exchanged([a!, b!, c!, d!], [a!, b!, c!, b!])],
  ['another actor’s', (all) => exchanged(all, records(life('y')))],
  ['those of an earlier epoch', (all) => exchanged(all, records({ ...life(), epoch: 2 }))],
  ['of another life of the name', (all) => exchanged(all, records({ ...life(), incarnation: 2 }))],
  ['another key’s', (all) => exchanged(all, records(life(), new Cipher(new Uint8Array(32).fill(2))))],
  ['plain ones', () => records(life(), null)],
  [
    'one bit changed',
    ([first, ...rest]) => {
      const body = Uint8Array.from(first!.body)
      body[40]! ^= 1
      return [{ ...first!, body }, ...rest]
    },
  ],
])('bodies of records: %s are refused', (_, change) => {
  const changed = change(records())
  expect(() => read(changed)).toThrow(/was changed after it was written|is not encrypted as it should be/)
})

test('without the key nothing is read by mistake', () => {
  expect(() => read(records(), null)).toThrow()
})
