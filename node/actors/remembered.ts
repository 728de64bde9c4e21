// What an actor's callers were, or will be, answered: calls that its state contains (G3), and calls that changed nothing (L4).

import type { ActorLog } from '../../checkpoint/actor-log.ts'
import { type CallId, CallTable } from '../../checkpoint/call-table.ts'
import { decode, encode } from '../../checkpoint/codec.ts'
import type { CallerId } from '../../mesh/ids.ts'
import type { Receipt } from '../api.ts'
import { CallExpiredError } from '../errors.ts'
import type { Answer, CallFrame } from './frames.ts'
import type { Reply } from './jobs.ts'
import { wantsProof } from './proofs.ts'
import { errorAnswer } from './remote-error.ts'

/** Callers of whom something is kept in the log's `told` before the dead among them are looked for. */
const MIN_CALLERS_TO_SWEEP = 64

export interface Prover {
  /** Resolves when the record is as durable as the call wants it; see proofs.ts. */
  prove(record: number, frame: CallFrame): Promise<Receipt | undefined>
}

export class Remembered {
  readonly #log: ActorLog
  readonly #isGone: (caller: CallerId) => boolean
  #sweepAt = MIN_CALLERS_TO_SWEEP

  constructor(log: ActorLog, isGone: (caller: CallerId) => boolean) {
    this.#log = log
    this.#isGone = isGone
  }

  /** What its caller has the answers of is dropped. */
  raise({ id, floors }: CallFrame): void {
    this.#log.calls.raise(id.caller, floors)
    this.#log.told?.raiseKnown(id.caller, floors)
  }

  isExpired(id: CallId): boolean {
    return this.#log.calls.lookup(id).kind === 'expired'
  }

  /** False when the call is a new one. `relaxed`: it was answered before it was durable, and is again. */
  answer(frame: CallFrame, reply: Reply, relaxed: boolean, prover: Prover): boolean {
    const told = this.#log.told?.lookup(frame.id)
    if (told?.kind === 'settled') {
      const answer = decode(told.result) as Answer // L4
      const isPlain = answer.kind !== 'result' && answer.kind !== 'error'
      if (isPlain || !wantsProof(frame, answer.kind)) reply(answer)
      else replyProven(frame, reply, answer, told.sequence, prover)
      return true
    }
    const known = this.#log.calls.lookup(frame.id)
    if (known.kind === 'new') return false
    if (known.kind === 'expired') {
      const message = `call ${frame.id.n} to ${frame.actor} was answered or given up before, and its result is gone: make a new call`
      reply(errorAnswer(new CallExpiredError(message, { executed: 'unknown' })))
      return true
    }
    const result = { kind: 'result', result: known.result } as const
    if (wantsProof(frame, 'result')) replyProven(frame, reply, result, known.sequence, prover)
    else if (relaxed) reply(result)
    else
      this.#log.whenDurable(known.sequence).then(
        () => reply(result),
        () => {},
      )
    return true
  }

  /** L4 */
  tell({ id, floors }: CallFrame, base: number, answer: Answer): void {
    this.#log.told ??= new CallTable()
    const { told } = this.#log
    told.settle({ ...id, floors, result: encode(answer) }, base)
    if (told.callers < this.#sweepAt) return
    told.forget(this.#isGone)
    this.#sweepAt = Math.max(MIN_CALLERS_TO_SWEEP, 2 * told.callers)
  }
}

function replyProven(
  frame: CallFrame,
  reply: Reply,
  answer: Answer & { readonly kind: 'result' | 'error' },
  record: number,
  prover: Prover,
): void {
  prover.prove(record, frame).then(
    (receipt) => reply(answer.kind === 'result' && receipt ? { ...answer, receipt } : answer),
    () => {}, // over here
  )
}
