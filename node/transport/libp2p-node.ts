// How libp2p is set up: TCP, noise, yamux, identify, gossip, and mDNS when asked for. Its dialler, its redialler and its
// connection monitor are not used: they give up, or notice too late.

import { identify } from '@libp2p/identify'
import type { Libp2p, PeerInfo } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import type { Multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { tcpTarget } from './addresses.ts'
import { messageOf, TransportError } from './errors.ts'
import { inOnePiece } from './fewer-writes.ts'
import type { Gossip } from './gossip.ts'
import type { Identity } from './identity.ts'
import { DIAL_TIMEOUT_MS, MAX_DIAL_PATIENCE, NEGOTIATION_TIMEOUT_MS } from './limits.ts'

/** A testnet starts dozens of peers on one address within a second; libp2p's 5 per second and 10 pending are for strangers. */
const MANY_CONNECTIONS = {
  inboundConnectionThreshold: 1_000,
  maxIncomingPendingConnections: 1_000,
  maxConnections: 4_000,
}

export interface NodeInit {
  readonly identity: Identity
  readonly listen: readonly Multiaddr[]
  readonly gossip: Gossip
  /** Given when mDNS is wanted. */
  readonly mdns?: { readonly serviceTag: string; found(peer: PeerInfo): void }
}

export interface StartedNode {
  readonly node: Libp2p
  /**
   * Where it listens, with wildcards resolved. libp2p's own `getMultiaddrs` leaves public addresses out until a service
   * on the internet has confirmed them, so a peer on a public address would announce none.
   */
  listening(): readonly Multiaddr[]
}

/** Throws PORT_IN_USE or BAD_ADDRESS when it cannot listen. */
export const startLibp2p = async (init: NodeInit): Promise<StartedNode> => {
  const discovery = init.mdns && (await mdnsDiscovery(init.mdns))
  let listening = (): readonly Multiaddr[] => []
  const node = await createLibp2p({
    start: false,
    privateKey: init.identity,
    addresses: { listen: init.listen.map((address) => address.toString()) },
    transports: [tcp()],
    connectionEncrypters: [(components) => inOnePiece(noise()(components))],
    streamMuxers: [yamux()],
    ...(discovery === undefined ? {} : { peerDiscovery: [discovery] }),
    connectionMonitor: { enabled: false },
    connectionManager: {
      ...MANY_CONNECTIONS,
      reconnectRetries: 0,
      // Each dial brings its own signal, which is shorter at first.
      dialTimeout: DIAL_TIMEOUT_MS * MAX_DIAL_PATIENCE,
      addressDialTimeout: DIAL_TIMEOUT_MS * MAX_DIAL_PATIENCE,
      outboundStreamProtocolNegotiationTimeout: NEGOTIATION_TIMEOUT_MS,
    },
    services: {
      identify: identify(),
      gossip: init.gossip.service,
      listening: ({ transportManager }: { transportManager: { getAddrs(): Multiaddr[] } }) => {
        listening = () => transportManager.getAddrs()
        return {}
      },
    },
  })
  try {
    await node.start()
  } catch (error) {
    throw listenError(error, init.listen)
  }
  return { node, listening: () => listening() }
}

/** libp2p reports all addresses in one text; the codes of the operating system are in it. */
const listenError = (error: unknown, listen: readonly Multiaddr[]): unknown => {
  const text = error instanceof Error ? error.message : String(error)
  const where = listen.map((address) => {
    const target = tcpTarget(address)
    return target === undefined ? address.toString() : `${target.host}:${target.port}`
  })
  const list = where.join(', ')
  if (text.includes('EADDRINUSE')) {
    return new TransportError(
      'PORT_IN_USE',
      `cannot listen on ${list}: the port is in use; stop the other process or listen on another port`,
      { cause: error },
    )
  }
  if (/EADDRNOTAVAIL|ENOTFOUND|EAI_AGAIN/.test(text)) {
    return new TransportError(
      'BAD_ADDRESS',
      `cannot listen on ${list}: this machine has no such address; use one of its own, or 0.0.0.0 for all`,
      { cause: error },
    )
  }
  if (text.includes('EACCES')) {
    return new TransportError(
      'BAD_ADDRESS',
      `cannot listen on ${list}: permission denied; use a port above 1023`,
      { cause: error },
    )
  }
  if (error instanceof Error && error.name.startsWith('UnsupportedListenAddress')) {
    return new TransportError('BAD_ADDRESS', `cannot listen on ${list}: ${messageOf(error)}`, {
      cause: error,
    })
  }
  return error
}

/** Loaded on demand: most peers do not use it. Every answer counts, not only the first, which is what libp2p would report. */
const mdnsDiscovery = async (init: NonNullable<NodeInit['mdns']>) => {
  const { mdns } = await import('@libp2p/mdns')
  const create = mdns({ serviceTag: init.serviceTag })
  return (components: Parameters<typeof create>[0]) => {
    const discovery = create(components)
    discovery.addEventListener('peer', (event) => init.found(event.detail))
    return discovery
  }
}
