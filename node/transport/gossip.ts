// Gossip: one gossipsub topic per mesh. The only file that knows gossipsub.
//
// G1 gossipsub meets only peers that proved the mesh secret: it is given a registrar that reports a peer when its link
//    opens, on the connection of that link, and that keeps incoming streams on other connections waiting until then.
//    Were a new connection's stream let in while the old link is still listed, the end of the old link would make
//    gossipsub forget the subscription that came with it, and never publish to that peer again.
// G2 Every message carries a MAC under the mesh secret over its sender and content, beside the sender's signature, so
//    that a message of a stranger is dropped even if one got in.
// G3 A peer with an open link has a stream from us and is subscribed. If not, the stream is opened again, and if that does
//    not help the connection is given up, which starts everything anew on both sides (`tick`).
// G4 The message listener never throws: that would stall the peer's whole stream.

import { type GossipSub, type GossipSubComponents, gossipsub, type Message } from '@libp2p/gossipsub'
import type { Connection, Stream, StreamHandler, Topology } from '@libp2p/interface'
import {
  CONNECTION_GRACE_MS,
  GOSSIP_HOPELESS_TICKS,
  GOSSIP_PATIENT_TICKS,
  MAX_GOSSIP_BYTES,
} from './limits.ts'
import { type MeshKeys, mac, sameBytes } from './secret.ts'

export interface GossipInit {
  readonly keys: MeshKeys
  /** `from`: the publisher, proven by its signature. */
  receive(from: string, bytes: Uint8Array): void
  /** Gossip with this peer cannot be restored on its connection. */
  hopeless(connection: Connection): void
  /** Something did not work; never needed for safety. */
  debug(text: string, error?: unknown): void
}

const MAC_BYTES = 32

export class Gossip {
  readonly #init: GossipInit
  readonly #open = new Map<string, { readonly connection: Connection; missing: number }>()
  readonly #topologies = new Map<string, Topology>()
  readonly #protocols = new Set<string>()
  readonly #waiting = new Set<() => void>()
  #pubsub: GossipSub | undefined
  #self = ''
  #stopped = false

  constructor(init: GossipInit) {
    this.#init = init
  }

  /** The libp2p service. */
  readonly service = (components: GossipSubComponents): GossipSub => {
    this.#self = components.peerId.toString()
    this.#pubsub = gossipsub({
      allowedTopics: [this.#init.keys.topic],
      // A small mesh: one hop to everybody, and no error while nobody is there yet.
      floodPublish: true,
      allowPublishToZeroTopicPeers: true,
      ignoreDuplicatePublishError: true,
      fallbackToFloodsub: false,
      emitSelf: false,
      globalSignaturePolicy: 'StrictSign',
      tagMeshPeers: false,
      maxInboundDataLength: MAX_GOSSIP_BYTES * 2,
      // All peers are members. Many of them on one machine is normal, and a busy one is no attacker.
      scoreParams: { IPColocationFactorWeight: 0, behaviourPenaltyWeight: 0 },
    })({
      privateKey: components.privateKey,
      peerId: components.peerId,
      peerStore: components.peerStore,
      connectionManager: components.connectionManager,
      logger: components.logger,
      registrar: this.#gate(components.registrar),
    })
    return this.#pubsub
  }

  /** After libp2p has started. */
  start(): void {
    this.#pubsub?.addEventListener('message', (event) => this.#message(event.detail))
    this.#pubsub?.subscribe(this.#init.keys.topic)
  }

  publish(bytes: Uint8Array): void {
    const pubsub = this.#pubsub
    if (pubsub === undefined || bytes.length > MAX_GOSSIP_BYTES) return
    pubsub
      .publish(this.#init.keys.topic, Buffer.concat([mac(this.#init.keys.gossip, this.#self, bytes), bytes]))
      .catch((error: unknown) => this.#init.debug('gossip was not published', error))
  }

  /** A link to the peer is open on this connection. */
  admit(connection: Connection): void {
    if (this.#isOpen(connection)) return
    const peer = connection.remotePeer.toString()
    this.#open.set(peer, { connection, missing: 0 })
    this.#settle()
    this.#connect(connection)
  }

  dismiss(peer: string): void {
    const open = this.#open.get(peer)
    if (open === undefined) return
    this.#open.delete(peer)
    this.#disconnect(open.connection)
  }

  /** G3 */
  tick(): void {
    const subscribed = new Set(this.#pubsub?.getSubscribers(this.#init.keys.topic).map(String))
    for (const [peer, open] of this.#open) {
      const { connection } = open
      const healthy = subscribed.has(peer) && connection.streams.some((stream) => this.#isOurs(stream))
      open.missing = healthy ? 0 : open.missing + 1
      if (open.missing === GOSSIP_PATIENT_TICKS) this.#connect(connection)
      if (open.missing < GOSSIP_HOPELESS_TICKS) continue
      open.missing = 0
      this.#init.debug(`gossip with ${peer} does not recover`)
      this.#init.hopeless(connection)
    }
  }

  /** Before libp2p stops. */
  stop(): void {
    this.#open.clear()
    this.#stopped = true
    this.#settle()
  }

  #connect(connection: Connection): void {
    for (const topology of new Set(this.#topologies.values())) {
      this.#guard(() => topology.onConnect?.(connection.remotePeer, careful(connection)))
    }
  }

  #disconnect(connection: Connection): void {
    for (const topology of new Set(this.#topologies.values()))
      this.#guard(() => topology.onDisconnect?.(connection.remotePeer))
  }

  #guard(action: () => void): void {
    try {
      action()
    } catch (error) {
      this.#init.debug('gossipsub failed', error)
    }
  }

  /** G1 */
  #gate(registrar: GossipSubComponents['registrar']): GossipSubComponents['registrar'] {
    const topologies = this.#topologies
    return {
      getProtocols: () => registrar.getProtocols(),
      getHandler: (protocol) => registrar.getHandler(protocol),
      getTopologies: () => [],
      use: (protocol, middleware) => registrar.use(protocol, middleware),
      unuse: (protocol) => registrar.unuse(protocol),
      getMiddleware: (protocol) => registrar.getMiddleware(protocol),
      unhandle: (protocols, options) => registrar.unhandle(protocols, options),
      handle: (protocol, handler, options) => {
        this.#protocols.add(protocol)
        return registrar.handle(
          protocol,
          (stream, connection) => this.#incoming(stream, connection, handler),
          options,
        )
      },
      register: async (protocol, topology) => {
        topologies.set(protocol, topology)
        return protocol
      },
      unregister: (id) => void topologies.delete(id),
    }
  }

  async #incoming(stream: Stream, connection: Connection, handler: StreamHandler): Promise<void> {
    if (this.#isOpen(connection) || (await this.#admitted(connection))) {
      if (stream.status === 'open') await handler(stream, careful(connection))
    } else stream.abort(new Error('gossip is for members of the mesh'))
  }

  #isOpen(connection: Connection): boolean {
    return this.#open.get(connection.remotePeer.toString())?.connection === connection
  }

  #isOurs(stream: Stream): boolean {
    return stream.direction === 'outbound' && stream.status === 'open' && this.#protocols.has(stream.protocol)
  }

  #admitted(connection: Connection): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(check)
        resolve(this.#isOpen(connection))
      }
      const check = (): void => {
        if (this.#stopped || this.#isOpen(connection) || connection.status !== 'open') finish()
      }
      const timer = setTimeout(finish, CONNECTION_GRACE_MS)
      timer.unref()
      this.#waiting.add(check)
    })
  }

  #settle(): void {
    for (const check of [...this.#waiting]) check()
  }

  #message(message: Message): void {
    try {
      if (
        message.topic !== this.#init.keys.topic ||
        message.type !== 'signed' ||
        message.data.length < MAC_BYTES
      )
        return
      const from = message.from.toString()
      const bytes = message.data.subarray(MAC_BYTES)
      if (!sameBytes(message.data.subarray(0, MAC_BYTES), mac(this.#init.keys.gossip, from, bytes))) return // G2
      this.#init.receive(from, bytes)
    } catch (error) {
      this.#init.debug('a gossip message was dropped', error) // G4
    }
  }
}

/**
 * A connection whose `newStream` never resolves with a stream that has ended already. gossipsub keeps such a stream for ever,
 * because it listens for its end too late, and opens no other one to that peer.
 */
const careful = (connection: Connection): Connection => {
  const newStream: Connection['newStream'] = async (protocols, options) => {
    const stream = await connection.newStream(protocols, options)
    if (stream.status !== 'open') throw new Error(`the stream was ${stream.status} before it was used`)
    return stream
  }
  return new Proxy(connection, {
    get: (target, key) => {
      if (key === 'newStream') return newStream
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
