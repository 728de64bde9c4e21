// Encryption of what users put into actors, with a key that keepers need not have: whoever keeps a journal, or the registry,
// has bytes that say nothing.
//
//  E1 Bytes are bound to the place they were written for (an actor's record of one epoch, sequence and kind, or one part of
//     so many of it; an actor's first arguments): anywhere else they can't be read, so that nobody who holds a disk can exchange two of them.
//  E2 No key is used twice with one nonce. Each text gets 24 random bytes: 12 choose a key of its own (derived from the
//     mesh's with HMAC-SHA256), 12 are AES-GCM's nonce under that key. With random nonces alone a single key is good for
//     2^32 texts, which a busy mesh writes in days; a counter would have to survive every crash and every copied process.
//     The two halves together collide, with a chance of 2^-32, after 2^80 texts.
//  E3 What was changed, cut or moved throws; it never becomes another state.

import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import type { ActorKey } from './mesh-types.ts'
import type { RecordHead } from './records.ts'

export const CIPHER_KEY_BYTES = 32

const VERSION = 1
/** Begins the part of a record whose parts are encrypted one by one. */
const PART_VERSION = 2
const HALF_BYTES = 12
const NONCE_BYTES = 2 * HALF_BYTES
const TAG_BYTES = 16
/** By how much a text grows. */
export const CIPHER_OVERHEAD_BYTES = 1 + NONCE_BYTES + TAG_BYTES

/** What an encrypted text is (E1). */
export type Place =
  | ({ readonly what: 'record' } & RecordHead)
  | ({ readonly what: 'part'; readonly part: number; readonly parts: number } & RecordHead)
  /** The arguments of the actor's first start. */
  | { readonly what: 'init'; readonly actor: ActorKey }

export class UndecipherableText extends Error {
  override name = 'UndecipherableText'
}

export class Cipher {
  /** Says which key it is, and nothing about it. 32 hex digits. */
  readonly keyId: string
  readonly #key: Uint8Array
  readonly #random: (bytes: number) => Uint8Array

  /** `key`: 32 bytes of full entropy. `random` must never repeat itself. */
  constructor(key: Uint8Array, random: (bytes: number) => Uint8Array = randomBytes) {
    if (key.length !== CIPHER_KEY_BYTES)
      throw new RangeError(`a key has ${CIPHER_KEY_BYTES} bytes, not ${key.length}`)
    this.#key = Uint8Array.from(key)
    this.#random = random
    this.keyId = this.#derive('key id', new Uint8Array()).toString('hex').slice(0, 32)
  }

  encrypt(place: Place, text: Uint8Array): Uint8Array {
    const nonce = this.#random(NONCE_BYTES)
    const gcm = createCipheriv('aes-256-gcm', this.#keyOf(nonce), nonce.subarray(HALF_BYTES)) // E2
    gcm.setAAD(bytesOf(place)) // E1
    const body = gcm.update(text)
    return Buffer.concat([Uint8Array.of(versionOf(place)), nonce, body, gcm.final(), gcm.getAuthTag()])
  }

  /** Throws {@link UndecipherableText} (E3). */
  decrypt(place: Place, bytes: Uint8Array): Uint8Array {
    if (bytes[0] !== versionOf(place) || bytes.length < CIPHER_OVERHEAD_BYTES)
      throw new UndecipherableText(`${textOf(place)} is not encrypted as it should be`)
    const nonce = bytes.subarray(1, 1 + NONCE_BYTES)
    const gcm = createDecipheriv('aes-256-gcm', this.#keyOf(nonce), nonce.subarray(HALF_BYTES), {
      authTagLength: TAG_BYTES,
    })
    gcm.setAAD(bytesOf(place))
    gcm.setAuthTag(bytes.subarray(-TAG_BYTES))
    try {
      return Buffer.concat([gcm.update(bytes.subarray(1 + NONCE_BYTES, -TAG_BYTES)), gcm.final()])
    } catch (cause) {
      throw new UndecipherableText(
        `${textOf(place)} was changed after it was written, or belongs somewhere else: it is not used`,
        { cause },
      )
    }
  }

  #keyOf(nonce: Uint8Array): Uint8Array {
    return this.#derive('text', nonce.subarray(0, HALF_BYTES))
  }

  /** Uses have labels of their own: no derived value tells anything about another. */
  #derive(label: string, from: Uint8Array): Buffer {
    return createHmac('sha256', this.#key).update(`actor-mesh/1 ${label} `).update(from).digest()
  }
}

/** The bytes are one part of a record whose parts were encrypted one by one. */
export const isEncryptedPart = (bytes: Uint8Array): boolean => bytes[0] === PART_VERSION

const versionOf = ({ what }: Place): number => (what === 'part' ? PART_VERSION : VERSION)

/** Different places have different bytes. */
const bytesOf = (place: Place): Uint8Array =>
  Buffer.from(
    JSON.stringify(
      place.what === 'init'
        ? ['init', place.actor]
        : [
            ...[place.what, place.actor, place.incarnation, place.epoch, place.sequence, place.kind],
            ...(place.what === 'part' ? [place.part, place.parts] : []),
          ],
    ),
  )

const textOf = (place: Place): string =>
  place.what === 'init'
    ? `the first arguments of ${place.actor}`
    : `record ${place.sequence} of ${place.actor}, of its epoch ${place.epoch},`
