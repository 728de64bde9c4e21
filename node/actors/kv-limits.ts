// The limits of the key-value store, and what is checked before anything leaves this peer. The shards check again: another
// peer may be of another version.

import { encodeUser, UnserialisableValue } from '../../checkpoint/codec.ts'
import { hash53 } from '../../mesh/hash.ts'
import { BadInputError, TooLargeError, UnserialisableStateError } from '../errors.ts'

/** On disk: another number would look for keys in other shards. Enough to spread over the peers of a mesh. */
export const KV_SHARDS = 16
/** Bytes of UTF-8. A key is sent with everything, and all keys are listed. */
export const KV_KEY_BYTES = 512
/** Encoded. A change of it is one record, and a shard's snapshot has all of them. */
export const KV_VALUE_BYTES = 1024 * 1024
/** Keys and encoded values of one shard: what one actor writes again in a second or less when it moves. */
export const KV_SHARD_BYTES = 16 * 1024 * 1024
/** Of one shard: looked through in about a millisecond by each watcher of a prefix that hears of a change. */
export const KV_SHARD_KEYS = 10_000

const bytesOf = (key: string): number => Buffer.byteLength(key)

/** Names of the shards' actors. */
export const shardNames: readonly string[] = Array.from({ length: KV_SHARDS }, (_, shard) =>
  String(shard).padStart(2, '0'),
)

export const shardOf = (key: string): string => shardNames[hash53(key) % KV_SHARDS]!

/** Throws BadInputError. */
export function checkKey(key: unknown): asserts key is string {
  if (typeof key !== 'string' || key === '')
    throw new BadInputError(`a key of the key-value store is a text that is not empty, not ${describe(key)}`)
  if (!key.isWellFormed())
    throw new BadInputError('a key of the key-value store has half of a surrogate pair')
  const bytes = bytesOf(key)
  if (bytes > KV_KEY_BYTES)
    throw new BadInputError(
      `a key of ${bytes} bytes is beyond the limit of ${KV_KEY_BYTES}: shorten it, and keep the rest in the value`,
    )
}

export function checkPrefix(prefix: unknown): asserts prefix is string {
  if (typeof prefix !== 'string')
    throw new BadInputError(`a prefix of keys is a text, maybe an empty one, not ${describe(prefix)}`)
}

export function checkVersion(version: unknown, what: string): void {
  if (version === undefined || (Number.isSafeInteger(version) && (version as number) >= 0)) return
  throw new BadInputError(
    `${what} is ${describe(version)}: a version that get, put or watch told, or undefined`,
  )
}

/** Base64 of the encoded value. Throws TooLargeError or UnserialisableStateError. */
export function encodeValue(key: string, value: unknown): string {
  let bytes: Uint8Array
  try {
    bytes = encodeUser(value, 'value')
  } catch (error) {
    if (!(error instanceof UnserialisableValue)) throw error
    throw new UnserialisableStateError(
      `the value of ${JSON.stringify(key)}: ${error.message}, which can't be stored: put plain data`,
      error.path,
    )
  }
  if (bytes.length > KV_VALUE_BYTES)
    throw new TooLargeError(
      `the value of ${JSON.stringify(key)} takes ${bytes.length} bytes, beyond the limit of ${KV_VALUE_BYTES}: keep it in an actor's state, and a reference to that here`,
    )
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}

/** Bytes of a key with its value in base64. */
export const sizeOf = (key: string, value: string): number =>
  bytesOf(key) + Math.floor((value.length * 3) / 4)

const describe = (value: unknown): string =>
  typeof value === 'string' ? JSON.stringify(value) : value === null ? 'null' : typeof value
