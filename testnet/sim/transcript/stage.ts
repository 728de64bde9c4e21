// Performs the steps of a transcript on a simulated mesh with an actor runtime on every peer. Everything takes its mean
// time (`steady`), so that a recorded run changes only where the protocol does.

import { actorKey, type PeerId, peerOfBoot } from '../../../mesh/ids.ts'
import type { MeshMessage } from '../../../mesh/messages.ts'
import type { ActorEntry, RegistryState } from '../../../mesh/registry/types.ts'
import type { MeshSettings } from '../../../mesh/settings.ts'
import { Actor } from '../../../node/actors/actor.ts'
import { createRuntime, type Runtime } from '../../../node/actors/runtime.ts'
import type { ActorOptionsInput } from '../../../node/actors/types.ts'
import { Invariants } from '../invariants.ts'
import { SimMesh, type SimPeer } from '../mesh.ts'
import type { Kind } from './kinds.ts'
import { Recorder } from './recorder.ts'
import type { CallStep, Condition, Match, Step } from './steps.ts'
import { peersOf } from './wording.ts'

/** The actor of every transcript. */
class Counter extends Actor<{ count: number }> {
  static readonly options: ActorOptionsInput = { readOnly: ['value'] }
  override state = { count: 0 }
  add(by = 1): number {
    this.state.count += by
    return this.state.count
  }
  value(): number {
    return this.state.count
  }
}

/** With it `visits` is at home at e, and b, c and e keep its journal. */
const SEED = 30
const PATIENCE_MS = 60_000

type Trigger = Extract<Step, { kind: 'when' }>

export class Stage {
  readonly recorder: Recorder
  readonly #settings: Record<string, number> = {}
  readonly #runtimes = new Map<PeerId, Runtime>()
  #mesh: SimMesh | undefined
  #invariants: Invariants | undefined
  #triggers: Trigger[] = []
  #lost: Match[] = []

  constructor() {
    this.recorder = new Recorder({
      now: () => this.#mesh?.clock.now ?? 0,
      pointerOf: (peer) => this.#mesh?.peers.get(peer)?.driver.pointer,
    })
  }

  /** Throws when an expectation does not hold, or nothing happens in time. */
  async perform(step: Step): Promise<void> {
    switch (step.kind) {
      case 'quietly':
        return this.perform(step.step)
      case 'with':
        if (this.#mesh) throw new Error('settings come before the first start')
        this.#settings[step.setting] = step.value
        return
      case 'show':
        return this.recorder.show(step.messages, step.from)
      case 'hide':
        return this.recorder.hide(step.messages)
      case 'start':
        return this.#start(step.peers)
      case 'kill':
      case 'power':
        for (const peer of step.peers) this.mesh.kill(this.#running(peer), step.kind === 'power')
        return
      case 'wipe':
        for (const peer of step.peers) this.mesh.wipe(peer)
        return
      case 'freeze':
        for (const peer of step.peers) this.mesh.freeze(this.#running(peer))
        return
      case 'thaw':
        for (const peer of step.peers) this.mesh.thaw(this.#running(peer))
        return
      case 'leave':
        return this.#leave(step.peer)
      case 'cut':
        for (const from of step.from)
          for (const to of step.to) {
            this.mesh.network.cut(from, to)
            if (step.both) this.mesh.network.cut(to, from)
          }
        return
      case 'heal':
        this.#lost = []
        return this.mesh.network.heal()
      case 'lose':
        this.#lost.push(step.match)
        return
      case 'wait':
        await this.mesh.clock.run(step.ms)
        return
      case 'until':
        return this.#until(step.condition)
      case 'expect':
        return this.#expect(step.condition)
      case 'call':
        return this.mesh.await(this.#call(step), PATIENCE_MS)
      case 'send':
        void this.#call(step)
        return
      case 'move':
        return this.#move(step.actor, step.to)
      case 'stop':
        await this.mesh.await(this.#runtime(this.#head.id).stop('Counter', step.actor))
        return
      case 'when':
        this.#triggers.push(step)
        return
    }
  }

  /** What every transcript ends with: everything that was waited for happened, and no invariant was broken. */
  end(): void {
    const waiting = this.#triggers.map(({ words }) => `it never came to "when …: ${words}"`)
    const wrong = [...waiting, ...(this.#mesh?.failures ?? []), ...(this.#invariants?.broken ?? [])]
    if (wrong.length > 0) throw new Error(wrong.join('\n'))
  }

  get mesh(): SimMesh {
    if (!this.#mesh) throw new Error('the first step that needs peers must be: start a b c')
    return this.#mesh
  }

  async #start(peers: readonly PeerId[]): Promise<void> {
    this.#mesh ??= this.#make()
    const { mesh } = this
    for (const peer of peers) {
      if (mesh.peers.has(peer)) throw new Error(`${peer} is running already`)
      await mesh.start(peer, mesh.disks.size === 0)
    }
    await mesh.until('they are admitted', () =>
      peers.every((peer) => mesh.peers.get(peer)?.driver.admitted === true),
    )
  }

  #make(): SimMesh {
    const mesh = new SimMesh({
      seed: SEED,
      steady: true,
      settings: this.#settings as Partial<MeshSettings>,
      onStart: (peer) => this.#watch(peer),
      onEvent: (peer, event) => this.recorder.happened(peer, event),
    })
    this.#invariants = new Invariants(mesh)
    const check = mesh.network.trace
    mesh.network.trace = (from, to, message) => {
      check?.(from, to, message)
      this.#trigger('sends', from, to, message.kind)
      if (mesh.peers.has(from)) this.recorder.sent(from, to, message)
    }
    mesh.network.traceService = (from, to, frame) => {
      const worded = this.recorder.callOf(frame)
      if (!worded) return
      this.#trigger('sends', from, to, worded.kind)
      if (mesh.peers.has(from)) this.recorder.sentFrame(from, to, worded)
    }
    mesh.network.onDelivery = (from, to, message) => this.#trigger('receives', from, to, message.kind)
    mesh.network.fate = (from, to, { kind }) => (this.#isLost(from, to, kind) ? 'lost' : 0)
    return mesh
  }

  #watch(peer: SimPeer): void {
    this.recorder.names.boot(peer.driver.boot)
    this.#invariants?.watch(peer)
    peer.driver.onRegistry((state) => {
      if (peer.driver.isHead) this.recorder.committed(state)
    })
    const { driver: mesh, store, clock } = peer
    this.#runtimes.set(peer.id, createRuntime({ mesh, store, clock, types: [Counter] }))
  }

  #trigger(side: Trigger['side'], from: PeerId, to: PeerId, kind: Kind): void {
    const due = this.#triggers.filter(
      (trigger) => trigger.side === side && matches(trigger.match, from, to, kind),
    )
    if (due.length === 0) return
    this.#triggers = this.#triggers.filter((trigger) => !due.includes(trigger))
    for (const { step, words } of due) {
      this.recorder.say(`» ${words}`)
      void this.perform(step)
    }
  }

  #isLost(from: PeerId, to: PeerId, kind: MeshMessage['kind']): boolean {
    return this.#lost.some((match) => matches(match, from, to, kind))
  }

  async #leave(peer: PeerId): Promise<void> {
    await this.mesh.await(this.mesh.peers.get(this.#running(peer))!.driver.leave())
    this.mesh.kill(peer)
  }

  async #call({ peer, actor, method, args }: CallStep): Promise<void> {
    const { recorder } = this
    const values = args.map((value) => JSON.stringify(value)).join(', ')
    recorder.say(`${peer} calls ${actor}.${method}(${values})`)
    try {
      const result = await this.#runtime(peer).call('Counter', actor, method, args, {
        timeoutMs: PATIENCE_MS,
      })
      recorder.say(`${peer} is told ${JSON.stringify(result)}`)
    } catch (error) {
      if (this.mesh.peers.has(peer))
        recorder.say(`${peer} is told: ${error instanceof Error ? error.message : error}`)
    }
  }

  async #move(name: string, to: PeerId): Promise<void> {
    const { key: actor, epoch } = this.#entry(name)
    await this.mesh.await(this.#head.driver.command({ kind: 'move', actor, epoch, to }))
    await this.#until({ kind: 'at', actor: name, peer: to })
  }

  async #until(condition: Condition): Promise<void> {
    if (condition.kind === 'value') throw new Error('a value is expected, not waited for')
    await this.mesh.until('it holds', () => this.#holds(condition), PATIENCE_MS)
  }

  async #expect(condition: Condition): Promise<void> {
    if (condition.kind === 'value') {
      const value = await this.mesh.await(
        this.#runtime(this.#head.id).call('Counter', condition.actor, 'value', []),
        PATIENCE_MS,
      )
      if (value !== condition.value) throw new Error(`${condition.actor} is ${value}`)
    } else if (!this.#holds(condition)) throw new Error(`it does not hold\n${this.mesh.dump()}`)
  }

  #holds(condition: Exclude<Condition, { kind: 'value' }>): boolean {
    switch (condition.kind) {
      case 'head':
        return this.#heads.at(-1)?.id === condition.peer
      case 'kept':
        return peersOf(this.#heads.at(-1)?.driver.pointer?.keepers ?? []) === condition.keepers.join(' ')
      case 'term':
        return this.#heads.at(-1)?.driver.pointer?.term === condition.term
      case 'admitted':
        return this.mesh.peers.get(condition.peer)?.driver.admitted === true
      case 'dead':
        return this.#registry?.boots.get(this.#boot(condition.boot))?.status === 'dead'
      case 'forgotten': {
        const boot = this.#boot(condition.boot)
        return (
          this.#registry !== undefined &&
          ![...this.#registry.journals.values()].some((each) => each.boot === boot)
        )
      }
      case 'at': {
        const entry = this.mesh.peers.get(condition.peer)?.driver.registry?.actors.get(keyOf(condition.actor))
        return (
          entry?.home != null && peerOfBoot(entry.home) === condition.peer && entry.status.kind === 'running'
        )
      }
      case 'stopped':
        return this.#registry?.actors.get(keyOf(condition.actor))?.status.kind === 'stopped'
    }
  }

  /** Whoever holds the registry, in the order of their terms: one that was cut off may still think so. */
  get #heads(): SimPeer[] {
    return [...this.mesh.peers.values()]
      .filter(({ driver, frozen }) => driver.isHead && !frozen)
      .sort((one, two) => one.driver.pointer!.term - two.driver.pointer!.term)
  }
  get #head(): SimPeer {
    const head = this.#heads.at(-1)
    if (!head) throw new Error('there is no head now; first: wait until head is …')
    return head
  }
  get #registry(): RegistryState | undefined {
    return this.#heads.at(-1)?.driver.registry
  }
  #entry(name: string): ActorEntry {
    const entry = this.#registry?.actors.get(keyOf(name))
    if (!entry) throw new Error(`there is no actor ${name}; the first call makes it`)
    return entry
  }
  #boot(name: string) {
    const boot = this.recorder.names.bootOf(name)
    if (!boot) throw new Error(`there was no boot ${name} so far`)
    return boot
  }
  #running(peer: PeerId): PeerId {
    if (!this.mesh.peers.has(peer)) throw new Error(`${peer} is not running`)
    return peer
  }
  #runtime(peer: PeerId): Runtime {
    return this.#runtimes.get(this.#running(peer))!
  }
}

const keyOf = (name: string) => actorKey('Counter', name)
const among = (peers: readonly PeerId[], peer: PeerId): boolean => peers.length === 0 || peers.includes(peer)
const matches = ({ message, from, to }: Match, sender: PeerId, receiver: PeerId, kind: Kind): boolean =>
  message === kind && among(from, sender) && among(to, receiver)
