// Addresses as people write them (host:port), as libp2p writes them (multiaddrs), and as a bare socket needs them.

import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { PeerId } from '../../mesh/ids.ts'
import { messageOf, TransportError } from './errors.ts'

export interface TcpTarget {
  readonly host: string
  readonly port: number
}

const bad = (text: string, why: string): TransportError =>
  new TransportError(
    'BAD_ADDRESS',
    `"${text}" is not an address: ${why}; write host:port or /ip4/127.0.0.1/tcp/4001`,
  )

/** Accepts `host:port`, `[ipv6]:port` and TCP multiaddrs with or without a peer ID. Throws BAD_ADDRESS. */
export const parseAddress = (text: string): Multiaddr => {
  const trimmed = text.trim()
  let parsed: Multiaddr
  try {
    parsed = multiaddr(trimmed.startsWith('/') ? trimmed : fromHostPort(trimmed, text))
  } catch (error) {
    throw error instanceof TransportError ? error : bad(text, messageOf(error))
  }
  if (tcpTarget(parsed) === undefined) throw bad(text, 'only TCP is supported')
  return parsed
}

const fromHostPort = (trimmed: string, text: string): string => {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:/\s]+)):(\d{1,5})$/.exec(trimmed)
  if (match === null) throw bad(text, 'host and port are needed')
  const port = Number(match[3])
  if (port > 65_535) throw bad(text, 'a port is at most 65535')
  if (match[1] !== undefined) return `/ip6/${match[1]}/tcp/${port}`
  const host = match[2] as string
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host)) return `/ip4/${host}/tcp/${port}`
  return host === 'localhost' ? `/ip4/127.0.0.1/tcp/${port}` : `/dns/${host}/tcp/${port}`
}

/** The same, for addresses other peers told us: undefined instead of an error. */
export const readAddress = (text: string): Multiaddr | undefined => {
  try {
    return parseAddress(text)
  } catch {
    return undefined
  }
}

const part = (address: Multiaddr, ...names: readonly string[]): string | undefined =>
  address.getComponents().find((component) => names.includes(component.name))?.value

export const peerOfAddress = (address: Multiaddr): string | undefined => part(address, 'p2p')

export const tcpTarget = (address: Multiaddr): TcpTarget | undefined => {
  const host = part(address, 'ip4', 'ip6', 'dns', 'dns4', 'dns6')
  const port = part(address, 'tcp')
  return host === undefined || port === undefined ? undefined : { host, port: Number(port) }
}

/** Addresses to dial one known peer at: with its ID; those that are malformed or of another peer are left out. */
export const dialable = (peer: PeerId, addresses: readonly string[]): Multiaddr[] => {
  const found = new Map<string, Multiaddr>()
  for (const text of addresses) {
    const address = readAddress(text)
    if (address === undefined) continue
    const named = peerOfAddress(address)
    if (named !== undefined && named !== peer) continue
    const full = named === undefined ? address.encapsulate(`/p2p/${peer}`) : address
    found.set(full.toString(), full)
  }
  return [...found.values()]
}

export const isLoopback = (host: string): boolean =>
  host === '::1' || host === 'localhost' || /^127\./.test(host)

/**
 * Where a refused connection proves that the peer's process is gone. A loopback address says something about a peer
 * on this machine only, so it counts only when the link itself ran over loopback.
 */
export const probeTargets = (addresses: readonly string[], linkHost: string | undefined): TcpTarget[] => {
  const local = linkHost !== undefined && isLoopback(linkHost)
  const targets = new Map<string, TcpTarget>()
  for (const text of addresses) {
    const address = readAddress(text)
    const target = address && tcpTarget(address)
    if (target === undefined || target.port === 0) continue
    if (isLoopback(target.host) && !local) continue
    targets.set(`${target.host} ${target.port}`, target)
  }
  return [...targets.values()]
}
