// Brings an actor into the registry. Its options come from its class, so a peer without the class asks one that has it.

import type { Cipher } from '../../checkpoint/cipher.ts'
import { encodeUser, UnserialisableValue } from '../../checkpoint/codec.ts'
import type { ActorKey } from '../../mesh/ids.ts'
import { actorKey } from '../../mesh/ids.ts'
import { BadInputError, UnknownTypeError, UnserialisableStateError } from '../errors.ts'
import type { MeshHandle } from '../mesh-handle.ts'
import type { Clock } from '../ports.ts'
import type { Exchange } from './answers.ts'
import { isReserved } from './built-in.ts'
import { optionsFor } from './daemons.ts'
import { encrypted } from './encryption.ts'
import { within } from './timing.ts'
import type { TypeInfo } from './type-info.ts'

/** What a reference means: the type, its class where it is known, the name, and arguments for the first start. */
export interface Target {
  readonly key: ActorKey
  readonly type: string
  readonly name: string
  readonly info: TypeInfo | undefined
  readonly init: Uint8Array
}

const MAX_NAME = 512
/** One attempt; the caller goes on trying until its own time is up. */
const ATTEMPT_MS = 5000
/** A peer that has just joined hears of the others' types within this time. */
const TYPE_GRACE_MS = 2000

export function makeTarget(
  type: string,
  name: string,
  info: TypeInfo | undefined,
  init: readonly unknown[],
): Target {
  if (!/^[^/\s]+$/.test(type))
    throw new BadInputError(
      `${JSON.stringify(type)} can't be an actor type: no slashes, no spaces, not empty`,
    )
  if (typeof name !== 'string' || name === '' || name.length > MAX_NAME) {
    throw new BadInputError(
      `an actor's name is a text of 1 to ${MAX_NAME} characters, not ${JSON.stringify(name)}`,
    )
  }
  return {
    key: actorKey(type, name),
    type,
    name,
    info,
    init: init.length === 0 ? new Uint8Array() : encodeArguments(init, `${type} arguments`),
  }
}

export function encodeArguments(args: readonly unknown[], what: string): Uint8Array {
  try {
    return encodeUser([...args], 'arguments')
  } catch (error) {
    if (!(error instanceof UnserialisableValue)) throw error
    throw new UnserialisableStateError(
      `${what}: ${error.message}, which can't be sent: pass plain data`,
      error.path,
    )
  }
}

export interface CreationParts {
  readonly mesh: MeshHandle
  readonly clock: Clock
  readonly exchange: Exchange
  readonly cipher: Cipher | undefined
}

export class Creation {
  readonly #mesh: MeshHandle
  readonly #clock: Clock
  readonly #exchange: Exchange
  readonly #running = new Map<ActorKey, Promise<string>>()
  readonly #cipher: Cipher | undefined
  readonly #startedAt: number

  constructor({ mesh, clock, exchange, cipher }: CreationParts) {
    this.#mesh = mesh
    this.#clock = clock
    this.#exchange = exchange
    this.#cipher = cipher
    this.#startedAt = clock.now()
  }

  /** One attempt. Resolves with why it did not work out yet, or the empty string. Throws what no attempt can mend. */
  create(target: Target): Promise<string> {
    let running = this.#running.get(target.key)
    if (running === undefined) {
      running = this.#attempt(target).finally(() => this.#running.delete(target.key))
      this.#running.set(target.key, running)
    }
    return running
  }

  async #attempt(target: Target): Promise<string> {
    const hasKey = this.#mesh.registry?.keyId === this.#cipher?.keyId
    const { info } = target
    const why = info !== undefined && hasKey ? await this.#command(target, info) : await this.#ask(target)
    if (why === '') await this.#mesh.catchUp(ATTEMPT_MS).catch(() => {})
    return why
  }

  async #command({ key, name, init }: Target, info: TypeInfo): Promise<string> {
    const options = optionsFor(info, name, this.#mesh.registry)
    const made = encrypted(key, { options, init }, this.#cipher)
    try {
      const result = await this.#mesh.command(
        { kind: 'create', again: false, actor: key, ...made, home: null },
        ATTEMPT_MS,
      )
      return result.ok || result.why === 'name-taken' ? '' : `the head refused to create it: ${result.detail}`
    } catch (error) {
      return `it could not be created: ${error instanceof Error ? error.message : String(error)}`
    }
  }

  async #ask({ type, name, init }: Target): Promise<string> {
    const keyId = this.#mesh.registry?.keyId
    const able = this.#mesh
      .members()
      .filter(
        (member) =>
          member.liveness === 'alive' &&
          member.peer !== this.#mesh.self &&
          member.description.types.includes(type) &&
          member.description.keyId === keyId,
      )
    if (able.length === 0 && this.#clock.now() - this.#startedAt > TYPE_GRACE_MS) {
      throw new UnknownTypeError(
        `no peer of the mesh knows the actor type ${type}${keyId === undefined ? '' : ' and has the key of the mesh'}: start one with that class (${this.#knownTypes()})`,
      )
    }
    for (const member of able) {
      const asked = this.#exchange.create(member.peer, type, name, init)
      if (asked === undefined) continue
      try {
        return await within(this.#clock, asked.why, ATTEMPT_MS, `${member.peer} does not answer`)
      } finally {
        asked.end()
      }
    }
    return `no peer that knows the type ${type} is connected`
  }

  #knownTypes(): string {
    const types = new Set(
      this.#mesh
        .members()
        .flatMap((member) => member.description.types)
        .filter((type) => !isReserved(type)),
    )
    return types.size === 0 ? 'no types are known' : `known are ${[...types].sort().join(', ')}`
  }
}
