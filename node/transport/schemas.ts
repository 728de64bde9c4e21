// The shape of every message a peer may send, as zod schemas: mesh/messages.ts, membership/types.ts, registry/types.ts
// again, this time checked. Sizes are bounded generously: a limit here stops nonsense, not use.

import { z } from 'zod'
import { MAX_AMOUNT } from '../../mesh/resources.ts'
import { MAX_ADDRESSES, MAX_TEXT } from './limits.ts'

const count = z.int().nonnegative()
const id = z.string().min(1).max(256)
/** `<peer>/<nonce>` */
const boot = z
  .string()
  .max(256)
  .regex(/^[^/]+\/[^/]+$/)
const text = z.string().max(MAX_TEXT)
const longText = z.string().max(64 * 1024)
const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array)
const blocks = z.array(bytes).max(1_000_000)
const hash = z.string().max(128)
const addresses = z.array(text).max(MAX_ADDRESSES)
const labels = z.record(text, text)
const resources = z.record(text, z.number().nonnegative().max(MAX_AMOUNT))
const types = z.array(text).max(10_000)
const keeper = z.object({ peer: id, store: id })
const keepers = z.array(keeper).max(1_000)
const logClass = z.enum(['registry', 'replicated', 'synced'])
const ballot = z.object({ n: count, boot })

const successor = z.object({
  term: count,
  writer: boot,
  key: id,
  keepers,
  parent: z.object({ key: id, length: count, hash }).nullable(),
})
const pointer = successor.extend({
  meshId: id,
  rescues: z.array(id).max(1_000),
  addresses: z.record(id, addresses),
})
const accepted = z.object({ ballot, successor })

const description = z.object({
  name: text,
  store: id,
  addresses,
  labels,
  types,
  resources: resources.exactOptional(),
  keyId: id.exactOptional(),
  canHost: z.boolean(),
  canKeep: z.boolean(),
})
export const fact = z
  .object({
    peer: id,
    boot,
    startedAt: z.number(),
    incarnation: count,
    liveness: z.enum(['alive', 'suspect', 'dead', 'left']),
    by: id,
    description,
    load: z.number().nonnegative(),
  })
  .refine((value) => value.boot.startsWith(`${value.peer}/`))
export const facts = z.array(fact).max(100_000)

const journalClass = z.object({
  level: z.enum(['replicated', 'synced']),
  keepers: count,
  labels: labels.exactOptional(),
  peers: z.array(text).max(1_000).exactOptional(),
})
const placement = z.object({
  resources: resources.exactOptional(),
  preferLabels: labels.exactOptional(),
  spread: text.exactOptional(),
  apartFrom: types.exactOptional(),
  home: z.literal('head').exactOptional(),
  peer: id.exactOptional(),
})
const actorEpoch = z.object({ actor: text, epoch: count })
const many = 1_000_000
const command = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('admit'),
    entry: z.object({
      peer: id,
      name: text,
      store: id,
      boot,
      addresses,
      labels,
      types,
      resources: resources.exactOptional(),
      keyId: id.exactOptional(),
      canHost: z.boolean(),
      canKeep: z.boolean(),
    }),
    previous: z.array(boot).max(10_000),
  }),
  z.object({ kind: z.literal('leaving'), peer: id, boot }),
  z.object({ kind: z.literal('left'), peer: id, boot }),
  z.object({ kind: z.literal('open'), journal: id, boot, class: journalClass, keepers }),
  z.object({ kind: z.literal('close'), journal: id, length: count }),
  z.object({ kind: z.literal('retire'), journals: z.array(id).max(many) }),
  z.object({ kind: z.literal('trim'), journal: id, boot, actors: z.array(actorEpoch).max(many) }),
  z.object({
    kind: z.literal('recover'),
    boot,
    journals: z.record(
      id,
      z.object({
        length: count,
        hash,
        loss: z.object({ answered: count, keepers: count }).exactOptional(),
      }),
    ),
    cause: longText,
    at: z.number(),
    homes: z.record(text, boot),
  }),
  z.object({ kind: z.literal('acceptLoss'), boot, refusal: longText.nullable() }),
  z.object({
    kind: z.literal('create'),
    again: z.boolean(),
    actor: text,
    options: z.object({
      maxRestarts: z.int(),
      class: journalClass,
      labels,
      placement: placement.exactOptional(),
      keyId: id.exactOptional(),
    }),
    init: bytes,
    home: boot.nullable(),
  }),
  z.object({ kind: z.literal('assign'), actors: z.array(actorEpoch.extend({ home: boot })).max(many) }),
  z.object({ kind: z.literal('move'), actor: text, epoch: count, to: id.exactOptional() }),
  z.object({ kind: z.literal('stop'), actor: text, incarnation: count }),
  z.object({
    kind: z.literal('released'),
    boot,
    journal: id,
    length: count,
    actors: z.array(actorEpoch.extend({ home: boot.nullable() })).max(many),
  }),
  z.object({ kind: z.literal('noop') }),
  z.object({
    kind: z.literal('failed'),
    actor: text,
    epoch: count,
    cause: longText,
    again: z.boolean(),
    counts: z.boolean(),
  }),
  z.object({ kind: z.literal('started'), boot, steady: z.boolean(), actors: z.array(actorEpoch).max(many) }),
  z.object({
    kind: z.literal('kill'),
    actor: text,
    incarnation: count,
    epoch: count,
    restart: z.boolean(),
  }),
  z.object({ kind: z.literal('delete'), actor: text, incarnation: count }),
])
const issued = z.object({ boot, n: count, floor: count, command })
const result = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true) }),
  z.object({
    ok: z.literal(false),
    why: z.enum([
      'expired',
      'boot-dead',
      'store-foreign',
      'wrong-key',
      'name-taken',
      'stale-epoch',
      'unknown-actor',
      'unknown-journal',
      'unknown-boot',
      'recoverable',
      'journal-in-use',
      'journals-changed',
      'not-home',
      'not-leaving',
      'no-keepers',
    ]),
    detail: longText,
  }),
])

const log = id
const store = id
const seq = count
const relayable = [
  z.object({
    kind: z.literal('seal'),
    log,
    store,
    order: count,
    ballot,
    registry: z.boolean(),
    force: z.enum(['none', 'refused', 'consent', 'newer-boot']),
  }),
  z.object({
    kind: z.literal('sealed'),
    log,
    store,
    ballot,
    length: count,
    hash,
    tainted: z.boolean(),
    filled: z.object({ length: count, hash }).exactOptional(),
    accepted: accepted.exactOptional(),
  }),
  z.object({ kind: z.literal('nack'), log, store, ballot, promised: ballot }),
  z.object({ kind: z.literal('accept'), log, store, ballot, successor }),
  z.object({ kind: z.literal('accepted'), log, store, ballot }),
  z.object({ kind: z.literal('fill'), log, store, upTo: count, hash, source: id }),
  z.object({ kind: z.literal('held'), log, store, length: count }),
  z.object({ kind: z.literal('fetch'), log, from: count, upTo: count, id: count }),
  z.object({ kind: z.literal('fetched'), log, from: count, id: count, proofs: blocks }),
  z.object({ kind: z.literal('pointer'), pointer }),
  z.object({ kind: z.literal('cmd'), issued }),
  z.object({ kind: z.literal('done'), n: count, boot, result, log, term: count, position: count }),
] as const
const relayedMessage = z.discriminatedUnion('kind', relayable)
export const meshMessage = z.discriminatedUnion('kind', [
  ...relayable,
  z.object({
    kind: z.literal('app'),
    log,
    store,
    class: logClass,
    order: count,
    from: count,
    proofs: blocks,
    length: count,
    commit: count,
    pointer: pointer.exactOptional(),
    sync: z.literal(true).exactOptional(),
  }),
  z.object({ kind: z.literal('ack'), log, store, length: count, synced: count }),
  z.object({ kind: z.literal('logSealed'), log, store }),
  z.object({ kind: z.literal('unknown'), log, store }),
  z.object({ kind: z.literal('busy'), log, store, ballot }),
  z.object({ kind: z.literal('confirm'), log, store, round: count }),
  z.object({ kind: z.literal('confirmed'), log, store, round: count }),
  z.object({
    kind: z.literal('records'),
    log,
    from: count,
    blocks,
    commit: count,
    round: count.exactOptional(),
  }),
  z.object({ kind: z.literal('follow'), log, from: count }),
  z.object({ kind: z.literal('offer'), log }),
  z.object({ kind: z.literal('roll'), journal: id }),
  z.object({ kind: z.literal('survey'), id: count }),
  z.object({
    kind: z.literal('surveyed'),
    id: count,
    store,
    term: z.int().min(-1),
    hearsHead: z.boolean(),
    rescuing: z.boolean(),
    copies: z.array(z.object({ log, term: count, length: count })).max(1_000),
  }),
  z.object({ kind: z.literal('relay'), to: id, message: relayedMessage }),
  z.object({ kind: z.literal('relayed'), from: id, boot, message: relayedMessage }),
  z.object({ kind: z.literal('view'), facts, reply: z.boolean() }),
  z.object({ kind: z.literal('ping'), seq, facts }),
  z.object({ kind: z.literal('pong'), seq, facts }),
  z.object({ kind: z.literal('pingReq'), seq, target: id }),
  z.object({ kind: z.literal('pingAck'), seq, target: id, ok: z.boolean() }),
])

export const serviceFrame = z.object({ service: z.string().min(1).max(64), body: z.unknown() })
