// Between values and bytes, in both directions. Encoding happens when a message is sent, so that a later change of it is
// not sent. Decoding is total: whatever the bytes, it returns a value of the declared type or undefined, and never throws.

import { Encoder } from 'cbor-x'
import type { Fact } from '../../mesh/membership/types.ts'
import type { MeshMessage } from '../../mesh/messages.ts'
import type { ServiceFrame } from '../ports.ts'
import { Lane } from './chunks.ts'
import { facts, meshMessage, serviceFrame } from './schemas.ts'

/** Protocol messages are plain data. */
const plain = new Encoder({ useRecords: false, mapsAsObjects: true, tagUint8Array: true })
/** Service frames carry what `structuredClone` carries: Map, Set, Date, BigInt, errors, shared and cyclic references. */
const clone = new Encoder({ useRecords: false, mapsAsObjects: true, structuredClone: true })

const encodeWith = (encoder: Encoder, value: unknown): Uint8Array | undefined => {
  try {
    return encoder.encode(value)
  } catch {
    return undefined
  }
}

/** `malformed`: the bytes are not CBOR. Wrapped, because undefined is a value. */
type Decoded = { readonly ok: true; readonly value: unknown } | { readonly ok: false }
const decodeWith = (encoder: Encoder, bytes: Uint8Array): Decoded => {
  try {
    return { ok: true, value: encoder.decode(bytes) }
  } catch {
    return { ok: false }
  }
}

/** Undefined when the message holds something that cannot travel. */
export const encodeMessage = (message: MeshMessage): Uint8Array | undefined => encodeWith(plain, message)
export const encodeFacts = (list: readonly Fact[]): Uint8Array | undefined => encodeWith(plain, list)
export const encodeService = (frame: ServiceFrame): Uint8Array | undefined =>
  encodeWith(clone, { service: frame.service, body: frame.body })

export const decodePlain = (bytes: Uint8Array): Decoded => decodeWith(plain, bytes)
export const decodeClone = (bytes: Uint8Array): Decoded => decodeWith(clone, bytes)

/** Bounds the walk of {@link withoutUndefined}: no message of ours nests nearly as deep. */
const MAX_DEPTH = 32

/** An optional field that is present as undefined means absent. */
const withoutUndefined = (value: unknown, depth = 0): unknown => {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || depth > MAX_DEPTH)
    return value
  if (Array.isArray(value)) {
    const first: unknown = value[0]
    return typeof first !== 'object' || first === null || first instanceof Uint8Array
      ? value
      : value.map((item) => withoutUndefined(item, depth + 1))
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  const result: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value))
    if (item !== undefined && key !== '__proto__') result[key] = withoutUndefined(item, depth + 1)
  return result
}

const checked = (
  schema: { safeParse(value: unknown): { success: boolean; data?: unknown } },
  value: unknown,
): unknown => {
  try {
    const parsed = schema.safeParse(withoutUndefined(value))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined // A getter or proxy of an in-process caller; bytes cannot do this.
  }
}

/** A message a peer may send, or undefined. Unknown fields are dropped. */
export const decodeMeshMessage = (value: unknown): MeshMessage | undefined =>
  checked(meshMessage, value) as MeshMessage | undefined
export const decodeFacts = (value: unknown): readonly Fact[] | undefined =>
  checked(facts, value) as readonly Fact[] | undefined
export const decodeServiceFrame = (value: unknown): ServiceFrame | undefined => {
  try {
    const parsed = serviceFrame.safeParse(value)
    return parsed.success ? { service: parsed.data.service, body: parsed.data.body } : undefined
  } catch {
    return undefined
  }
}

/**
 * Membership goes first; fetched blocks go last, for they answer a numbered request and may be large. Everything else
 * of the protocol keeps its order.
 */
export const laneOf = (message: MeshMessage): Lane => {
  switch (message.kind) {
    case 'view':
    case 'ping':
    case 'pong':
    case 'pingReq':
    case 'pingAck':
      return Lane.membership
    case 'fetched':
      return Lane.bulk
    case 'relay':
    case 'relayed':
      return laneOf(message.message)
    default:
      return Lane.protocol
  }
}
