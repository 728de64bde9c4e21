// Clients on every peer that call ledgers and write down what they were told. What they may not see is the history's
// business (../history.ts); here is only what is called and how its outcome is read.

import type { Cipher } from '../../../checkpoint/cipher.ts'
import { type ActorKey, actorKey, type BootId, type PeerId } from '../../../mesh/ids.ts'
import { createRuntime, type Runtime } from '../../../node/actors/runtime.ts'
import { ActorError, MeshError } from '../../../node/errors.ts'
import { History } from '../history.ts'
import type { Listed, Relayed, Seen } from '../ledger.ts'
import type { SimMesh, SimPeer } from '../mesh.ts'
import { SimThreads } from '../sim-thread.ts'
import { LookingBack } from './looking-back.ts'
import { ledgersOf } from './placing.ts'
import type { Profile } from './profile.ts'

const TYPES = { replicated: ['Ledger'], synced: ['SyncedLedger'], both: ['Ledger', 'SyncedLedger'] } as const

const SYNCED = { durability: 'synced' } as const

/** Most are due while something goes wrong. */
const LONGEST_ALARM_MS = 4000

export interface Named {
  readonly type: string
  readonly name: string
  readonly key: ActorKey
}

export class Workload {
  readonly history = new History()
  readonly #looking = new LookingBack(this.history)
  readonly runtimes = new Map<PeerId, Runtime>()
  /** Of the peers that started last under their IDs. */
  readonly threads = new Map<PeerId, SimThreads>()
  readonly actors: readonly Named[]
  readonly #profile: Profile
  /** Actors that may be anywhere. */
  readonly #placed: number
  readonly #random: () => number
  #next = 0
  /** Of each client that renews an actor: whether its process is alive. */
  readonly #renewing = new Set<() => boolean>()
  /** Clients go on calling. */
  running = true

  /** `peers`: those that there are to the end, and can have daemons. */
  constructor(profile: Profile, random: () => number, peers: readonly PeerId[] = []) {
    this.#profile = profile
    this.#random = random
    const ledgers = TYPES[profile.durability].flatMap((type) =>
      Array.from({ length: profile.actors }, (_, index) => {
        const name = `no-${index}`
        return { type, name, key: actorKey(type, name) }
      }),
    )
    this.#placed = ledgers.length
    const type = 'DaemonLedger'
    const daemons = profile.daemons ? peers : []
    this.actors = [...ledgers, ...daemons.map((name) => ({ type, name, key: actorKey(type, name) }))]
  }

  /** A new process: actors can live on it, and its clients begin. */
  start(mesh: SimMesh, peer: SimPeer, cipher?: Cipher): Runtime {
    const { driver, store, clock } = peer
    const { idleMs, isSliced } = this.#profile
    const types = ledgersOf(this.demand, this.#profile)
    const threads = new SimThreads(types, clock, this.#random)
    this.threads.set(peer.id, threads)
    const runtime = createRuntime({
      mesh: driver,
      store,
      clock,
      types,
      startThread: threads.start,
      limits: { idleMs, ...(isSliced && { largeBytes: 0, sliceBytes: 24 }) },
      ...(cipher && { cipher }),
    })
    this.runtimes.set(peer.id, runtime)
    const alive = (): boolean => mesh.peers.get(peer.id) === peer
    const loop = async (): Promise<void> => {
      if (!alive() || !this.running) return
      await this.#once(mesh, peer, runtime, alive)
      if (alive()) mesh.clock.set(this.#profile.paceMs * (0.5 + this.#random()), loop)
    }
    mesh.clock.set(10 + this.#random() * 50, loop)
    return runtime
  }

  /** What actors that run somewhere still have before them. Only those that were restored are counted. */
  agenda(mesh: SimMesh): { readonly sends: number; readonly alarms: number } {
    const all = [...mesh.peers.keys()].map((id) => this.runtimes.get(id)?.agenda)
    return {
      sends: all.reduce((sum, agenda) => sum + (agenda?.sends ?? 0), 0),
      alarms: all.reduce((sum, agenda) => sum + (agenda?.alarms ?? 0), 0),
    }
  }

  /** What decides how much room the actors need. */
  get demand() {
    const { placing, durability, daemons } = this.#profile
    return { placing, daemons, actors: this.#placed, types: TYPES[durability].length }
  }

  /** Calls from peers that run, without an answer so far. */
  pending(mesh: SimMesh): number {
    let pending = [...this.#renewing].filter((alive) => alive()).length
    for (const id of mesh.peers.keys()) pending += this.runtimes.get(id)?.pending ?? 0
    return pending
  }

  async #once(mesh: SimMesh, peer: SimPeer, runtime: Runtime, alive: () => boolean): Promise<void> {
    const { history } = this
    const actor = this.#pick()
    const other = this.#pick()
    const draw = this.#random()
    const token = `${peer.id}#${this.#next++}`
    const start = mesh.clock.now
    const now = (): number => mesh.clock.now
    const { boot } = peer.driver
    const call = async <Result = Seen>(method: string, ...args: unknown[]): Promise<Result | undefined> => {
      try {
        const { callTimeoutMs: timeoutMs, proven } = this.#profile
        const options = { timeoutMs, ...(proven > 0 && this.#random() < proven && SYNCED) }
        const result = await runtime.call(actor.type, actor.name, method, args, options)
        // An answer that a dead process computed reaches nobody.
        return alive() ? (result as Result) : undefined
      } catch (error) {
        if (alive()) this.#failed(peer, boot, actor.key, token, error, start, now())
        return undefined
      }
    }
    // Only where it is wanted, so that all other seeds draw what they always drew.
    if (this.#profile.looksBack && this.#random() < 0.4) {
      // A copy takes several calls, one after the other; what comes when all work is over is nobody's.
      const timeoutMs = this.#profile.callTimeoutMs / 4
      const isWorking = (): boolean => alive() && this.running
      const client = { runtime, alive: isWorking, now, timeoutMs, registry: () => peer.driver.registry }
      const kind = this.#random()
      if (kind < 0.6) await this.#looking.bounded(client, actor, this.#isLoose(actor))
      // Copies whose client died stay, and would take the room of others.
      else if (kind < 0.85 || this.#profile.placing !== undefined) await this.#looking.list(client, actor)
      else await this.#looking.copy(client, actor, token)
      return
    }
    if (this.#profile.renews && this.#random() < 0.06) {
      const loose = this.#isLoose(actor)
      await this.#renew(runtime, actor, alive, now, async () => {
        const again = now()
        history.begin(actor.key, token, again)
        const seen = await call<Seen>('add', token)
        if (seen && !loose) history.wrote(actor.key, token, seen, again, now())
      })
      return
    }
    if (this.#profile.agenda && actor !== other && this.#random() < 0.3) {
      await this.#putOff(actor, other, token, start, now, call)
      return
    }
    const loose = this.#isLoose(actor)
    if (draw < 0.45) {
      history.begin(actor.key, token, start)
      // Of a loose one only half of what was answered is owed: the rest may be there, once.
      const saves = loose && draw < 0.22
      const seen = await call<Seen>(saves ? 'addAndSave' : 'add', token)
      if (seen && (saves || !loose)) history.wrote(actor.key, token, seen, start, now())
    } else if (draw < 0.6) {
      const seen = await call<Listed>('all')
      if (seen && !loose) history.read(actor.key, 'all', seen, start, now())
    } else if (draw < 0.68) {
      const seen = await call<Seen>('size')
      if (seen && !loose) history.read(actor.key, 'size', seen, start, now())
    } else if (draw < 0.75) {
      history.never(actor.key, token)
      await call('addThenThrow', token)
    } else if (actor === other) {
      const seen = await call<Seen>('size')
      if (seen && !loose) history.read(actor.key, 'size', seen, start, now())
    } else if (draw < 0.88) {
      for (const part of ['.a', '.b']) history.begin(actor.key, token + part, start)
      history.begin(other.key, `${token}.other`, start)
      const seen = await call<Relayed>('relay', token, other.type, other.name)
      if (!seen) return
      history.wrote(actor.key, `${token}.b`, seen, start, now())
      if (!this.#isLoose(other)) history.wrote(other.key, `${token}.other`, seen.other, start, now())
    } else {
      const seen = await call<Seen>(draw < 0.94 ? 'mirror' : 'watch', token, other.type, other.name)
      if (seen && !this.#isLoose(other)) history.read(other.key, 'mirror', seen, start, now())
    }
  }

  /** Has an actor deleted; `then`, where that worked, makes the next one of its name. */
  async #renew(
    runtime: Runtime,
    { type, name, key }: Named,
    alive: () => boolean,
    now: () => number,
    then: () => Promise<void>,
  ): Promise<void> {
    const { lives } = this.history
    const start = now()
    const isAlive = (): boolean => alive()
    lives.asked(key)
    this.#renewing.add(isAlive)
    try {
      await runtime.delete(type, name, this.#profile.callTimeoutMs)
      if (!alive()) return
      lives.deleted(key, start, now())
      await then()
    } catch (error) {
      if (!(error instanceof MeshError)) throw error
    } finally {
      this.#renewing.delete(isAlive)
    }
  }

  /** Has an actor do something later: what it answered for must happen, and once. */
  async #putOff(
    actor: Named,
    other: Named,
    token: string,
    start: number,
    now: () => number,
    call: (method: string, ...args: unknown[]) => Promise<Seen | undefined>,
  ): Promise<void> {
    const { history } = this
    const draw = this.#random()
    const delayMs = this.#random() * LONGEST_ALARM_MS
    if (draw < 0.15) {
      history.never(actor.key, token)
      history.never(other.key, `${token}.sent`)
      await call('postAndThrow', token, other.type, other.name)
      return
    }
    const put = async (owed: readonly (readonly [Named, string])[], method: string, ...args: unknown[]) => {
      history.begin(actor.key, token, start)
      for (const [to, what] of owed) history.begin(to.key, what, start)
      const seen = await call(method, token, ...args)
      if (seen === undefined) return
      history.wrote(actor.key, token, seen, start, now())
      const kind = method === 'post' ? 'send' : 'alarm'
      // What a loose one did for an alarm of another is that one's to know, and no more durable than its answer.
      const certain = owed.filter(([to, what]) => !this.#isLoose(to) || !what.endsWith('.other'))
      for (const [to, what] of certain)
        history.owes({ kind, by: actor.key, life: seen.life, to: to.key, what })
    }
    // Alarms that call each other in a circle would wait for each other until their time is up.
    const mayCall = this.actors.indexOf(actor) < this.actors.indexOf(other)
    const { type, name } = other
    if (draw < 0.6) await put([[other, `${token}.sent`]], 'post', type, name)
    else if (draw < 0.8 || !mayCall) await put([[actor, `${token}.rung`]], 'arm', delayMs)
    else {
      const owed = [
        [actor, `${token}.a`],
        [other, `${token}.other`],
        [actor, `${token}.b`],
      ] as const
      await put(owed, 'armRelay', delayMs, type, name)
    }
  }

  #isLoose({ type }: Named): boolean {
    return this.#profile.loose && type === 'Ledger'
  }

  #pick(): Named {
    return this.actors[Math.floor(this.#random() * this.actors.length)]!
  }

  #failed(
    peer: SimPeer,
    boot: BootId,
    actor: ActorKey,
    token: string,
    error: unknown,
    start: number,
    end: number,
  ): void {
    const { history } = this
    if (error instanceof ActorError) {
      const seen = error.data as unknown as Seen
      const isLoose = this.actors.some((each) => each.key === actor && this.#isLoose(each))
      if (error.message !== 'boom') history.wrong.push(`${token}: ${error.stack}`)
      else if (!isLoose) history.read(actor, 'throw', seen, start, end)
      return
    }
    if (!(error instanceof MeshError)) {
      history.wrong.push(`${token}: ${error instanceof Error ? error.stack : error}`)
      return
    }
    if (error.executed === 'no') for (const part of ['', '.a', '.b']) history.never(actor, `${token}${part}`)
    const lived = peer.driver.boot === boot && peer.driver.registry?.boots.get(boot)?.status === 'live'
    // A host that knows of the caller's end before the caller itself refuses its calls; a lost result is never right.
    if (error.code === 'CALL_EXPIRED' && lived && error.message.includes('its result is gone'))
      history.wrong.push(`${token} expired: ${error.message}`)
  }
}
