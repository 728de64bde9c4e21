// What a peer's process uses, now and then: growth over a long run is a leak.

import { readdirSync } from 'node:fs'
import { filesBelow } from '../disk/usage.ts'
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
  /** Bytes that its data directory takes. */
  readonly disk: number
}

/** Nothing for a peer that did not answer. */
export async function sample(peer: Peer, views: readonly PeerView[], at: number): Promise<readonly Sample[]> {
  const seen = views.find(({ index }) => index === peer.index)?.seen
  if (seen === undefined || peer.pid === undefined) return []
  const { rss, heapUsed } = seen.status.memory
  const [descriptors, start] = [descriptorsOf(peer.pid), peer.starts]
  const disk = (await filesBelow(peer.dir)).reduce((sum, { bytes }) => sum + bytes, 0)
  return [{ peer: peer.index, at, start, rss, heapUsed, descriptors, disk }]
}

function descriptorsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length
  } catch {
    return 0 // gone meanwhile, or not Linux
  }
}
