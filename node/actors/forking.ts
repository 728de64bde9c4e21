// A new actor with the state of another one. It is created first, which decides who has the name; it has no state and answers
// nothing until the state comes, by a call that settles once. So nobody ever sees it with another first state.

import type { Cipher } from '../../checkpoint/cipher.ts'
import { encode } from '../../checkpoint/codec.ts'
import type { MakeRef } from '../../checkpoint/reference.ts'
import type { ActorEntry } from '../../mesh/registry/types.ts'
import type { CallOptions, ForkOptions } from '../api.ts'
import { BadInputError, MeshUnavailableError } from '../errors.ts'
import { Deposed, type MeshHandle } from '../mesh-handle.ts'
import type { Clock } from '../ports.ts'
import { refuseReserved } from './built-in.ts'
import { maybeCreated } from './call-errors.ts'
import type { Client } from './client.ts'
import { makeTarget, type Target } from './creation.ts'
import { encrypted, initOf } from './encryption.ts'
import type { FirstState } from './first-state.ts'
import { BECOME, encodeCopy, STATE } from './own-calls.ts'
import type { Past } from './past.ts'
import { currentScope } from './scope.ts'
import { sleep } from './timing.ts'

/** As for a call. */
const STATE_MS = 30_000
const AGAIN_MS = 200

export interface ForkParts {
  readonly mesh: MeshHandle
  readonly clock: Clock
  readonly client: Client
  readonly past: Past
  readonly makeRef: MakeRef
  readonly cipher: Cipher | undefined
}

export interface Fork {
  readonly origin: Target
  /** Of the origin. */
  readonly entry: ActorEntry
  readonly name: string
  readonly from: ForkOptions
  /** Of each of the calls that it takes. */
  readonly options: CallOptions
}

export async function fork(
  parts: ForkParts,
  { origin, entry, name, from: { record }, options }: Fork,
): Promise<void> {
  const { mesh, client, clock, cipher } = parts
  refuseReserved(origin.type)
  if (entry.options.placement?.peer !== undefined)
    throw new BadInputError(`${origin.key} is a daemon: there is one for each peer, and no other`)
  if (currentScope() !== undefined)
    throw new BadInputError(
      `${origin.key} can't be forked inside a method, which may run twice: fork it from the app`,
    )
  const target = makeTarget(origin.type, name, origin.info, [])
  const taken = mesh.registry?.actors.get(target.key)?.status.kind
  if (taken !== undefined && taken !== 'stopped' && taken !== 'dead')
    throw new BadInputError(takenText(target))
  const until = clock.now() + (options.timeoutMs ?? STATE_MS)
  const { state, version } =
    record === undefined
      ? ((await client.call(origin, STATE, [], options)) as FirstState)
      : await stateAt(parts, entry, record, until)
  const of = record === undefined ? origin.key : `${origin.key} at record ${record}`
  const init = encodeCopy({ copyOf: of, init: initOf(entry, cipher) })
  const { keyId, ...own } = entry.options
  const made = encrypted(target.key, { options: own, init }, keyId === undefined ? undefined : cipher)
  const command = { kind: 'create', again: true, actor: target.key, ...made, home: null } as const
  const result = await mesh.command(command).catch((error: unknown) => {
    throw error instanceof Deposed ? maybeCreated(target.key) : error
  })
  if (!result.ok) throw new BadInputError(`${takenText(target)} (${result.detail})`)
  await mesh.catchUp()
  await client.call(target, BECOME, [state, of, version], options)
}

/** What can't be read now may be readable once a lost host is recovered. */
async function stateAt(
  { past, clock, makeRef }: ForkParts,
  entry: ActorEntry,
  record: number,
  until: number,
): Promise<FirstState> {
  for (;;) {
    try {
      const { state, version } = await past.stateAt(entry, record, makeRef)
      return { state: encode(state), version }
    } catch (error) {
      if (!(error instanceof MeshUnavailableError) || clock.now() >= until) throw error
    }
    await sleep(clock, AGAIN_MS)
  }
}

const takenText = ({ key }: Target): string =>
  `${key} can't be made as a copy: there is an actor of that name. Choose another, or stop or delete that one`
