import { describe, expect, test } from 'vitest'
import { logKey, parseActorKey } from '../mesh/ids.ts'
import { Batcher, type BlockLog, type RecordSource } from './batcher.ts'
import { type EncodedRecord, PART_BYTES, readHeader } from './records.ts'

class FakeJournal implements BlockLog {
  readonly key
  rolled = false
  readonly blocks: Uint8Array[] = []
  readonly #answers: {
    readonly resolve: (index: number) => void
    readonly reject: (error: Error) => void
  }[] = []
  constructor(name: string) {
    this.key = logKey(name)
  }
  append(block: Uint8Array): Promise<number> {
    this.blocks.push(block)
    return new Promise((resolve, reject) => this.#answers.push({ resolve, reject }))
  }
  acknowledge(): void {
    this.#answers.shift()?.resolve(this.blocks.length - this.#answers.length - 1)
  }
  fail(): void {
    this.#answers.shift()?.reject(new Error('sealed'))
  }
}

class Source implements RecordSource {
  readonly acks: string[] = []
  readonly taken: string[] = []
  readonly cuts: string[] = []
  #pending: number[] = []
  #sequence = 0
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
  add(bytes: number): this {
    this.#pending.push(bytes)
    return this
  }
  take(journal: string): readonly EncodedRecord[] {
    this.taken.push(journal)
    const actor = parseActorKey(`T/${this.name}`)
    return this.#pending.splice(0).map((bytes) => ({
      head: { actor, incarnation: 1, epoch: 1, sequence: ++this.#sequence, kind: 'snapshot' as const },
      body: new Uint8Array(bytes),
    }))
  }
  acknowledged(sequence: number, journal: string, index: number): void {
    this.acks.push(`${sequence}@${journal}[${index}]`)
  }
  cutOff(journal: string): void {
    this.cuts.push(journal)
    this.add(10)
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const names = (block: Uint8Array): string[] =>
  readHeader(block).map(
    (entry) => `${entry.actor.slice(2)}${entry.sequence}${entry.parts > 1 ? `/${entry.part}` : ''}`,
  )

describe('batcher', () => {
  const make = (journals: FakeJournal[], failed: unknown[] = []) =>
    new Batcher({
      journal: async () => journals.at(-1)!,
      failed: (cause) => failed.push(cause),
    })

  test('while a block is in flight the next one fills, with many actors', async () => {
    const journal = new FakeJournal('J')
    const batcher = make([journal])
    const sources = ['a', 'b', 'c'].map((name) => new Source(name))
    batcher.mark(sources[0]!.add(10))
    await settle()
    for (const source of sources) batcher.mark(source.add(10).add(10))
    await settle()
    expect(journal.blocks.map(names)).toEqual([['a1']])
    journal.acknowledge()
    await settle()
    expect(journal.blocks.map(names)).toEqual([['a1'], ['a2', 'a3', 'b1', 'b2', 'c1', 'c2']])
    expect(batcher.backlogBytes).toBe(60)
    journal.acknowledge()
    await settle()
    expect(sources.map((source) => source.acks)).toEqual([['1@J[0]', '3@J[1]'], ['2@J[1]'], ['2@J[1]']])
    expect(batcher.backlogBytes).toBe(0)
  })

  test('B2: a large record is cut, its parts stay together and in order, others follow', async () => {
    const journal = new FakeJournal('J')
    const batcher = make([journal])
    const [large, small] = [new Source('l').add(2.5 * PART_BYTES), new Source('s').add(10)]
    batcher.mark(large)
    batcher.mark(small)
    await settle()
    expect(journal.blocks.map(names)).toEqual([['l1/0'], ['l1/1']]) // full ones, so a second hides the trip
    for (let turn = 0; turn < 5; turn++) {
      await settle()
      journal.acknowledge()
    }
    await settle()
    expect(journal.blocks.map(names)).toEqual([['l1/0'], ['l1/1'], ['l1/2'], ['s1']])
    expect(large.acks).toEqual(['1@J[2]'])
  })

  test('a journal that rolls under a large record: it starts again in the next one', async () => {
    const journals = [new FakeJournal('J')]
    const batcher = make(journals)
    const large = new Source('l').add(2.5 * PART_BYTES)
    batcher.mark(large)
    await settle()
    journals[0]!.rolled = true
    journals.push(new FakeJournal('K'))
    journals[0]!.acknowledge()
    await settle()
    journals[1]!.acknowledge()
    await settle()
    expect(journals.map((journal) => journal.blocks.map(names))).toEqual([[['l1/0'], ['l1/1']], [['l2']]])
    expect(large.cuts).toEqual(['J'])
    expect(large.acks).toEqual(['2@K[0]'])
  })

  // One block; two on their way, the second with the record's end; and two of three.
  test.each([
    { bytes: 10, blocks: 1 },
    { bytes: 1.5 * PART_BYTES, blocks: 2 },
    { bytes: 2.5 * PART_BYTES, blocks: 2 },
  ])('B3: after a failed append nothing more is written or acknowledged', async ({ bytes, blocks }) => {
    const journal = new FakeJournal('J')
    const failed: unknown[] = []
    const batcher = make([journal], failed)
    const source = new Source('a').add(bytes)
    batcher.mark(source)
    await settle()
    expect(journal.blocks).toHaveLength(blocks)
    journal.fail()
    await settle()
    for (let turn = 0; turn < 3; turn++) {
      batcher.mark(source.add(10))
      journal.acknowledge()
      await settle()
    }
    expect({ blocks: journal.blocks.length, failed: failed.length, acks: source.acks }).toEqual({
      blocks,
      failed: 1,
      acks: [],
    })
  })
})
