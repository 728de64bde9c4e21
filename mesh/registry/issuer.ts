// Commands this peer wants committed: each gets a number of this boot, is sent to whoever the pointer names as writer, and
// is repeated through any number of heads until it is answered. Its answer is passed on only when the registry as
// applied here contains it, so that an issuer always sees its own writes.

import type { Env } from '../env.ts'
import type { LogKey } from '../ids.ts'
import { peerOfBoot } from '../ids.ts'
import type { RegistryMessage } from '../messages.ts'
import type { PointerStore } from '../pointer.ts'
import type { Follower } from './follower.ts'
import type { Command, CommandResult } from './types.ts'

interface Waiting {
  readonly n: number
  readonly command: Command
  readonly then: (result: CommandResult) => void
  sentAt: number
  sentTo: string
  answer?: { result: CommandResult; log: LogKey; term: number; position: number }
}

export class Issuer {
  readonly #env: Env
  readonly #pointers: PointerStore
  readonly #follower: Follower
  readonly #waiting = new Map<number, Waiting>()
  #next = 1

  constructor(env: Env, pointers: PointerStore, follower: Follower) {
    this.#env = env
    this.#pointers = pointers
    this.#follower = follower
  }

  /** Returns the command's number, with which it can be forgotten. */
  issue(command: Command, then: (result: CommandResult) => void): number {
    const n = this.#next++
    const waiting: Waiting = { n, command, then, sentAt: Number.NEGATIVE_INFINITY, sentTo: '' }
    this.#waiting.set(n, waiting)
    this.#send(waiting)
    return n
  }

  /** Nobody waits for the answer any more. The command may still be committed. */
  forget(n: number): void {
    this.#waiting.delete(n)
  }

  answered(message: RegistryMessage & { kind: 'done' }): void {
    const waiting = this.#waiting.get(message.n)
    if (!waiting || message.boot !== this.#env.boot) return
    const { result, log, term, position } = message
    waiting.answer = { result, log, term, position }
    this.settle()
  }

  /** Passes on answers whose effect is applied here. */
  settle(): void {
    for (const waiting of [...this.#waiting.values()]) {
      const { answer } = waiting
      if (!answer) continue
      const sameLog = this.#follower.log === answer.log
      const applied = sameLog
        ? this.#follower.applied > answer.position
        : this.#follower.term > answer.term && this.#follower.applied > 0
      if (!applied) continue
      this.#waiting.delete(waiting.n)
      waiting.then(answer.result)
    }
  }

  tick(): void {
    const writer = this.#writerPeer()
    for (const waiting of this.#waiting.values()) {
      const due =
        this.#env.now - waiting.sentAt >= this.#env.settings.resendMs * 2 || waiting.sentTo !== writer
      if (!waiting.answer && due) this.#send(waiting)
    }
  }

  /** A stream to that peer opened: what was sent over the old one may be gone. */
  reconnected(peer: string): void {
    for (const waiting of this.#waiting.values())
      if (waiting.sentTo.startsWith(`${peer}/`) && !waiting.answer) this.#send(waiting)
  }

  /** The boot ended: its commands are void, its numbers start again under the new one. */
  reset(): void {
    this.#waiting.clear()
    this.#next = 1
  }

  #writerPeer(): string {
    const pointer = this.#pointers.current
    return pointer ? pointer.writer : ''
  }

  #send(waiting: Waiting): void {
    const pointer = this.#pointers.current
    if (!pointer) return
    const to = peerOfBoot(pointer.writer)
    // Insertion order is number order, so the first key is the lowest number still unanswered.
    const floor = this.#waiting.keys().next().value ?? waiting.n
    const sent = this.#env.trySend(to, {
      kind: 'cmd',
      issued: { boot: this.#env.boot, n: waiting.n, floor, command: waiting.command },
    })
    if (!sent) return
    waiting.sentAt = this.#env.now
    waiting.sentTo = pointer.writer
  }
}
