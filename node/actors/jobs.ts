// The calls that one live actor has before it or under way, and who waits for each.

import type { AlarmEntry } from '../../checkpoint/agenda.ts'
import type { CallId } from '../../checkpoint/call-table.ts'
import { MailboxFullError } from '../errors.ts'
import { isSend } from './callers.ts'
import type { Cancellation } from './cancelling.ts'
import type { Answer, CallFrame, CancelFrame } from './frames.ts'
import { Mailbox } from './mailbox.ts'
import { errorAnswer } from './remote-error.ts'

export type Reply = (answer: Answer) => void

export interface Job {
  readonly frame: CallFrame
  /** Who waits for it, by the token of each attempt. */
  readonly replies: Map<string, Reply>
  readonly cancellation: Cancellation
  /** When its caller stops waiting. */
  readonly deadline: number
  /** It is not a call of somebody else's. */
  readonly alarm?: AlarmEntry
  /** Its method runs. */
  isRunning: boolean
}

const idText = (id: CallId): string => `${id.caller} ${id.n} ${id.path}`

export class Jobs {
  /** Most actors have nothing to do at most times, and a table costs more than all else of theirs here. */
  #jobs: Map<string, Job> | undefined
  readonly #queue = new Mailbox<Job>()

  /** Under way or waiting. */
  get size(): number {
    return this.#jobs?.size ?? 0
  }
  /** Waiting. */
  get queued(): number {
    return this.#queue.size
  }

  /** True when that very call is here, and this attempt hears of it, too (L3). */
  attach(frame: CallFrame, reply: Reply): boolean {
    const job = this.#jobs?.get(idText(frame.id))
    job?.replies.set(frame.token, reply)
    return job !== undefined
  }

  add(job: Job): void {
    this.#jobs ??= new Map()
    this.#jobs.set(idText(job.frame.id), job)
  }
  queue(job: Job): void {
    this.#queue.push(job.frame.id.caller, job)
  }
  next(): Job | undefined {
    return this.#queue.shift()
  }

  cancel({ id, token }: CancelFrame): void {
    const job = this.#jobs?.get(idText(id))
    if (job?.replies.delete(token) !== true || job.replies.size > 0) return // L5
    if (this.#queue.remove(id.caller, job)) this.#drop(job)
    else job.cancellation.cancel()
  }

  /** False when it was answered before. */
  answer(job: Job, answer: Answer): boolean {
    if (!this.#drop(job)) return false
    for (const reply of job.replies.values()) reply(answer)
    return true
  }

  /** Whether it was there. */
  #drop({ frame }: Job): boolean {
    const isHere = this.#jobs?.delete(idText(frame.id)) ?? false
    if (this.#jobs?.size === 0) this.#jobs = undefined
    return isHere
  }

  /** What has not started. */
  takeQueued(): readonly Job[] {
    return this.#queue.takeAll()
  }

  /** All of them are over, with this for who waits; `begun`: for who waits for a method that runs. */
  abandon(answer: Answer, begun: Answer): void {
    for (const { isRunning, replies } of this.#jobs?.values() ?? [])
      for (const reply of replies.values()) reply(isRunning ? begun : answer)
    this.#jobs = undefined
    this.#queue.takeAll()
  }

  /** Another caller's call that gives way to this one, and has not begun (M3). */
  givingWay({ id }: CallFrame): Job | undefined {
    return this.#queue.giveWay(id.caller)
  }
}

/** A send can wait until there is room. */
export function mailboxFull({ id }: CallFrame, type: string, mailboxLimit: number): Answer {
  if (isSend(id)) return { kind: 'retry', why: 'its mailbox is full' }
  return errorAnswer(
    new MailboxFullError(
      `${type} has ${mailboxLimit} calls waiting, its limit: call it less often, or wait for answers`,
    ),
  )
}
