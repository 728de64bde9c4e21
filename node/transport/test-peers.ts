// For the tests beside: networks in this process on 127.0.0.1 that record what their listener is told.

import { randomBytes } from 'node:crypto'
import { type BootId, bootId, logKey, type PeerId, storeId } from '../../mesh/ids.ts'
import type { Fact } from '../../mesh/membership/types.ts'
import type { MeshMessage } from '../../mesh/messages.ts'
import type { ServiceFrame } from '../ports.ts'
import { createIdentity, type Identity, peerIdOf } from './identity.ts'
import { type LibP2pNetwork, type NetworkOptions, startNetwork } from './network.ts'

export type Heard =
  | { readonly kind: 'connected'; readonly peer: PeerId; readonly boot: BootId }
  | { readonly kind: 'disconnected'; readonly peer: PeerId; readonly boot: BootId; readonly refused: boolean }
  | { readonly kind: 'message'; readonly from: PeerId; readonly message: MeshMessage }
  | { readonly kind: 'service'; readonly from: PeerId; readonly frame: ServiceFrame }
  | { readonly kind: 'gossip'; readonly from: PeerId; readonly facts: readonly Fact[] }
  | { readonly kind: 'warning'; readonly code: string; readonly text: string }

export class TestPeer {
  readonly network: LibP2pNetwork
  readonly heard: Heard[]
  boot: BootId
  constructor(network: LibP2pNetwork, heard: Heard[], boot: BootId) {
    this.network = network
    this.heard = heard
    this.boot = boot
  }
  get id(): PeerId {
    return this.network.self
  }
  get addresses(): readonly string[] {
    return this.network.addresses()
  }
  of<Kind extends Heard['kind']>(kind: Kind): (Heard & { kind: Kind })[] {
    return this.heard.filter((heard): heard is Heard & { kind: Kind } => heard.kind === kind)
  }
  isLinked(to: TestPeer): boolean {
    return this.network.connected().some((link) => link.peer === to.id && link.boot === to.boot)
  }
  want(...peers: readonly TestPeer[]): void {
    this.network.want(new Map(peers.map((peer) => [peer.id, peer.addresses])))
  }
}

export const secretOf = (text: string): Uint8Array => Buffer.alloc(32, text)

export type PeerOptions = Partial<Omit<NetworkOptions, 'boot'>>

export class Peers {
  readonly #peers: TestPeer[] = []

  async start(options: PeerOptions = {}): Promise<TestPeer> {
    const identity: Identity = options.identity ?? (await createIdentity())
    const heard: Heard[] = []
    const own: { peer: TestPeer | undefined } = { peer: undefined }
    const first = bootId(peerIdOf(identity), randomBytes(16).toString('hex'))
    const network = await startNetwork(
      {
        secret: secretOf('a'),
        meshId: () => undefined,
        name: 'test',
        ...options,
        identity,
        boot: () => own.peer?.boot ?? first,
      },
      {
        connected: (peer, of) => heard.push({ kind: 'connected', peer, boot: of }),
        disconnected: (peer, of, refused) => heard.push({ kind: 'disconnected', peer, boot: of, refused }),
        message: (from, _boot, message) => heard.push({ kind: 'message', from, message }),
        service: (from, _boot, frame) => heard.push({ kind: 'service', from, frame }),
        gossip: (from, facts) => heard.push({ kind: 'gossip', from, facts }),
        warning: (code, text) => heard.push({ kind: 'warning', code, text }),
      },
    )
    const peer = new TestPeer(network, heard, first)
    own.peer = peer
    this.#peers.push(peer)
    return peer
  }

  async stop(): Promise<void> {
    await Promise.all(this.#peers.splice(0).map((peer) => peer.network.stop()))
  }
}

/** Waits for a condition; fails with what everybody heard. */
export const until = async (
  condition: () => boolean,
  peers: readonly TestPeer[] = [],
  timeoutMs = 15_000,
): Promise<void> => {
  const end = performance.now() + timeoutMs
  while (!condition()) {
    if (performance.now() > end) {
      const heard = peers.map((peer) => `${peer.id}: ${JSON.stringify(peer.heard.slice(-10))}`).join('\n')
      throw new Error(`condition not reached within ${timeoutMs} ms: ${condition}\n${heard}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

export const ping = (seq: number): MeshMessage => ({ kind: 'ping', seq, facts: [] })
export const confirm = (round: number): MeshMessage => ({
  kind: 'confirm',
  log: logKey('ab'.repeat(32)),
  store: storeId('cd'.repeat(16)),
  round,
})

export const factOf = (peer: TestPeer, incarnation = 0): Fact => ({
  peer: peer.id,
  boot: peer.boot,
  startedAt: 1,
  incarnation,
  liveness: 'alive',
  by: peer.id,
  description: {
    name: 'test',
    store: storeId('ef'.repeat(16)),
    addresses: peer.addresses,
    labels: {},
    types: [],
    canHost: true,
    canKeep: true,
  },
  load: 0,
})
