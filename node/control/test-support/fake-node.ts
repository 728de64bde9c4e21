// A node without a mesh, for tests of what sits on top of one: it answers from what the test set, and records what it
// was asked.

import type { KeyValueStore } from '../../actors/kv-types.ts'
import type { ActorClass, CreateOptions } from '../../actors/types.ts'
import type {
  ActorHistory,
  ActorStatus,
  ForkOptions,
  MemberStatus,
  MeshNode,
  NodeEvents,
  NodeStatus,
  RecoverOutcome,
  RescueOutcome,
  RestoreOptions,
} from '../../api.ts'
import { fakeKv } from './fake-kv.ts'

export const FAKE_STATUS: NodeStatus = {
  peerId: '12D3KooWFakePeerOne',
  name: 'shop-1',
  boot: '12D3KooWFakePeerOne/00ff',
  meshId: 'a1b2c3',
  head: { peerId: '12D3KooWFakePeerOne', name: 'shop-1' },
  isHead: true,
  generation: 0,
  term: 3,
  members: 2,
  actorsHere: 1,
  actorsTotal: 2,
  resources: { gpu: { offered: 2, used: 1 } },
  registryKeepers: 1,
  registrySafe: true,
  admitted: true,
  warnings: ['two peers: no majority without both'],
  uptimeMs: 61_000,
  memory: { rss: 80 * 1024 * 1024, heapUsed: 20 * 1024 * 1024 },
  messages: { sent: 10, received: 12 },
}

const member = (peerId: string, name: string, self: boolean): MemberStatus => ({
  peerId,
  name,
  liveness: 'alive',
  self,
  head: self,
  addresses: [`/ip4/127.0.0.1/tcp/4001/p2p/${peerId}`],
  labels: { zone: 'a' },
  resources: { gpu: { offered: 2, used: 1 } },
  types: ['Counter'],
  actors: 1,
  host: true,
  keep: !self,
  sinceMs: 1500,
})

export const FAKE_MEMBERS: readonly MemberStatus[] = [
  member('12D3KooWFakePeerOne', 'shop-1', true),
  member('12D3KooWFakePeerTwo', 'shop-2', false),
]

const actor = (name: string, status: ActorStatus['status']): ActorStatus => ({
  type: 'Counter',
  name,
  status,
  peer: status === 'running' ? { peerId: '12D3KooWFakePeerTwo', name: 'shop-2' } : null,
  epoch: 1,
  restarts: 2,
  keepers: [{ peerId: '12D3KooWFakePeerOne', name: 'shop-1' }],
  keepersWanted: 3,
  durability: 'replicated',
})

export const FAKE_ACTORS: readonly ActorStatus[] = [actor('visits', 'running'), actor('old', 'stopped')]

const lost = { peerId: '12D3KooWFakePeerTwo', name: 'shop-2' }

const FAKE_RESCUE: RescueOutcome = {
  done: false,
  generation: 0,
  term: 3,
  records: 17,
  holder: { peerId: FAKE_STATUS.peerId, name: FAKE_STATUS.name },
  keepers: [lost],
  missing: [lost],
  reports: [],
}

const FAKE_RECOVER: RecoverOutcome = {
  done: false,
  boot: `${lost.peerId}/00ff`,
  peer: lost,
  actors: ['Counter/visits'],
  waitingFor: '2 of 3 keepers of its journal must answer',
  reports: [],
}

export const FAKE_HISTORY: ActorHistory = {
  records: [
    {
      record: 8,
      at: 1_700_000_000_000,
      kind: 'call',
      method: 'increment',
      caller: '12D3KooWFakePeerTwo',
      bytes: 90,
      epoch: 2,
      whole: true,
      restorable: true,
      foldedInto: undefined,
    },
    {
      record: 7,
      at: 1_700_000_000_000,
      kind: 'alarm',
      method: 'tick',
      caller: undefined,
      bytes: 0,
      epoch: 2,
      whole: false,
      restorable: false,
      foldedInto: 8,
    },
  ],
  missing: [{ from: 1, to: 6 }],
  unreadable: ['journal 1234 is open at shop-2, which does not answer'],
}

type Listeners = { [E in keyof NodeEvents]?: Set<(detail: NodeEvents[E]) => void> }

export class FakeNode implements MeshNode {
  readonly peerId = FAKE_STATUS.peerId
  readonly name = FAKE_STATUS.name
  readonly dataDir: string
  readonly closed: Promise<void>
  /** `leave`, `close`, `stop Counter/a`, in order. */
  readonly asked: string[] = []
  currentStatus: NodeStatus = FAKE_STATUS
  currentMembers: readonly MemberStatus[] = FAKE_MEMBERS
  currentActors: readonly ActorStatus[] = FAKE_ACTORS
  onCall: (type: string, name: string, method: string, args: readonly unknown[]) => unknown = () => undefined
  onLeave: () => Promise<void> = () => Promise.resolve()
  readonly #listeners: Listeners = {}
  #stopped: () => void = () => {}

  constructor(dataDir: string) {
    this.dataDir = dataDir
    this.closed = new Promise((resolve) => {
      this.#stopped = resolve
    })
  }

  readonly kv: KeyValueStore = fakeKv()

  daemons(): [] {
    return []
  }
  /** A reference to look back with; it has no methods. */
  actor(type: string | ActorClass, name: string): never {
    const key = `${String(type)}/${name}`
    const ask = (text: string): void => void this.asked.push(text)
    return {
      history: async (options: unknown) => {
        ask(`history ${key} ${JSON.stringify(options)}`)
        return FAKE_HISTORY
      },
      restore: async ({ record }: RestoreOptions) => {
        ask(`restore ${key} ${record}`)
        return 9
      },
      fork: async (copy: string, { record }: ForkOptions = {}) => ask(`fork ${key} ${copy} ${record}`),
    } as never
  }
  async *iterate(
    type: string,
    name: string,
    method: string,
    args: readonly unknown[],
  ): AsyncGenerator<unknown> {
    yield await this.call(type, name, method, args)
  }
  async call(type: string, name: string, method: string, args: readonly unknown[]): Promise<unknown> {
    return this.onCall(type, name, method, args)
  }
  status = (): NodeStatus => this.currentStatus
  members = (): readonly MemberStatus[] => this.currentMembers
  actors = (): readonly ActorStatus[] => this.currentActors
  reports = (): ReturnType<MeshNode['reports']> => []
  invite = (): Promise<string> => Promise.resolve('mesh1-fake-invite')
  async createActor(
    type: string | ActorClass,
    name: string,
    { init = [], options = {} }: CreateOptions = {},
  ): Promise<void> {
    this.asked.push(`create ${String(type)}/${name} ${JSON.stringify(init)} ${JSON.stringify(options)}`)
  }
  async killActor(type: string, name: string, { restart = true }: { restart?: boolean } = {}): Promise<void> {
    this.asked.push(`kill ${type}/${name}${restart ? '' : ' for good'}`)
  }
  async deleteActor(type: string, name: string): Promise<void> {
    this.asked.push(`delete ${type}/${name}`)
  }
  async stopActor(type: string, name: string): Promise<void> {
    this.asked.push(`stop ${type}/${name}`)
  }
  async rescue({ acceptLoss }: { readonly acceptLoss: boolean }): Promise<RescueOutcome> {
    this.asked.push(`rescue ${acceptLoss}`)
    return { ...FAKE_RESCUE, done: acceptLoss }
  }
  async recover(target: string, { acceptLoss }: { readonly acceptLoss: boolean }): Promise<RecoverOutcome> {
    this.asked.push(`recover ${target} ${acceptLoss}`)
    return { ...FAKE_RECOVER, done: acceptLoss }
  }
  async leave(): Promise<void> {
    this.asked.push('leave')
    await this.onLeave()
    this.#stopped()
  }
  async close(): Promise<void> {
    this.asked.push('close')
    this.#stopped()
  }
  on<E extends keyof NodeEvents>(event: E, listener: (detail: NodeEvents[E]) => void): () => void {
    const listeners = this.#of(event)
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  emit<E extends keyof NodeEvents>(event: E, detail: NodeEvents[E]): void {
    for (const listener of this.#of(event)) listener(detail)
  }
  #of<E extends keyof NodeEvents>(event: E): Set<(detail: NodeEvents[E]) => void> {
    const all: { [K in E]?: Set<(detail: NodeEvents[K]) => void> } = this.#listeners
    all[event] ??= new Set()
    return all[event]
  }
}
