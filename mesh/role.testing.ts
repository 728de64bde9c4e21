// One role of the core alone on a bench: its store does at once what it is told, and what it sends is kept for the test.

import type { StoreEffect, StoreResults } from './effect.ts'
import { type Codec, Env } from './env.ts'
import { bootId, type LogKey, logKey, type PeerId, peerId, type StoreId, storeId } from './ids.ts'
import type { LogFacts, Pointer } from './log-types.ts'
import type { MeshMessage } from './messages.ts'
import { defaultMeshSettings } from './settings.ts'

export const peer = (name: string): PeerId => peerId(name)
export const boot = (name: string, nonce = '0') => bootId(peer(name), nonce.padStart(32, '0'))
export const store = (name: string): StoreId => storeId(`store-${name}`)

/** Values by reference: nothing here leaves the process. */
function referenceCodec(): Codec {
  const values: unknown[] = []
  return {
    encode: (value) => new Uint8Array([values.push(structuredClone(value)) - 1]),
    decode: ([index]) => structuredClone(values[index!]),
  }
}

export class Bench {
  readonly env: Env
  readonly sent: { readonly to: PeerId; readonly message: MeshMessage }[] = []
  /** What is on disk about logs. */
  readonly facts = new Map<LogKey, LogFacts>()
  readonly blocks = new Map<LogKey, Uint8Array[]>()
  /** Operations of this type stay under way until it is changed. */
  slow: StoreEffect['type'] | undefined
  readonly #underWay: StoreEffect[] = []
  #made = 0

  constructor(self: string, others: readonly string[], nonce?: string) {
    this.env = new Env({
      self: peer(self),
      boot: boot(self, nonce),
      store: store(self),
      settings: defaultMeshSettings,
      codec: referenceCodec(),
      random: { id: () => '0'.repeat(32), number: () => 0.5 },
    })
    for (const other of others) this.env.connected.set(peer(other), boot(other))
  }

  /** Has the store do everything, and hands over what the peer sends to itself. */
  settle(toItself: (message: MeshMessage) => void = () => {}): void {
    for (;;) {
      const waited = this.#underWay.filter(({ type }) => type !== this.slow)
      if (waited.length > 0) this.#underWay.length = 0
      const effects = [...waited, ...this.env.takeEffects()]
      const local = this.env.takeLocal()
      if (effects.length === 0 && !local) return
      for (const effect of effects) {
        if (effect.type === 'send') this.sent.push(effect)
        else if ('op' in effect && effect.type === this.slow) this.#underWay.push(effect)
        else if ('op' in effect) this.env.completed(effect.op, this.#store(effect))
      }
      if (local) toItself(local)
    }
  }

  /** Messages of that kind since the last call. */
  take<Kind extends MeshMessage['kind']>(kind: Kind): (MeshMessage & { kind: Kind })[] {
    const messages = this.sent.map(({ message }) => message)
    this.sent.length = 0
    return messages.filter((message): message is MeshMessage & { kind: Kind } => message.kind === kind)
  }

  #store(effect: StoreEffect): StoreResults[keyof StoreResults] {
    if (effect.type === 'createLog') return logKey(`made-${this.#made++}`)
    if (effect.type === 'hash') return `hash-${effect.length}`
    if (effect.type === 'sync') return undefined
    if (effect.type === 'persist') {
      for (const [key, facts] of Object.entries(effect.patch.logs ?? {}))
        if (facts) this.facts.set(logKey(key), facts)
      return undefined
    }
    const blocks = this.blocks.get(effect.log) ?? []
    this.blocks.set(effect.log, blocks)
    if (effect.type === 'append') return { length: blocks.push(effect.block), proof: effect.block }
    if (effect.type === 'ingest') return blocks.push(...effect.proofs)
    if (effect.type === 'drop') return void this.blocks.delete(effect.log)
    return blocks.slice(effect.from, effect.to)
  }
}

/** Of term 3, written by `head`. */
export function pointerOf(head: string, keepers: readonly string[]): Pointer {
  return {
    term: 3,
    writer: boot(head),
    key: logKey('log-3'),
    keepers: keepers.map((name) => ({ peer: peer(name), store: store(name) })),
    parent: { key: logKey('log-2'), length: 1, hash: '' },
    meshId: logKey('log-0'),
    rescues: [],
    addresses: {},
  }
}
