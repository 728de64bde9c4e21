// What a peer's process uses, now and then: growth over a long run is a leak.

import { readdirSync } from 'node:fs'
import type { Peer } from '../peer.ts'
import type { PeerView } from '../view.ts'

export interface Sample {
  readonly peer: number
  /** Milliseconds from the beginning of the run. */
  readonly at: number
  /** Tells processes of one peer apart. */
  readonly start: number
  /** Bytes. */
  readonly rss: number
  readonly heapUsed: number
  /** Open files and sockets; 0 where the system does not tell. */
  readonly descriptors: number
}

/** Nothing for a peer that did not answer. */
export function sample(peer: Peer, views: readonly PeerView[], at: number): readonly Sample[] {
  const seen = views.find(({ index }) => index === peer.index)?.seen
  if (seen === undefined || peer.pid === undefined) return []
  const { rss, heapUsed } = seen.status.memory
  return [{ peer: peer.index, at, start: peer.starts, rss, heapUsed, descriptors: descriptorsOf(peer.pid) }]
}

function descriptorsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length
  } catch {
    return 0 // gone meanwhile, or not Linux
  }
}
