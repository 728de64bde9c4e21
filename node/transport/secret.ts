// The mesh secret: 32 random bytes that every member has and nobody else. Everything that must be unguessable without
// it is derived here, each use with its own label, so that learning one derived value tells nothing about another.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { messageOf, TransportError } from './errors.ts'
import { readPrivateFile, writePrivateFile } from './private-file.ts'

export const SECRET_BYTES = 32

export const createSecret = (): Uint8Array => new Uint8Array(randomBytes(SECRET_BYTES))

export const formatSecret = (secret: Uint8Array): string => Buffer.from(secret).toString('base64url')

/** Accepts what `formatSecret` writes, or 64 hex digits. Throws BAD_SECRET. */
export const parseSecret = (text: string): Uint8Array => {
  const trimmed = text.trim()
  const bytes = /^[0-9a-fA-F]{64}$/.test(trimmed)
    ? Buffer.from(trimmed, 'hex')
    : /^[A-Za-z0-9_-]{43}$/.test(trimmed)
      ? Buffer.from(trimmed, 'base64url')
      : undefined
  if (bytes === undefined) {
    throw new TransportError(
      'BAD_SECRET',
      'a mesh secret is 32 bytes, written as 43 base64url characters or 64 hex digits; copy it whole, or use an invite',
    )
  }
  return new Uint8Array(bytes)
}

/** Undefined when the directory has no secret yet. Throws SECRET_UNREADABLE. */
export const readSecretFile = async (
  path: string,
  warn?: (text: string) => void,
): Promise<Uint8Array | undefined> => {
  try {
    const bytes = await readPrivateFile(path, warn)
    return bytes && parseSecret(Buffer.from(bytes).toString('utf8'))
  } catch (error) {
    throw new TransportError(
      'SECRET_UNREADABLE',
      `cannot read the mesh secret in ${path} (${messageOf(error)}); join again with an invite`,
      {
        cause: error,
      },
    )
  }
}

export const writeSecretFile = (path: string, secret: Uint8Array): Promise<void> =>
  writePrivateFile(path, Buffer.from(`${formatSecret(secret)}\n`))

const derive = (secret: Uint8Array, label: string): Buffer =>
  createHmac('sha256', secret).update(`actor-mesh/1 ${label}`).digest()

export interface MeshKeys {
  readonly handshake: Uint8Array
  readonly gossip: Uint8Array
  /** Name of the gossip topic. */
  readonly topic: string
  /** mDNS service name: meshes with different secrets do not even see each other. */
  readonly serviceTag: string
}

export const deriveKeys = (secret: Uint8Array): MeshKeys => {
  if (secret.length !== SECRET_BYTES)
    throw new TransportError('BAD_SECRET', `a mesh secret is ${SECRET_BYTES} bytes, not ${secret.length}`)
  return {
    handshake: derive(secret, 'handshake'),
    gossip: derive(secret, 'gossip'),
    topic: `actor-mesh/1/${derive(secret, 'topic').toString('hex').slice(0, 32)}`,
    serviceTag: `_am-${derive(secret, 'mdns').toString('hex').slice(0, 20)}._udp.local`,
  }
}

/** HMAC-SHA256 over the parts; each is preceded by its length, so that no two lists of parts look alike. */
export const mac = (key: Uint8Array, ...parts: readonly (string | Uint8Array)[]): Uint8Array => {
  const hmac = createHmac('sha256', key)
  for (const part of parts) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    hmac.update(length).update(bytes)
  }
  return hmac.digest()
}

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && timingSafeEqual(a, b)
