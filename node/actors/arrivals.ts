// The calls that wait for an actor's object: bounded and fair as its mailbox is (mailbox.ts), each for as long as its caller
// waits.

import type { ActorKey } from '../../mesh/ids.ts'
import { MailboxFullError } from '../errors.ts'
import { isSend } from './callers.ts'
import type { Answer, CallFrame, CancelFrame } from './frames.ts'
import type { Reply } from './jobs.ts'
import { Mailbox } from './mailbox.ts'
import { errorAnswer } from './remote-error.ts'

export interface Arrival {
  readonly frame: CallFrame
  readonly reply: Reply
  /** When its caller stops waiting. */
  readonly deadline: number
}

export class Arrivals {
  readonly #waiting = new Mailbox<Arrival>()
  readonly #actor: ActorKey
  readonly #limit: number

  constructor(actor: ActorKey, limit: number) {
    this.#actor = actor
    this.#limit = limit
  }

  /** False when there was no room for it: then it is answered. */
  add(arrival: Arrival): boolean {
    const { caller } = arrival.frame.id
    if (this.#waiting.size >= this.#limit) {
      const giving = this.#waiting.giveWay(caller)
      this.#refuse(giving ?? arrival)
      if (giving === undefined) return false
    }
    this.#waiting.push(caller, arrival)
    return true
  }

  find(method: string): CallFrame | undefined {
    for (const { frame } of this.#waiting) if (frame.method === method) return frame
    return undefined
  }

  cancel({ id, token }: CancelFrame): void {
    for (const arrival of [...this.#waiting])
      if (arrival.frame.token === token) this.#waiting.remove(id.caller, arrival)
  }

  has(token: string): boolean {
    for (const { frame } of this.#waiting) if (frame.token === token) return true
    return false
  }

  /** They go on waiting. */
  tell(answer: Answer): void {
    for (const { reply } of this.#waiting) reply(answer)
  }

  takeAll(): readonly Arrival[] {
    return this.#waiting.takeAll()
  }

  #refuse({ frame, reply }: Arrival): void {
    const message = `${this.#actor} is not ready and has ${this.#limit} calls waiting, its limit: wait for answers`
    reply(isSend(frame.id) ? { kind: 'retry', why: message } : errorAnswer(new MailboxFullError(message)))
  }
}
