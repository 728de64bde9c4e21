// What a node tells its app: a few events in the app's terms, derived from the protocol's. Of those that are bad news the
// log hears where the app does not listen, so that no app is cut off, or loses an actor, in silence.

import { EventEmitter } from 'node:events'
import type { MeshEvent } from '../mesh/effect.ts'
import { withinGeneration } from '../mesh/generation.ts'
import { type ActorKey, nameOfActor, type PeerId, typeOfActor } from '../mesh/ids.ts'
import type { RegistryState, Report } from '../mesh/registry/types.ts'
import type { RuntimeEvents } from './actors/runtime-events.ts'
import type { ActorHere, ActorName, NodeEvents, PeerRef } from './api.ts'

const nameOf = (key: ActorKey): ActorName => ({ type: typeOfActor(key), name: nameOfActor(key) })

/** What {@link NodeEvents.deposed} means to people. */
export const DEPOSED_TEXT =
  'the others took this peer for lost: its actors run elsewhere now, and it goes on as a new peer'

/** Actors that one line of the log names. */
const MAX_TOLD = 5

export class NodeEventSource {
  readonly #emitter = new EventEmitter()
  readonly #self: PeerId
  readonly #describe: (peer: PeerId) => PeerRef
  readonly #unheard: (detail: object, text: string) => void
  /** Incident reports told so far; those older than the first registry seen are history. */
  #reported: number | undefined

  /** `unheard` is told of bad news that nobody listens to. */
  constructor(
    self: PeerId,
    describe: (peer: PeerId) => PeerRef,
    unheard: (detail: object, text: string) => void,
  ) {
    this.#self = self
    this.#describe = describe
    this.#unheard = unheard
    this.#emitter.setMaxListeners(0)
  }

  on<E extends keyof NodeEvents>(event: E, listener: (detail: NodeEvents[E]) => void): () => void {
    this.#emitter.on(event, listener)
    return () => this.#emitter.off(event, listener)
  }

  /** Returns whether anybody listens. */
  emit<E extends keyof NodeEvents>(event: E, detail: NodeEvents[E]): boolean {
    return this.#emitter.emit(event, detail)
  }

  /** What the actors here tell. */
  get ofActors(): RuntimeEvents {
    return {
      sendFailed: ({ from, type, name, method, error }) =>
        this.emit('send:failed', { from: from && nameOf(from), type, name, method, error }),
      alarmFailed: ({ actor, id, method, attempt, willRetry, error }) =>
        this.emit('alarm:failed', { ...nameOf(actor), id, method, attempt, willRetry, error }),
      started: ({ restored, ...event }) => this.emit('actor:started', { ...here(event), restored }),
      passivated: (event) => this.emit('actor:passivated', here(event)),
      stopped: ({ reason, ...event }) => this.emit('actor:stopped', { ...here(event), reason }),
    }
  }

  mesh(event: MeshEvent): unknown {
    switch (event.kind) {
      case 'head':
        return this.emit('head:changed', {
          head: this.#describe(event.peer),
          term: withinGeneration(event.term),
        })
      case 'deposed':
        return this.#deposed({ boot: event.boot })
      case 'peer': {
        if (event.peer === this.#self) return undefined
        const was = event.before === 'alive' || event.before === 'suspect'
        if (event.after === 'alive' && !was) return this.emit('peer:joined', this.#describe(event.peer))
        if (event.after === 'dead' || event.after === 'left')
          return this.emit('peer:lost', { ...this.#describe(event.peer), liveness: event.after })
      }
    }
    return undefined
  }

  registry(state: Pick<RegistryState, 'reports' | 'nextReport'>): void {
    const from = this.#reported ?? state.nextReport - 1
    this.#reported = state.nextReport - 1
    for (const report of state.reports) {
      if (report.id > from) this.#recovered(report)
    }
  }

  #deposed(detail: NodeEvents['deposed']): void {
    if (!this.emit('deposed', detail)) this.#unheard(detail, DEPOSED_TEXT)
  }

  #recovered({ id, actors }: Report): void {
    const bad: string[] = []
    for (const { actor, outcome, detail } of actors) {
      const event = { type: typeOfActor(actor), name: nameOfActor(actor), outcome, detail }
      const isHeard = this.emit('actor:recovered', event)
      if (!isHeard && (outcome === 'waiting' || outcome === 'dead'))
        bad.push(`${actor} is ${outcome}: ${detail}`)
    }
    if (bad.length === 0) return
    const more = bad.length - MAX_TOLD
    const rest = more > 0 ? `; and ${more} more` : ''
    this.#unheard(
      { report: id },
      `not every actor was recovered: ${bad.slice(0, MAX_TOLD).join('; ')}${rest}`,
    )
  }
}

const here = ({ actor, epoch }: { readonly actor: ActorKey; readonly epoch: number }): ActorHere => ({
  ...nameOf(actor),
  epoch,
})
