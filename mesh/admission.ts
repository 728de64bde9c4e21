// This boot's entry in the registry: asked for until it is there, and kept true.

import type { Env } from './env.ts'
import { type BootId, bootId } from './ids.ts'
import type { PeerDescription } from './membership/types.ts'
import type { Follower } from './registry/follower.ts'
import type { Issuer } from './registry/issuer.ts'

export interface AdmissionParts {
  readonly env: Env
  readonly follower: Follower
  readonly issuer: Issuer
  /** What this peer says of itself now. */
  readonly description: () => PeerDescription
  /** This boot was recovered before it was admitted. */
  readonly deposed: () => void
}

export class Admission {
  readonly #parts: AdmissionParts
  /** Boots this store may have been admitted under: the last known to be, and those tried since. */
  #boots: readonly BootId[]
  #onDisk: BootId | undefined
  #asking = false
  #admittedAs: string | undefined
  /** The description it was made from: while that is the same object there is nothing to compare. */
  #admittedFor: PeerDescription | undefined

  constructor(parts: AdmissionParts, boots: readonly BootId[]) {
    this.#parts = parts
    this.#boots = boots
  }

  /** A boot is on disk before it asks to be admitted: the registry must never know one that this store does not. */
  tryBoot(): void {
    const { env } = this.#parts
    const { boot } = env
    this.#boots = [...this.#boots, boot]
    env.persist({ boots: this.#boots }, () => {
      this.#onDisk = boot
    })
  }

  /** Takes a new boot in place of one that was deposed. */
  renew(): void {
    const { env } = this.#parts
    env.boot = bootId(env.self, env.random.id())
    this.#asking = false
    this.#admittedAs = undefined
    this.#admittedFor = undefined
    this.tryBoot()
  }

  tick(): void {
    const { env, follower, issuer, description, deposed } = this.#parts
    const state = follower.state
    if (!state || this.#asking || this.#onDisk !== env.boot) return
    const described = description()
    const isKnown = state.peers.get(env.self)?.boot === env.boot
    if (isKnown && described === this.#admittedFor) return
    const { name, store, addresses, labels, types, resources, keyId, canHost, canKeep } = described
    const entry = {
      peer: env.self,
      name,
      store,
      boot: env.boot,
      addresses,
      labels,
      types,
      ...(resources && { resources }),
      ...(keyId !== undefined && { keyId }),
      canHost,
      canKeep,
    }
    const wanted = JSON.stringify(entry)
    if (isKnown && this.#admittedAs === wanted) return
    this.#asking = true
    const { boot } = env
    issuer.issue({ kind: 'admit', entry, previous: this.#boots }, (result) => {
      if (env.boot !== boot) return
      this.#asking = false
      if (result.ok) {
        this.#admittedAs = wanted
        this.#admittedFor = described
        this.#boots = [boot]
        env.persist({ boots: this.#boots }, () => {})
      } else if (result.why === 'store-foreign') env.emit({ type: 'storeForeign', detail: result.detail })
      else if (result.why === 'wrong-key') env.emit({ type: 'keyRefused', detail: result.detail })
      else if (result.why === 'boot-dead') deposed()
    })
  }
}
