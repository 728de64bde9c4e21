// Decoding is total, and accepts exactly what the protocol's types allow.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import type { ActorKey, BootId, LogKey, PeerId, StoreId } from '../../mesh/ids.ts'
import type { MeshMessage } from '../../mesh/messages.ts'
import { Lane } from './chunks.ts'
import {
  decodeClone,
  decodeFacts,
  decodeMeshMessage,
  decodePlain,
  decodeServiceFrame,
  encodeMessage,
  encodeService,
  laneOf,
} from './codec.ts'
import type { meshMessage } from './schemas.ts'

type Brand = PeerId | StoreId | BootId | LogKey | ActorKey
type Schema = z.infer<typeof meshMessage>
/** A type with its brands and `readonly` taken off. */
type Plain<T> = T extends Brand
  ? string
  : T extends Uint8Array | string | number | boolean | null
    ? T
    : T extends readonly (infer Item)[]
      ? Plain<Item>[]
      : { -readonly [Key in keyof T as Key extends Brand ? string : Key]: Plain<T[Key]> }

const peer = '12D3KooWA'
const boot = `${peer}/${'0'.repeat(32)}`
const description = {
  name: 'n',
  store: 's',
  addresses: ['/ip4/1.2.3.4/tcp/1'],
  labels: { zone: 'a' },
  types: ['Counter'],
  resources: { gpu: 2, slots: 0.5 },
  keyId: 'c0ffee',
  canHost: true,
  canKeep: false,
}
const fact = { peer, boot, startedAt: 1.5, incarnation: 0, liveness: 'alive', by: peer, description, load: 3 }
const log = 'ab'.repeat(32)
const ballot = { n: 4, boot }
const successor = {
  term: 2,
  writer: boot,
  key: log,
  keepers: [{ peer, store: 's' }],
  parent: null,
}
const pointer = {
  ...successor,
  parent: { key: log, length: 3, hash: 'h' },
  meshId: log,
  rescues: [log],
  addresses: { [peer]: ['/ip4/1.2.3.4/tcp/1'] },
}
const bytes = Uint8Array.of(1, 2, 3)
const journalClass = { level: 'synced', keepers: 3, labels: { a: 'b' } }
const commands = [
  {
    kind: 'admit',
    entry: {
      peer,
      name: 'n',
      store: 's',
      boot,
      addresses: [],
      labels: {},
      types: [],
      resources: { gpu: 2 },
      keyId: 'c0ffee',
      canHost: true,
      canKeep: true,
    },
    previous: [boot],
  },
  { kind: 'leaving', peer, boot },
  { kind: 'left', peer, boot },
  { kind: 'open', journal: log, boot, class: journalClass, keepers: [] },
  { kind: 'close', journal: log, length: 3 },
  { kind: 'retire', journals: [log] },
  { kind: 'trim', journal: log, boot, actors: [{ actor: 'A/b', epoch: 1 }] },
  {
    kind: 'recover',
    boot,
    journals: { [log]: { length: 2, hash: '', loss: { answered: 1, keepers: 3 } } },
    cause: 'gone',
    at: 5,
    homes: { 'A/b': boot },
  },
  {
    kind: 'create',
    again: false,
    actor: 'A/b',
    options: { maxRestarts: -1, class: journalClass, labels: {}, placement: { peer }, keyId: 'c0ffee' },
    init: bytes,
    home: null,
  },
  {
    kind: 'create',
    again: true,
    actor: 'A/b',
    options: {
      maxRestarts: -1,
      class: journalClass,
      labels: {},
      placement: {
        resources: { gpu: 1 },
        preferLabels: { zone: 'a' },
        spread: 'zone',
        apartFrom: ['B'],
        home: 'head',
      },
    },
    init: bytes,
    home: boot,
  },
  { kind: 'assign', actors: [{ actor: 'A/b', epoch: 1, home: boot }] },
  { kind: 'move', actor: 'A/b', epoch: 2 },
  { kind: 'stop', actor: 'A/b', incarnation: 1 },
  { kind: 'released', boot, journal: log, length: 2, actors: [{ actor: 'A/b', epoch: 1, home: null }] },
  { kind: 'noop' },
  { kind: 'acceptLoss', boot, refusal: null },
  { kind: 'failed', actor: 'A/b', epoch: 1, cause: 'x', again: true, counts: true },
  { kind: 'started', boot, steady: true, actors: [{ actor: 'A/b', epoch: 1 }] },
  { kind: 'kill', actor: 'A/b', incarnation: 1, epoch: 2, restart: false },
  { kind: 'delete', actor: 'A/b', incarnation: 1 },
]
const samples = [
  {
    kind: 'app',
    log,
    store: 's',
    class: 'registry',
    order: 1,
    from: 0,
    proofs: [bytes],
    length: 1,
    commit: 0,
    pointer,
  },
  { kind: 'ack', log, store: 's', length: 1, synced: 0 },
  { kind: 'logSealed', log, store: 's' },
  { kind: 'unknown', log, store: 's' },
  { kind: 'seal', log, store: 's', order: 2, ballot, registry: true, force: 'none' },
  {
    kind: 'sealed',
    log,
    store: 's',
    ballot,
    length: 1,
    hash: 'h',
    tainted: false,
    accepted: { ballot, successor },
  },
  {
    kind: 'sealed',
    log,
    store: 's',
    ballot,
    length: 1,
    hash: 'h',
    tainted: false,
    filled: { length: 3, hash: 'h' },
  },
  { kind: 'nack', log, store: 's', ballot, promised: ballot },
  { kind: 'busy', log, store: 's', ballot },
  { kind: 'accept', log, store: 's', ballot, successor },
  { kind: 'accepted', log, store: 's', ballot },
  { kind: 'fill', log, store: 's', upTo: 3, hash: 'h', source: peer },
  { kind: 'held', log, store: 's', length: 3 },
  { kind: 'confirm', log, store: 's', round: 9 },
  { kind: 'confirmed', log, store: 's', round: 9 },
  { kind: 'fetch', log, from: 0, upTo: 3, id: 1 },
  { kind: 'fetched', log, from: 0, id: 1, proofs: [bytes, bytes] },
  { kind: 'pointer', pointer },
  { kind: 'records', log, from: 0, blocks: [bytes], commit: 1, round: 4 },
  { kind: 'follow', log, from: 0 },
  ...commands.map((command) => ({ kind: 'cmd', issued: { boot, n: 1, floor: 1, command } })),
  { kind: 'done', n: 1, boot, result: { ok: true }, log, term: 3, position: 4 },
  {
    kind: 'done',
    n: 1,
    boot,
    result: { ok: false, why: 'not-home', detail: 'd' },
    log,
    term: 3,
    position: 4,
  },
  { kind: 'offer', log },
  { kind: 'roll', journal: log },
  { kind: 'survey', id: 3 },
  {
    kind: 'surveyed',
    id: 3,
    store: 's',
    term: -1,
    hearsHead: false,
    rescuing: true,
    copies: [{ log, term: 2, length: 7 }],
  },
  {
    kind: 'relay',
    to: peer,
    message: { kind: 'seal', log, store: 's', order: 2, ballot, registry: false, force: 'none' },
  },
  { kind: 'relayed', from: peer, boot, message: { kind: 'held', log, store: 's', length: 3 } },
  { kind: 'view', facts: [fact], reply: true },
  { kind: 'ping', seq: 1, facts: [fact] },
  { kind: 'pong', seq: 1, facts: [] },
  { kind: 'pingReq', seq: 1, target: peer },
  { kind: 'pingAck', seq: 1, target: peer, ok: false },
]
const over = (value: unknown): unknown => {
  const decoded = decodePlain(encodeMessage(value as MeshMessage) as Uint8Array)
  return decoded.ok ? decodeMeshMessage(decoded.value) : undefined
}

describe('decodeMeshMessage', () => {
  it('has schemas for exactly the messages of the protocol', () => {
    // Checked by the compiler: each type is assignable to the other. A message changed in mesh/ must be changed in schemas.ts.
    const accepts = (message: Plain<MeshMessage>): Schema => message
    const accepted = (message: Schema): Plain<MeshMessage> => message
    expect([accepts, accepted]).toHaveLength(2)
  })

  it.each(
    samples.map((sample) => [
      sample.kind === 'cmd'
        ? `cmd ${(sample as { issued: { command: { kind: string } } }).issued.command.kind}`
        : sample.kind,
      sample,
    ]),
  )('carries %s over unchanged', (_name, sample) => {
    expect(over(sample)).toEqual(sample)
  })

  it('refuses to relay what shows a link, and what was relayed before', () => {
    const ack = { kind: 'ack', log, store: 's', length: 1, synced: 1 }
    const held = { kind: 'held', log, store: 's', length: 3 }
    const once = { kind: 'relayed', from: peer, boot, message: held }
    expect(over(once)).toBeDefined()
    for (const message of [ack, once, { kind: 'relay', to: peer, message: held }]) {
      expect(over({ kind: 'relay', to: peer, message })).toBeUndefined()
      expect(over({ kind: 'relayed', from: peer, boot, message })).toBeUndefined()
    }
  })

  it('takes an optional field that is undefined for an absent one', () => {
    const message = { kind: 'records', log, from: 0, blocks: [], commit: 1 }
    expect(Object.keys(over({ ...message, round: undefined }) as object)).toEqual(Object.keys(message))
  })

  it('refuses messages with one field missing or of another type', () => {
    const optional = new Set(['pointer', 'accepted', 'filled', 'round'])
    for (const sample of samples) {
      for (const key of Object.keys(sample)) {
        const { [key]: _, ...rest } = sample as Record<string, unknown>
        if (!(optional.has(key) && sample.kind !== 'pointer')) expect(decodeMeshMessage(rest)).toBeUndefined()
        expect(decodeMeshMessage({ ...sample, [key]: Symbol('no') })).toBeUndefined()
      }
    }
    expect(decodeMeshMessage({ kind: 'ping', seq: -1, facts: [] })).toBeUndefined()
    expect(decodeFacts([{ ...fact, boot: `other/${'0'.repeat(32)}` }])).toBeUndefined()
  })

  it('is total: no value and no bytes make it throw', () => {
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withMap: true,
          withSet: true,
          withTypedArray: true,
          withNullPrototype: true,
        }),
        (value) => {
          decodeMeshMessage(value)
          decodeFacts(value)
          decodeServiceFrame(value)
        },
      ),
      { numRuns: 2_000 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (garbage) => {
        for (const decode of [decodePlain, decodeClone]) {
          const decoded = decode(garbage)
          if (decoded.ok) decodeMeshMessage(decoded.value)
        }
      }),
      { numRuns: 5_000 },
    )
  })

  it('is total for messages with a few bytes changed', () => {
    const encoded = samples.map((sample) => encodeMessage(sample as unknown as MeshMessage) as Uint8Array)
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(fc.constantFrom(...encoded), changes, (original, changed) => {
        const copy = Uint8Array.from(original)
        for (const [at, value] of changed) copy[at % copy.length] = value
        const decoded = decodePlain(copy)
        if (decoded.ok) decodeMeshMessage(decoded.value)
      }),
      { numRuns: 5_000 },
    )
  })
})

describe('service frames', () => {
  it('carry what structuredClone carries, and refuse functions without throwing', () => {
    const shared = { n: 1 }
    const body = {
      shared,
      again: shared,
      error: new Error('no'),
      date: new Date(3),
      set: new Set([1]),
      map: new Map([[{ k: 1 }, 2n]]),
      bytes: Uint8Array.of(7),
    }
    const decoded = decodeClone(encodeService({ service: 's', body }) as Uint8Array)
    const frame = decoded.ok ? decodeServiceFrame(decoded.value) : undefined
    expect(frame).toEqual({ service: 's', body })
    const arrived = frame?.body as typeof body | undefined
    expect(arrived?.again).toBe(arrived?.shared)
    expect(encodeService({ service: 's', body: () => 1 })).toBeUndefined()
  })
})

it('failure detection goes first, fetched blocks last', () => {
  expect(laneOf({ kind: 'ping', seq: 1, facts: [] })).toBe(Lane.membership)
  expect(laneOf({ kind: 'fetched', log: log as LogKey, from: 0, id: 0, proofs: [] })).toBe(Lane.bulk)
  const fetched = { kind: 'fetched', log: log as LogKey, from: 0, id: 0, proofs: [] } as const
  expect(laneOf({ kind: 'relay', to: peer as PeerId, message: fetched })).toBe(Lane.bulk)
  expect(laneOf({ kind: 'offer', log: log as LogKey })).toBe(Lane.protocol)
})
