// The Network on libp2p: puts the parts together and tells the listener. Who owns what:
// link-table.ts decides which links exist, redial.ts whom to dial and when, losses.ts what a lost link means, gossip.ts
// the topic, meeting.ts how a connection becomes a link.
//
// W1 For every `connected` there is exactly one `disconnected` before the next `connected` of that peer; one more with
//    `refused` may follow while no newer link is open.
// W2 Nothing is delivered from a link after its `disconnected`, nor before its `connected`, nor after `stop`.
// W3 No listener and no peer can make anything here throw.
// W4 The listener is never called from within a call of a method: a driver is not re-entered.

import type { Connection, Libp2p, PeerInfo } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Logger } from 'pino'
import { type BootId, type PeerId, peerId } from '../../mesh/ids.ts'
import type { Fact } from '../../mesh/membership/types.ts'
import type { MeshMessage } from '../../mesh/messages.ts'
import type { Network, NetworkListener, ServiceFrame } from '../ports.ts'
import { isLoopback, parseAddress, peerOfAddress, probeTargets, tcpTarget } from './addresses.ts'
import { decodeFacts, decodePlain, encodeFacts } from './codec.ts'
import { Discovery } from './discovery.ts'
import { TransportError } from './errors.ts'
import type { StreamEnd } from './framed-stream.ts'
import { Gossip } from './gossip.ts'
import type { Identity } from './identity.ts'
import { type StartedNode, startLibp2p } from './libp2p-node.ts'
import { GOSSIP_FACTS, STOP_DEADLINE_MS, STOP_FLUSH_MS, TICK_MS } from './limits.ts'
import type { Link } from './link.ts'
import { LinkTable } from './link-table.ts'
import { Losses } from './losses.ts'
import { type ConnectOptions, Meeting } from './meeting.ts'
import { Redialer } from './redial.ts'
import { deriveKeys } from './secret.ts'
import { Warnings } from './warnings.ts'

export const DEFAULT_LISTEN: readonly string[] = ['/ip4/127.0.0.1/tcp/0']

export interface NetworkOptions {
  readonly identity: Identity
  /** This peer's present boot. After a change call `reboot()`. */
  boot(): BootId
  /** `host:port` or multiaddr; {@link DEFAULT_LISTEN} when absent: this machine only. */
  readonly listen?: readonly string[]
  /** Where others should dial this peer when that is not where it listens (port forwarding, containers). */
  readonly announce?: readonly string[]
  /** 32 bytes, the same on every member. */
  readonly secret: Uint8Array
  /** Undefined until this peer knows its mesh; a peer of another mesh is refused once both know theirs. */
  meshId(): string | undefined
  /** Look for members on the local network. Default false. */
  readonly mdns?: boolean
  /** For people. */
  readonly name: string
  readonly logger?: Logger
}

/**
 * Listens and starts. Throws TransportError PORT_IN_USE, BAD_ADDRESS, BAD_SECRET. `listener` may be called from then on,
 * also before the promise resolves.
 */
export const startNetwork = async (
  options: NetworkOptions,
  listener: NetworkListener,
): Promise<LibP2pNetwork> => {
  for (const address of options.announce ?? []) parseAddress(address)
  const listen = (options.listen ?? DEFAULT_LISTEN).map(parseAddress)
  return await LibP2pNetwork.start(options, listen, listener)
}

export class LibP2pNetwork implements Network {
  readonly self: PeerId
  readonly #options: NetworkOptions
  readonly #listener: NetworkListener
  readonly #node: Libp2p
  readonly #listening: () => readonly Multiaddr[]
  readonly #gossip: Gossip
  readonly #links: LinkTable
  readonly #losses: Losses
  readonly #redialer: Redialer
  readonly #meeting: Meeting
  readonly #warnings: Warnings
  readonly #discovery: Discovery
  /** Where peers said they listen; kept for those that are linked or wanted. */
  readonly #introduced = new Map<PeerId, readonly string[]>()
  readonly #ticker: NodeJS.Timeout
  #lastTick = performance.now()
  #stopped: Promise<void> | undefined

  static async start(
    options: NetworkOptions,
    listen: readonly Multiaddr[],
    listener: NetworkListener,
  ): Promise<LibP2pNetwork> {
    const keys = deriveKeys(options.secret)
    // Created before libp2p, which needs it; what it reports goes to the network, which needs libp2p.
    let network: LibP2pNetwork | undefined
    const gossip = new Gossip({
      keys,
      receive: (from, bytes) => {
        if (network !== undefined) network.#gossiped(from, bytes)
      },
      hopeless: (connection) => abort(connection),
      debug: (text, error) => options.logger?.debug({ error }, text),
    })
    const started = await startLibp2p({
      identity: options.identity,
      listen,
      gossip,
      ...(options.mdns === true
        ? {
            mdns: {
              serviceTag: keys.serviceTag,
              found: (peer) => {
                if (network !== undefined) network.#found(peer)
              },
            },
          }
        : {}),
    })
    network = new LibP2pNetwork(options, listener, started, gossip, keys.handshake)
    await network.#meeting.listen()
    return network
  }

  private constructor(
    options: NetworkOptions,
    listener: NetworkListener,
    { node, listening }: StartedNode,
    gossip: Gossip,
    handshakeKey: Uint8Array,
  ) {
    this.#options = options
    this.#listener = listener
    this.#node = node
    this.#listening = listening
    this.#gossip = gossip
    this.self = peerId(node.peerId.toString())
    this.#warnings = new Warnings((code, text) => this.#tell((to) => to.warning(code, text)))
    this.#discovery = new Discovery((peer, addresses) => void this.#meeting.dial(peer, addresses))
    this.#links = new LinkTable({
      boot: () => options.boot(),
      opened: (link) => this.#opened(link),
      closed: (link, end, replacedBy) => this.#closed(link, end, replacedBy),
    })
    this.#losses = new Losses((peer, boot) => this.#tell((to) => to.disconnected(peer, boot, true)))
    this.#meeting = new Meeting({
      node,
      links: this.#links,
      self: this.self,
      key: handshakeKey,
      introduce: () => {
        const meshId = options.meshId()
        return {
          boot: options.boot(),
          name: options.name,
          addresses: this.addresses(),
          ...(meshId === undefined ? {} : { meshId }),
        }
      },
      events: {
        message: (link, message) => this.#tell((to) => to.message(link.peer, link.boot, message)),
        service: (link, frame) => this.#tell((to) => to.service(link.peer, link.boot, frame)),
        unknown: (link, what) =>
          this.#warnings.warn('BAD_MESSAGE', link.peer, `${this.#called(link)}: ${what}`),
      },
      refused: (peer, code, text) => this.#warnings.warn(code, peer, text),
      debug: (text) => options.logger?.debug({ peer: this.self }, text),
    })
    this.#redialer = new Redialer({
      self: this.self,
      isConnected: (peer) => this.#links.get(peer) !== undefined,
      dial: async (peer, addresses, patience) => {
        const all = [...addresses, ...(this.#introduced.get(peer) ?? [])]
        const outcome = await this.#meeting.dial(peer, all, patience)
        if (outcome !== 'linked') await this.#losses.check(peer)
        return outcome
      },
    })
    this.#ticker = setInterval(() => this.#tick(), TICK_MS)
    this.#ticker.unref()
    gossip.start()
  }

  addresses(): readonly string[] {
    const announced = this.#options.announce?.map(parseAddress) ?? []
    const all = announced.length > 0 ? announced : this.#listening()
    const elsewhere = all.filter((address) => !isLoopback(tcpTarget(address)?.host ?? ''))
    return (elsewhere.length > 0 ? elsewhere : all).map((address) =>
      peerOfAddress(address) === undefined ? `${address.toString()}/p2p/${this.self}` : address.toString(),
    )
  }

  send(to: PeerId, message: MeshMessage): boolean {
    return this.#links.get(to)?.send(message) ?? false
  }

  sendService(to: PeerId, frame: ServiceFrame): boolean {
    return this.#links.get(to)?.sendService(frame) ?? false
  }

  queued(to: PeerId): number {
    return this.#links.get(to)?.stream.queued ?? 0
  }

  publish(facts: readonly Fact[]): void {
    if (this.#stopped !== undefined) return
    for (let from = 0; from < facts.length; from += GOSSIP_FACTS) {
      const bytes = encodeFacts(facts.slice(from, from + GOSSIP_FACTS))
      if (bytes !== undefined) this.#gossip.publish(bytes)
    }
  }

  want(peers: ReadonlyMap<PeerId, readonly string[]>): void {
    if (this.#stopped !== undefined) return
    this.#redialer.want(peers)
    this.#losses.keepOnly((peer) => peers.has(peer))
    for (const peer of this.#introduced.keys())
      if (!peers.has(peer) && this.#links.get(peer) === undefined) this.#introduced.delete(peer)
  }

  /** Peers with an open link. */
  connected(): readonly { readonly peer: PeerId; readonly boot: BootId; readonly name: string }[] {
    return this.#links.all().map((link) => ({ peer: link.peer, boot: link.boot, name: link.remote.name }))
  }

  /**
   * First contact: dials addresses of peers that need not be known, again and again until one is linked. Rejects with
   * TransportError: WRONG_SECRET, OTHER_MESH, INCOMPATIBLE_VERSION at once when a peer answered so and no other took us;
   * NOT_A_MESH_PEER or UNREACHABLE after `timeoutMs`; BAD_ADDRESS.
   */
  connectTo(addresses: readonly string[], options: ConnectOptions = {}): Promise<PeerId> {
    if (this.#stopped !== undefined)
      return Promise.reject(new TransportError('STOPPED', 'this peer is stopping'))
    return this.#meeting.connectTo(addresses, options)
  }

  /** `boot()` has changed: closes every link, so that peers meet the new boot. Wanted peers are dialled at once. */
  reboot(): void {
    const end: StreamEnd = { kind: 'local', detail: 'this peer starts a new boot' }
    this.#meeting.abortAll(end)
    for (const link of this.#links.all()) link.close(end)
  }

  /** Sends what is queued if that is quick, closes everything, resolves within {@link STOP_DEADLINE_MS}. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    clearInterval(this.#ticker)
    this.#redialer.stop()
    this.#losses.clear()
    const deadline = new Promise<void>((resolve) => setTimeout(resolve, STOP_DEADLINE_MS).unref())
    // Closing a socket with unread input resets it, and a reset destroys what is on its way. So each peer is asked
    // whether it has everything, behind everything.
    const farewells = this.#links.all().map(async (link) => {
      await link.stream.flush(STOP_FLUSH_MS)
      await link.verify(STOP_FLUSH_MS)
    })
    await Promise.all([...farewells, this.#meeting.farewells()])
    this.#gossip.stop()
    this.#meeting.stop()
    const stopped = Promise.resolve(this.#node.stop()).catch((error: unknown) => {
      this.#options.logger?.debug({ error }, 'libp2p did not stop cleanly')
    })
    await Promise.race([deadline, stopped])
    const end: StreamEnd = { kind: 'local', detail: 'this peer stopped' }
    this.#meeting.abortAll(end)
    this.#links.closeAll(end)
    for (const connection of this.#node.getConnections()) abort(connection)
  }

  #opened(link: Link): void {
    this.#losses.found(link.peer)
    this.#introduced.set(link.peer, link.remote.addresses)
    this.#discovery.drop(link.peer)
    this.#gossip.admit(link.connection)
    this.#options.logger?.debug({ boot: link.boot, name: link.remote.name }, 'link opened')
    this.#tell((to) => to.connected(link.peer, link.boot))
  }

  #closed(link: Link, end: StreamEnd, replacedBy: Link | undefined): void {
    const abandoned = replacedBy?.connection !== link.connection
    if (abandoned) this.#gossip.dismiss(link.peer)
    this.#options.logger?.debug({ boot: link.boot, name: link.remote.name, end }, 'link closed')
    this.#tell((to) => to.disconnected(link.peer, link.boot, false))
    // The rest of the connection is worth nothing without its link, and a fresh one is sure to be whole.
    if (abandoned) abort(link.connection)
    if (this.#stopped !== undefined || replacedBy !== undefined) return
    if (end.kind === 'garbage')
      this.#warnings.warn(
        'GARBAGE',
        link.peer,
        `${this.#called(link)} sent bytes that make no sense (${end.detail}); the stream was closed`,
      )
    if (end.kind === 'stalled')
      this.#warnings.warn('STALLED', link.peer, `${this.#called(link)}: ${end.detail}; the stream was closed`)
    this.#redialer.lost(link.peer)
    if (end.kind === 'remote') void this.#losses.begin(link.peer, link.boot, this.#probeTargets(link))
  }

  #probeTargets(link: Link): ReturnType<typeof probeTargets> {
    const { remoteAddr, direction } = link.connection
    const dialled = direction === 'outbound' ? [remoteAddr.toString()] : []
    const told = [...link.remote.addresses, ...this.#redialer.addressesOf(link.peer)]
    return probeTargets([...dialled, ...told], tcpTarget(remoteAddr)?.host)
  }

  #gossiped(from: string, bytes: Uint8Array): void {
    const decoded = decodePlain(bytes)
    const facts = decoded.ok ? decodeFacts(decoded.value) : undefined
    if (facts === undefined)
      this.#warnings.warn(
        'BAD_MESSAGE',
        from,
        `peer ${from} published something that is no list of facts; it was dropped`,
      )
    else this.#tell((to) => to.gossip(peerId(from), facts))
  }

  #found(found: PeerInfo): void {
    const peer = peerId(found.id.toString())
    if (this.#stopped !== undefined || peer === this.self) return
    if (this.#links.get(peer) !== undefined || this.#redialer.wants(peer)) this.#discovery.drop(peer)
    else this.#discovery.heard(peer, found.multiaddrs.map(String))
  }

  #tick(): void {
    const now = performance.now()
    const stalledMs = now - this.#lastTick - TICK_MS
    this.#lastTick = now
    for (const link of this.#links.all()) link.tick(now, stalledMs)
    this.#gossip.tick()
    this.#discovery.tick(now)
  }

  #tell(call: (listener: NetworkListener) => void): void {
    if (this.#stopped !== undefined) return
    try {
      call(this.#listener)
    } catch (error) {
      this.#options.logger?.error({ error }, 'a network listener threw') // W3
    }
  }

  #called(link: Link): string {
    return `peer ${link.remote.name || link.peer} (${link.peer})`
  }
}

const abort = (connection: Connection): void => {
  try {
    connection.abort(new Error('the link is closed'))
  } catch {
    // Already closed.
  }
}
