// The worker's side of a seat: does the runs it is told to do, on the states it was told of (I2 in seat.ts).

import type { Patches } from 'mutative'
import { decodeUser } from '../../../checkpoint/codec.ts'
import { Builder } from '../../../checkpoint/pieces.ts'
import { applyPatches } from '../../../checkpoint/replay.ts'
import type { ActorKey } from '../../../mesh/ids.ts'
import type { Clock } from '../../ports.ts'
import { Cancellation } from '../cancelling.ts'
import { Context } from '../context.ts'
import { LocalSeat } from '../local-seat.ts'
import { UnfitState } from '../migration.ts'
import { toFrame } from '../remote-error.ts'
import { outside } from '../scope.ts'
import type { Outcome, SeatSeries, Step, Version, Work } from '../seat.ts'
import { describeType, type TypeInfo } from '../type-info.ts'
import type { ActorClass, ActorContext } from '../types.ts'
import { type AnswerTo, type FromWorker, moved, own, type Question, type ToWorker } from './messages.ts'
import { Outside } from './outside.ts'
import type { GuestStart } from './thread.ts'

export type Post = (message: FromWorker, buffers: ArrayBuffer[]) => void

export interface GuestInit {
  readonly start: GuestStart
  /** For errors. */
  readonly module: string
  /** What the module exports. */
  readonly classes: readonly ActorClass[]
  readonly post: Post
  /** Answers at once. */
  readonly ask: (question: Question) => AnswerTo
  readonly clock: Clock
}

const NO_TIME_LIMIT = Number.POSITIVE_INFINITY

export class Guest {
  readonly #post: Post
  readonly #seat: LocalSeat
  readonly #outside: Outside
  readonly #cancellations = new Map<number, Cancellation>()
  readonly #series = new Map<number, SeatSeries>()
  #pieces: Builder | undefined
  /** Those that a run may still be made on, oldest first. */
  #versions: { readonly sequence: number; readonly state: object }[] = []

  /** Throws what the constructor throws, and when the module has no such class. */
  constructor({ start, classes, module, post, ask, clock }: GuestInit) {
    this.#post = post
    const info = findClass(classes, start.type, module)
    this.#outside = new Outside({ generators: start.generators, info, post, ask, clock })
    const { actor, kv, makeRef } = this.#outside
    const context = new Context(start.context, { actor: actor as ActorContext['actor'], kv })
    const { maxBytes, init, isFresh } = start
    this.#seat = new LocalSeat({ info, context, init, isFresh, limits: { maxBytes, makeRef } })
  }

  get initial(): Uint8Array {
    return this.#seat.initial
  }

  hear(message: ToWorker): void {
    switch (message.t) {
      case 'piece':
        this.#pieces ??= new Builder(this.#outside.makeRef)
        return this.#pieces.add(message.bytes)
      case 'begin':
        return this.#begin(message.sequence, message.isInitial)
      case 'renew':
        return this.#take(this.#seat.renew(this.#newest))
      case 'changed':
        return this.#changed(message)
      case 'run':
        return this.#run(message)
      case 'next':
        return void this.#next(message.run)
      case 'end':
        return void this.#end(message.run)
      case 'cancel':
        return this.#cancellations.get(message.run)?.cancel()
      default:
        this.#outside.hear(message)
    }
  }

  #begin(sequence: number, isInitial: boolean): void {
    const { makeRef } = this.#outside
    const state = (isInitial ? decodeUser(this.initial, makeRef) : this.#pieces!.value) as object
    this.#pieces = undefined
    this.#versions = [{ sequence, state }]
    this.#take(this.#seat.begin(this.#newest, isInitial))
  }

  #take(taking: Promise<void>): void {
    taking.then(
      () => this.#post({ t: 'begun' }, []),
      (error: unknown) => this.#post({ t: 'broken', error: toFrame(error) }, []),
    )
  }

  get #newest(): Version {
    const { sequence, state } = this.#versions.at(-1)!
    return { sequence, state, durable: sequence }
  }

  #changed({ sequence, durable, patches }: ToWorker & { readonly t: 'changed' }): void {
    const applied = decodeUser(patches, this.#outside.makeRef) as Patches
    const state = applyPatches(this.#newest.state, applied)
    this.#versions.push({ sequence, state })
    this.#seat.changed({ sequence, state, durable }, patches, applied)
    this.#forget(durable)
  }

  #forget(durable: number): void {
    while (this.#versions.length > 1 && this.#versions[1]!.sequence <= durable) this.#versions.shift()
  }

  /** The newest state of that record or an earlier one: not every record changes the state. */
  #version(sequence: number, durable: number): Version {
    const { state } = this.#versions.findLast((version) => version.sequence <= sequence)!
    return { sequence, state, durable }
  }

  #run({
    run,
    sequence,
    durable,
    kind,
    method,
    args,
    hasAgenda,
    chain,
  }: ToWorker & { readonly t: 'run' }): void {
    const cancellation = new Cancellation()
    this.#cancellations.set(run, cancellation)
    const ofThisRun: readonly ActorKey[] = [...chain]
    this.#outside.begin(run, ofThisRun)
    const work: Work = {
      kind,
      method,
      args,
      base: this.#version(sequence, durable),
      // Of a call made from here the other side knows what it is, when it may leave and how long it may take.
      scope: {
        id: undefined,
        floors: { own: 0, all: 0 },
        chain: ofThisRun,
        deadline: NO_TIME_LIMIT,
        cancellation,
        gate: () => this.#outside.pass(run),
        agenda: hasAgenda ? this.#outside.agenda(run) : undefined,
      },
    }
    this.#forget(durable)
    if (kind === 'series') this.#series.set(run, this.#seat.series(work))
    else void outside(() => this.#seat.run(work)).then((outcome) => this.#done(run, outcome))
  }

  #done(run: number, outcome: Outcome): void {
    this.#cancellations.delete(run)
    if ('error' in outcome) return this.#post({ t: 'done', run, outcome }, [])
    const result = own(outcome.result)
    const patches = outcome.patches && own(outcome.patches)
    this.#post({ t: 'done', run, outcome: { ...outcome, result, patches } }, moved(result, patches))
  }

  async #next(run: number): Promise<void> {
    const series = this.#series.get(run)
    if (series === undefined) return
    const step = await outside(() => series.next())
    this.#step(run, step)
  }

  #step(run: number, step: Step): void {
    if (step.item === undefined) return this.#post({ t: 'step', run, step }, [])
    const item = own(step.item)
    this.#post({ t: 'step', run, step: { item } }, moved(item))
  }

  async #end(run: number): Promise<void> {
    const series = this.#series.get(run)
    this.#series.delete(run)
    this.#cancellations.delete(run)
    await outside(() => series?.end())
    this.#post({ t: 'ended', run }, [])
  }
}

function findClass(classes: readonly ActorClass[], type: string, module: string): TypeInfo {
  const infos = classes.map(describeType)
  const info = infos.find(({ name }) => name === type)
  if (info !== undefined) return info
  const has =
    infos.length === 0 ? 'it exports none' : `it exports ${infos.map(({ name }) => name).join(', ')}`
  throw new UnfitState(
    `${module} has no actor class ${type} for its worker: ${has}. Export the class from the module that isolation names`,
  )
}
