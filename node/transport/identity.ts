// A peer's identity: one Ed25519 key pair in the data directory. Who holds the file is the peer.

import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { type PeerId, peerId } from '../../mesh/ids.ts'
import { messageOf, TransportError } from './errors.ts'
import { readPrivateFile, writePrivateFile } from './private-file.ts'

export type Identity = PrivateKey

export const createIdentity = async (): Promise<Identity> => await generateKeyPair('Ed25519')

/** The peer ID of an identity, in canonical form. */
export const peerIdOf = (identity: Identity): PeerId => peerId(identity.publicKey.toString())

/** Reads the key file, or creates it. Throws IDENTITY_UNREADABLE when it is there and not a key. */
export const loadIdentity = async (path: string, warn?: (text: string) => void): Promise<Identity> => {
  const bytes = await readPrivateFile(path, warn).catch((error: unknown) => {
    throw unreadable(path, error)
  })
  if (bytes === undefined) {
    const identity = await createIdentity()
    await writePrivateFile(path, privateKeyToProtobuf(identity))
    return identity
  }
  try {
    return privateKeyFromProtobuf(bytes)
  } catch (error) {
    throw unreadable(path, error)
  }
}

const unreadable = (path: string, cause: unknown): TransportError =>
  new TransportError(
    'IDENTITY_UNREADABLE',
    `cannot read this peer's identity in ${path} (${messageOf(cause)}); restore the file, or use a new data directory to start as a new peer`,
    { cause },
  )
