// Who tries to take the registry over, and when: its writer is gone or makes no progress, and peers try in ID order
// (PROTOCOL.md section 4). An opinion only: what a candidate may do is decided by the keepers.

import type { Env } from './env.ts'
import { type BootId, compareIds, peerOfBoot } from './ids.ts'
import type { Membership } from './membership/membership.ts'
import type { PointerStore } from './pointer.ts'
import type { Candidate } from './registry/candidate.ts'
import type { Follower } from './registry/follower.ts'
import type { Head } from './registry/head.ts'

export interface ElectionParts {
  readonly env: Env
  readonly membership: Membership
  readonly pointers: PointerStore
  readonly follower: Follower
  readonly head: Head
  readonly candidate: Candidate
}

export class Election {
  readonly #parts: ElectionParts
  #writerGone: { readonly writer: BootId; readonly since: number } | undefined

  constructor(parts: ElectionParts) {
    this.#parts = parts
  }

  /** What was thought of the writer is void: there is another one, or this peer did not listen. */
  reset(): void {
    this.#writerGone = undefined
  }

  tick(): void {
    const { env, membership, pointers, follower, head, candidate } = this.#parts
    const pointer = pointers.current
    if (!pointer || candidate.active) return
    if (head.sealed) return candidate.campaign('consent')
    if (head.writing) return
    const { newer, gone } = this.#absence(pointer.writer)
    if (!gone) this.#writerGone = undefined
    else if (this.#writerGone?.writer !== pointer.writer)
      this.#writerGone = { writer: pointer.writer, since: env.now }
    const since = this.#writerGone?.since ?? follower.progressAt
    // A peer whose own machine is overloaded doubts itself first.
    const patience = gone ? 0 : env.settings.headTimeoutMs * membership.doubt
    const over = env.now - since - patience
    if (over < 0 || over < this.#rank() * env.settings.candidateStaggerMs) return
    candidate.campaign(newer ? 'newer-boot' : gone ? 'refused' : 'none')
  }

  #absence(writer: BootId): { newer: boolean; gone: boolean } {
    const { env, membership } = this.#parts
    const peer = peerOfBoot(writer)
    const member = membership.get(peer)
    const speaks = env.connected.get(peer) === writer
    const newer = peer === env.self || (member !== undefined && member.boot !== writer && !speaks)
    return { newer, gone: newer || member?.liveness === 'dead' || member?.liveness === 'left' }
  }

  /** How many live peers come before this one in ID order. */
  #rank(): number {
    const { env, membership } = this.#parts
    return membership.live().filter(({ peer }) => peer !== env.self && compareIds(peer, env.self) < 0).length
  }
}
