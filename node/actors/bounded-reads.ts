// Reads that may be a little old: answered here, from a copy of the actor's state that its host vouched for not long ago.
//
//  D1 A copy is as old as the moment at which its host was asked for it, by this peer's monotonic clock. The host answers with
//     its newest acknowledged record, and only after a majority of its journal's keepers confirmed, later than it was asked,
//     that it was not replaced. So everything that was acknowledged before that moment is in it.
//  D2 Only what is acknowledged is in it (R10): the state as of that very record.
//  D3 Its age is looked at when the answer is there: whatever the method took, or however long this process stood still.
//  D4 Nothing goes back: a copy older than an answer that this peer got from the actor, or gave, is not used.
//
// What can't be answered so is a call like any other.

import { decodeUser } from '../../checkpoint/codec.ts'
import type { MakeRef } from '../../checkpoint/reference.ts'
import { replay } from '../../checkpoint/replay.ts'
import { type ActorKey, peerOfBoot } from '../../mesh/ids.ts'
import type { ActorEntry } from '../../mesh/registry/types.ts'
import type { CallOptions } from '../api.ts'
import { BadInputError } from '../errors.ts'
import type { MeshHandle } from '../mesh-handle.ts'
import type { Clock } from '../ports.ts'
import { Cancellation } from './cancelling.ts'
import { encodeArguments, type Target } from './creation.ts'
import { Draft } from './draft.ts'
import { explain, refuseChange } from './execution.ts'
import { makeInstance } from './instance.ts'
import type { JournalReader } from './journal-reader.ts'
import { decodeInit } from './own-calls.ts'
import { fromFrame, toFrame } from './remote-error.ts'
import type { Newest } from './restore-frames.ts'
import { CallScope, currentScope } from './scope.ts'
import { within } from './timing.ts'
import type { TypeInfo } from './type-info.ts'
import type { ActorContext, AnyActor } from './types.ts'

/** States kept here; whoever was read longest ago gives its place up. */
const MAX_COPIES = 200
/** For a host that does not answer; the call that follows has its own time. */
const PROOF_MS = 1000
const MAX_LAG_MS = 3_600_000
const METHOD_MS = 30_000

interface Copy {
  /** D1 */
  readonly asOf: number
  readonly newest: Newest
  readonly entry: ActorEntry
  readonly state: object
}

interface Known {
  copy: Copy | undefined
  /** D4 */
  floor: number
  proving: Promise<void> | undefined
}

export type Life = Pick<ActorEntry, 'key' | 'incarnation' | 'epoch'>

export interface BoundedReadsInit {
  readonly mesh: MeshHandle
  readonly clock: Clock
  readonly reader: JournalReader
  readonly makeRef: MakeRef
  /** Of an actor at home here, as its host tells others (D1). */
  readonly newest: (life: Life) => Promise<Newest | undefined>
  readonly context: (entry: ActorEntry) => ActorContext
}

export class BoundedReads {
  readonly #init: BoundedReadsInit
  readonly #known = new Map<ActorKey, Known>()

  constructor(init: BoundedReadsInit) {
    this.#init = init
  }

  /** `ask` makes the call at the actor's host. */
  async read(
    target: Target,
    method: string,
    args: readonly unknown[],
    { reads, signal, receipt, durability }: CallOptions,
    ask: () => Promise<unknown>,
  ): Promise<unknown> {
    const maxLagMs = checkLag(reads?.maxLagMs)
    const { info, key } = target
    if (info?.methods.has(method) && !info.readOnly.has(method))
      throw new BadInputError(
        `${info.name}.${method} can't be read with maxLagMs: it is for methods that are listed in ${info.name}.options.readOnly`,
      )
    // A method that runs again must read the same. Only the host can prove a call.
    const isPlain = currentScope() === undefined && receipt !== true && durability === undefined
    if (info?.methods.has(method) !== true || !isPlain || signal?.aborted || !canCopy(info)) return ask()
    const known = this.#knownOf(key)
    if (!this.#isFresh(known, maxLagMs)) await this.#prove(key, known)
    else if (!this.#isFresh(known, maxLagMs / 2)) void this.#prove(key, known)
    const { copy } = known
    if (copy !== undefined && this.#isFresh(known, maxLagMs)) {
      const answer = await this.#run(info, copy, method, encodeArguments(args, `${key}.${method}`))
      if (this.#isFresh({ copy, floor: known.floor }, maxLagMs)) return answer() // D3
    }
    return ask()
  }

  /** The actor answered a call from here. */
  answered(key: ActorKey): void {
    const known = this.#known.get(key)
    if (known !== undefined) known.floor = this.#init.clock.now() // D4
  }

  #knownOf(key: ActorKey): Known {
    const known = this.#known.get(key) ?? {
      copy: undefined,
      floor: Number.NEGATIVE_INFINITY,
      proving: undefined,
    }
    this.#known.delete(key)
    this.#known.set(key, known)
    const [oldest] = this.#known.keys()
    if (this.#known.size > MAX_COPIES) this.#known.delete(oldest!)
    return known
  }

  #isFresh({ copy, floor }: Pick<Known, 'copy' | 'floor'>, maxLagMs: number): boolean {
    if (copy === undefined || copy.asOf < floor) return false // D4
    return this.#init.clock.now() - copy.asOf <= maxLagMs
  }

  /** Has the host vouch for its newest record. Resolves in any case, late for nobody. */
  #prove(key: ActorKey, known: Known): Promise<void> {
    known.proving ??= this.#copyOf(key, known)
      .then(
        (copy) => {
          // A question that was asked before another may be answered after it.
          if (copy !== undefined && copy.asOf >= (known.copy?.asOf ?? copy.asOf)) known.copy = copy
        },
        () => {},
      )
      .finally(() => {
        known.proving = undefined
      })
    return within(this.#init.clock, known.proving, PROOF_MS, undefined)
  }

  async #copyOf(key: ActorKey, known: Known): Promise<Copy | undefined> {
    const { mesh, clock, reader, makeRef } = this.#init
    const entry = mesh.registry?.actors.get(key)
    if (entry?.home == null || entry.options.keyId !== undefined) return undefined
    const asOf = clock.now() // D1
    const newest = await this.#ask(entry, entry.home)
    if (newest === undefined) return undefined
    const { incarnation, epoch } = entry
    const { copy } = known
    const isSame =
      copy?.newest.sequence === newest.sequence &&
      copy.entry.epoch === epoch &&
      copy.entry.incarnation === incarnation
    if (isSame) return { ...copy, asOf }
    const life = { actor: key, incarnation, epoch }
    const source = { journal: newest.journal, length: newest.index + 1, epoch, order: 0 }
    const blocks = await reader.readUpTo(source, life, newest.sequence)
    const restored = replay(life, blocks, makeRef, undefined, newest.sequence) // D2
    return restored?.sequence === newest.sequence ? { asOf, newest, entry, state: restored.state } : undefined
  }

  async #ask(
    { key, incarnation, epoch }: ActorEntry,
    home: NonNullable<ActorEntry['home']>,
  ): Promise<Newest | undefined> {
    const { mesh, reader, newest } = this.#init
    if (home === mesh.boot) return newest({ key, incarnation, epoch })
    const answer = await reader.ask(peerOfBoot(home), { q: 'newest', actor: key, incarnation, epoch })
    return answer.a === 'newest' ? answer : undefined
  }

  /** Runs the method on the copy; what it comes to is given or thrown when it is asked for. */
  async #run(info: TypeInfo, copy: Copy, method: string, args: Uint8Array): Promise<() => unknown> {
    const { makeRef, clock, context } = this.#init
    const draft = new Draft(copy.state)
    try {
      const init = decodeInit(copy.entry.init, makeRef).args
      const { actor } = makeInstance(info, context(copy.entry), init)
      const scope = new CallScope({
        owner: actor,
        draft,
        id: undefined,
        floors: { own: 0, all: 0 },
        chain: [copy.entry.key],
        deadline: clock.now() + METHOD_MS,
        cancellation: new Cancellation(),
        gate: () => Promise.resolve(),
        agenda: undefined,
      })
      try {
        const methods = actor as AnyActor & Record<string, (...args: unknown[]) => unknown>
        const given = decodeUser(args, makeRef) as unknown[]
        const result = draft.encodeResult(await scope.run(() => methods[method]!(...given)))
        refuseChange(info, method, draft.finish(copy.state))
        return () => decodeUser(result, makeRef)
      } finally {
        scope.open = false
      }
    } catch (error) {
      draft.discard()
      const frame = toFrame(explain(info, method, error))
      return () => {
        throw fromFrame(frame, makeRef)
      }
    }
  }
}

/**
 * An object here has no onActivate behind it, no state of its own and no thread; what is answered before it is written is in no copy.
 */
const canCopy = ({ hooks, ownState, isolation, methods, relaxed }: TypeInfo): boolean =>
  !hooks.has('onActivate') &&
  !ownState &&
  isolation === undefined &&
  [...methods].every((method) => relaxed(method) === undefined)

function checkLag(maxLagMs: unknown): number {
  if (typeof maxLagMs === 'number' && maxLagMs > 0 && maxLagMs <= MAX_LAG_MS) return maxLagMs
  throw new BadInputError(
    `reads.maxLagMs is ${maxLagMs}: milliseconds above 0, at most ${MAX_LAG_MS} (an hour)`,
  )
}
