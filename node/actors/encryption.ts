// Which actors' content is encrypted, and what of them goes into the registry.

import type { Cipher } from '../../checkpoint/cipher.ts'
import type { ActorKey } from '../../mesh/ids.ts'
import type { ActorEntry, ActorOptions } from '../../mesh/registry/types.ts'

/** Undefined where the actor is not encrypted. Throws where this peer has not its key. */
export function cipherFor({ key, options }: ActorEntry, cipher: Cipher | undefined): Cipher | undefined {
  if (options.keyId === undefined) return undefined
  if (cipher?.keyId === options.keyId) return cipher
  throw new Error(`this peer has not the key that ${key} is encrypted with (id ${options.keyId})`)
}

/** The arguments of its first start, which are still in the registry. */
export function initOf(entry: ActorEntry, cipher: Cipher | undefined): Uint8Array {
  const { init, key: actor } = entry
  if (init.length === 0) return init
  return cipherFor(entry, cipher)?.decrypt({ what: 'init', actor }, init) ?? init
}

/** What a new actor is made of. */
export interface Made {
  readonly options: ActorOptions
  readonly init: Uint8Array
}

/** The same, encrypted where there is a key. */
export function encrypted(actor: ActorKey, { options, init }: Made, cipher: Cipher | undefined): Made {
  if (cipher === undefined) return { options, init }
  return {
    options: { ...options, keyId: cipher.keyId },
    init: init.length === 0 ? init : cipher.encrypt({ what: 'init', actor }, init),
  }
}
