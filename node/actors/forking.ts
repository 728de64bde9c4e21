// A new actor with the state of another one. It is created first, which decides who has the name; it has no state and answers
// nothing until the state comes, by a call that settles once. So nobody ever sees it with another first state.

import { encode } from '../../checkpoint/codec.ts'
import type { MakeRef } from '../../checkpoint/reference.ts'
import type { ActorEntry } from '../../mesh/registry/types.ts'
import type { CallOptions, ForkOptions } from '../api.ts'
import { BadInputError } from '../errors.ts'
import { Deposed, type MeshHandle } from '../mesh-handle.ts'
import { maybeCreated } from './call-errors.ts'
import type { Client } from './client.ts'
import { makeTarget, type Target } from './creation.ts'
import { BECOME, encodeCopy, STATE } from './own-calls.ts'
import type { Past } from './past.ts'
import { currentScope } from './scope.ts'

export interface ForkParts {
  readonly mesh: MeshHandle
  readonly client: Client
  readonly past: Past
  readonly makeRef: MakeRef
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
  { mesh, client, past, makeRef }: ForkParts,
  { origin, entry, name, from: { record }, options }: Fork,
): Promise<void> {
  if (currentScope() !== undefined)
    throw new BadInputError(
      `${origin.key} can't be forked inside a method, which may run twice: fork it from the app`,
    )
  const target = makeTarget(origin.type, name, origin.info, [])
  const taken = mesh.registry?.actors.get(target.key)?.status.kind
  if (taken !== undefined && taken !== 'stopped' && taken !== 'dead')
    throw new BadInputError(takenText(target))
  const state =
    record === undefined
      ? ((await client.call(origin, STATE, [], options)) as Uint8Array)
      : encode(await past.stateAt(entry, record, makeRef))
  const of = record === undefined ? origin.key : `${origin.key} at record ${record}`
  const command = {
    kind: 'create',
    again: true,
    actor: target.key,
    options: entry.options,
    init: encodeCopy({ copyOf: of, init: entry.init }),
    home: null,
  } as const
  const result = await mesh.command(command).catch((error: unknown) => {
    throw error instanceof Deposed ? maybeCreated(target.key) : error
  })
  if (!result.ok) throw new BadInputError(`${takenText(target)} (${result.detail})`)
  await mesh.catchUp()
  await client.call(target, BECOME, [state, of], options)
}

const takenText = ({ key }: Target): string =>
  `${key} can't be made as a copy: there is an actor of that name. Choose another, or stop or delete that one`
