import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bootId, logKey, parseActorKey, peerId } from '../mesh/ids.ts'
import { ActorLog } from './actor-log.ts'
import { Agenda, type AgendaChange, numbersFrom } from './agenda.ts'
import { CallTable } from './call-table.ts'
import { decode, encode } from './codec.ts'
import type { ActorLife } from './journal-index.ts'
import { cut, encodeBlock, readHeader, UnreadableBlock } from './records.ts'
import { replay } from './replay.ts'

const life: ActorLife = { actor: parseActorKey('T/x'), incarnation: 1, epoch: 3 }
const target = parseActorKey('T/y')
const bytes = new Uint8Array([1, 2])
const J = logKey('J')

const change: fc.Arbitrary<AgendaChange> = fc.oneof(
  fc
    .tuple(fc.integer({ min: 1, max: 9 }), fc.nat(2))
    .map(([n, incarnation]): AgendaChange => ['send', n, target, incarnation, 'm', bytes, new Uint8Array()]),
  fc.nat(9).map((n): AgendaChange => ['answered', n]),
  fc
    .tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(100), fc.constantFrom(0, 1000))
    .map(([id, at, every]): AgendaChange => ['set', id, at, every, 'm', bytes, at % 2]),
  fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(99)).map(([id, n]): AgendaChange => ['begun', id, n]),
  fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(99)).map(([id, at]): AgendaChange => ['failed', id, at]),
  fc.constantFrom('a', 'b', 'c').map((id): AgendaChange => ['gone', id]),
)

const makeLog = (): ActorLog =>
  new ActorLog({
    life,
    state: {},
    calls: new CallTable(),
    agenda: new Agenda(),
    sequence: 0,
    isGone: () => false,
    mark: () => {},
  })

describe('agenda', () => {
  test('Q1: what a replay of any number of deltas, or of a snapshot, gives is what the live actor had', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(change, { minLength: 1, maxLength: 3 }), { maxLength: 60 }),
        (records) => {
          const log = makeLog()
          void log.writeSnapshot().catch(() => {})
          const blocks = [encodeBlock(log.take(J).flatMap((record) => cut(record)))]
          for (const changes of records) {
            void log.commitAgenda(changes).catch(() => {})
            blocks.push(encodeBlock(log.take(J).flatMap((record) => cut(record, 16))))
            expect(replay(life, blocks)!.agenda.toData()).toEqual(log.agenda.toData())
          }
          const again = Agenda.from(decode(encode(log.agenda.toData())) as ReturnType<Agenda['toData']>)
          expect(again.toData()).toEqual(log.agenda.toData())
          expect(again.sendBytes).toBe(log.agenda.sendBytes)
        },
      ),
      { numRuns: 60 },
    )
  })

  test('Q2: the numbers of a home lie above those of every home and every generation before it', () => {
    const first = [numbersFrom(0, 1), numbersFrom(0, 2), numbersFrom(0, 4_000_000), numbersFrom(1, 1)]
    expect([...first].sort((a, b) => a - b)).toEqual(first)
    expect(Number.isSafeInteger(numbersFrom(63, 2 ** 22 - 1) + 2 ** 25 - 1)).toBe(true)
  })

  test('the first alarm is the one that is due first, whichever was set last', () => {
    const agenda = new Agenda()
    agenda.apply(['set', 'late', 50, 0, 'm', bytes, 0])
    agenda.apply(['set', 'soon', 10, 0, 'm', bytes, 0])
    expect(agenda.first()?.id).toBe('soon')
    agenda.apply(['failed', 'soon', 90])
    expect(agenda.first()?.id).toBe('late')
    expect(agenda.alarm('soon')).toMatchObject({ at: 90, failures: 1 })
  })
})

describe('blocks of the release without agendas', () => {
  const { life: shop, blocks } = JSON.parse(
    readFileSync(new URL('./fixtures/blocks-0.1.0.json', import.meta.url), 'utf8'),
  ) as { life: ActorLife; blocks: string[] }
  const read = blocks.map((block) => new Uint8Array(Buffer.from(block, 'base64')))

  test('are read: deltas, parts, a release, and an empty agenda', () => {
    const before = replay(shop, read.slice(0, 2))!
    expect(before.state).toEqual({
      stock: new Map([['tea', 5]]),
      sold: ['s1', 's2'],
      since: new Date(1000),
    })
    const all = replay(shop, read)!
    expect(all).toMatchObject({ kind: 'release', sequence: 7 })
    expect(all.state).toMatchObject({ sold: ['s1', 's2', 's3', 's4', 's5'] })
    const id = { caller: bootId(peerId('p'), '0a'), n: 3, path: 'ab.0' }
    expect(all.calls.lookup(id)).toMatchObject({ kind: 'settled' })
    expect(all.agenda.toData()).toBeUndefined()
  })

  test('are of another format than those of today, and of tomorrow', () => {
    const log = makeLog()
    void log.writeSnapshot().catch(() => {})
    const block = encodeBlock(log.take(J).flatMap((record) => cut(record)))
    expect(block[0]).toBe(3)
    expect(readHeader(block)).toHaveLength(1)
    const later = block.slice()
    later[0] = 4
    expect(() => readHeader(later)).toThrow(UnreadableBlock)
  })
})
