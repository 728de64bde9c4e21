// An actor that moves many bytes, for the tests with real processes.

import { createHash } from 'node:crypto'
import { Actor, type ActorOptionsInput } from '../../node/index.ts'

/** So many bytes take a while on a machine that others use too. */
const timeoutMs = 120_000

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Differs in every part, so that a chunk in the wrong place shows. */
function make(bytes: number): Uint8Array {
  const data = new Uint32Array(bytes / 4)
  for (let index = 0; index < data.length; index++) data[index] = Math.imul(index, 2_654_435_761)
  return new Uint8Array(data.buffer)
}

export class Bulk extends Actor {
  static readonly options: ActorOptionsInput = { readOnly: ['seen'] }
  /** Blocks consumed so far by the call that runs. */
  #blocks = 0

  seen(): number {
    return this.#blocks
  }

  peer(): string {
    return this.context.peer
  }

  echo(data: Uint8Array): Uint8Array {
    return data
  }

  make(bytes: number): number {
    return make(bytes).length
  }

  give(bytes: number): Uint8Array {
    return make(bytes)
  }

  /** Sends so many bytes to another one and has them sent back. True when they are the same. */
  async exchange(name: string, bytes: number): Promise<boolean> {
    const data = make(bytes)
    const back = await this.context.actor(Bulk, name).with({ timeoutMs }).echo(data)
    return hashOf(back) === hashOf(data)
  }

  /** The code and `executed` of the error that so many bytes give, and how long that took. */
  async refused(
    name: string,
    bytes: number,
    way: 'argument' | 'result',
  ): Promise<{ readonly code: unknown; readonly executed: unknown; readonly ms: number }> {
    const other = this.context.actor(Bulk, name).with({ timeoutMs })
    const data = way === 'argument' ? make(bytes) : undefined
    const start = performance.now()
    try {
      await (data === undefined ? other.give(bytes) : other.echo(data))
      return { code: 'none', executed: 'yes', ms: performance.now() - start }
    } catch (error) {
      const { code, executed } = error as { readonly code?: unknown; readonly executed?: unknown }
      return { code, executed, ms: performance.now() - start }
    }
  }

  async *blocks(count: number, bytes: number): AsyncGenerator<Uint8Array> {
    for (let n = 0; n < count; n++) yield new Uint8Array(bytes).fill(n)
  }

  /** How many blocks of another one came in order, and how it ended. */
  async consume(
    name: string,
    count: number,
    bytes: number,
  ): Promise<{ readonly blocks: number; readonly end: string }> {
    let blocks = 0
    try {
      const other = this.context.actor(Bulk, name).with({ timeoutMs })
      for await (const block of other.blocks(count, bytes)) {
        if (block.length !== bytes || block[0] !== blocks % 256) return { blocks, end: 'out of order' }
        this.#blocks = ++blocks
      }
      return { blocks, end: 'complete' }
    } catch (error) {
      const { code, items } = error as { readonly code?: string; readonly items?: number }
      return { blocks, end: `${code} ${items}` }
    }
  }
}
