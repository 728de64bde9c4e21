// Records of an encrypted actor: read back as what they were written for, and never as anything else, whoever writes blocks.

import { expect, test } from 'vitest'
import { bootId, logKey, parseActorKey, peerId } from '../mesh/ids.ts'
import { ActorLog } from './actor-log.ts'
import { CallTable } from './call-table.ts'
import { Cipher } from './cipher.ts'
import { encode } from './codec.ts'
import type { ActorLife } from './journal-index.ts'
import { cut, type EncodedRecord, encodeBlock, PART_BYTES } from './records.ts'
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

/** A snapshot of several parts, each encrypted by itself. */
async function largeRecord(letter: string, of = life()): Promise<EncodedRecord> {
  let made = (): void => {}
  const whenMade = new Promise<void>((resolve) => {
    made = resolve
  })
  let marks = 0
  const log = new ActorLog({
    life: of,
    state: { bytes: new Uint8Array(3 * PART_BYTES), word: letter },
    calls: new CallTable(),
    sequence: 0,
    slicing: { largeBytes: 0, sliceBytes: PART_BYTES, pause: () => Promise.resolve() },
    isGone: () => false,
    cipher,
    mark: () => {
      if (++marks === 2) made()
    },
  })
  void log.writeSnapshot()
  expect(log.take(J)).toEqual([])
  await whenMade
  return log.take(J)[0]!
}

test('E1 parts that are encrypted one by one can not be exchanged, left out, or put into another record', async () => {
  const [record, other, elsewhere] = await Promise.all([
    largeRecord('a'),
    largeRecord('b', { ...life(), epoch: 2 }),
    largeRecord('a', life('y')),
  ])
  const parts = record.parts!
  expect(parts.length).toBe(4)
  expect(Math.max(...parts.map(({ length }) => length))).toBe(PART_BYTES)
  expect(read([record])?.state).toMatchObject({ word: 'a' })
  const [first, second, third, last] = parts as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  for (const changed of [
    [first, third, second, last],
    [first, second, second, last],
    [first, second, third],
    [first, second, last],
    [first, second, third, other.parts![3]!],
    [first, second, third, elsewhere.parts![3]!],
    [first, second, third, last, last],
  ])
    expect(() => read([{ ...record, parts: changed }])).toThrow(/belongs somewhere else/)
})
