// The frames of a call in words. An answer names its call by a token; the call said which one it is.

import { decode } from '../../../checkpoint/codec.ts'
import { isBoot, nameOfActor } from '../../../mesh/ids.ts'
import { type Answer, type CallFrame, type Frame, readFrame } from '../../../node/actors/frames.ts'
import type { ServiceFrame } from '../../../node/ports.ts'
import type { Names } from './names.ts'

export interface WordedFrame {
  readonly kind: 'call' | 'answer'
  readonly text: string
}

export class CallWording {
  readonly #names: Names
  readonly #tokens = new Map<string, string>()

  constructor(names: Names) {
    this.#names = names
  }

  /** Undefined for what is not a call or its answer. */
  of(sent: ServiceFrame): WordedFrame | undefined {
    const frame: Frame | undefined = readFrame(sent.body)
    if (frame?.t === 'call') return { kind: 'call', text: this.#call(frame) }
    if (frame?.t !== 'answer') return undefined
    return { kind: 'answer', text: `${this.#tokens.get(frame.token) ?? 'a call'}: ${answer(frame.answer)}` }
  }

  #call({ id, token, actor, method, args, epoch }: CallFrame): string {
    const caller = isBoot(id.caller) ? this.#names.boot(id.caller) : id.caller
    const call = `call ${id.n} of ${caller}`
    this.#tokens.set(token, call)
    const values = (decode(args) as unknown[]).map((value) => JSON.stringify(value)).join(', ')
    return `${call}: ${nameOfActor(actor)}.${method}(${values}), epoch ${epoch}`
  }
}

function answer(given: Answer): string {
  switch (given.kind) {
    case 'result':
      return `result ${JSON.stringify(decode(given.result))}`
    case 'error':
      return given.error.message
    case 'items':
      return `items from ${given.first}: ${JSON.stringify(given.items.map((item) => decode(item)))}`
    case 'end':
      return `end after ${given.count} items${given.error === undefined ? '' : `: ${given.error.message}`}`
    case 'moved':
      return `not here, epoch ${given.epoch}`
    case 'retry':
    case 'lost':
    case 'waiting':
    case 'expired':
      return `${given.kind}: ${given.why}`
  }
}
