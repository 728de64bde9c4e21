// The key that what actors store is encrypted with: read, and held against the one this data directory was used with.

import { readFile } from 'node:fs/promises'
import { CIPHER_KEY_BYTES, Cipher } from '../checkpoint/cipher.ts'
import type { NodeOptions } from './api.ts'
import { BadInputError, WrongKeyError } from './errors.ts'
import type { MeshHandle } from './mesh-handle.ts'
import { writePrivateFile } from './transport/private-file.ts'

/** 64 hex digits, or 43 or 44 characters of base64 or base64url. Undefined where it is none of these. */
function parseKey(text: string): Uint8Array | undefined {
  const trimmed = text.trim()
  if (/^[0-9a-fA-F]{64}$/.test(trimmed)) return Buffer.from(trimmed, 'hex')
  return /^([A-Za-z0-9_-]{43}|[A-Za-z0-9+/]{43})=?$/.test(trimmed)
    ? Buffer.from(trimmed, 'base64')
    : undefined
}

/** Undefined where nothing is to be encrypted here. Throws BadInputError. */
export function cipherOf(encryption: NodeOptions['encryption']): Cipher | undefined {
  if (encryption === undefined) return undefined
  const { key } = encryption
  const bytes = typeof key === 'string' ? parseKey(key) : key
  if (bytes instanceof Uint8Array && bytes.length === CIPHER_KEY_BYTES) return new Cipher(bytes)
  throw new BadInputError(
    `encryption.key is ${CIPHER_KEY_BYTES} random bytes: a Uint8Array, 64 hex digits, or base64 (openssl rand -hex 32)`,
  )
}

/**
 * A peer that had the key would, without it or with another one, leave its actors to others or be refused by them: that
 * is said at once. `file` remembers the key's id. Throws WrongKeyError.
 */
export async function checkKeyOf(file: string, keyId: string | undefined): Promise<void> {
  const known = (await readFile(file, 'utf8').catch(() => '')).trim()
  if (known === '' || known === keyId) return
  throw new WrongKeyError(
    keyId === undefined
      ? `this data directory was used with an encryption key (id ${known}): give the key again, or remove ${file} to go on as a peer that keeps copies and runs no actors`
      : `this data directory was used with another encryption key: the one given has id ${keyId}, that of its mesh is ${known}`,
  )
}

/** Writes the id down once the mesh has taken this very start with it: what it refuses must not stay in the way. */
export function rememberKey(
  file: string,
  keyId: string,
  mesh: Pick<MeshHandle, 'admitted' | 'registry' | 'onRegistry'>,
  failed: (error: unknown) => void,
): void {
  let isDone = false
  const look = (): void => {
    if (isDone || !mesh.admitted || mesh.registry?.keyId !== keyId) return
    isDone = true
    writePrivateFile(file, Buffer.from(`${keyId}\n`)).catch(failed)
  }
  mesh.onRegistry(look)
  look()
}
