// Actors of 100 MB, and a gauge of their process: how long its event loop stood still, and what memory it takes.

import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Actor } from '../../node/index.ts'

const directory = process.env['GAUGE_DIRECTORY']
const EVERY_MS = 100
const RESOLUTION_MS = 5

// On a busy machine a thread also stands still while others run. What it worked for itself, between two turns, is its own.
if (directory !== undefined) {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delays.enable()
  let spent = process.threadCpuUsage()
  let longest = 0
  setInterval(() => {
    const now = process.threadCpuUsage()
    longest = Math.max(longest, now.user - spent.user + now.system - spent.system)
    spent = now
  }, RESOLUTION_MS)
  setInterval(() => {
    const stallMs = Math.round(Math.max(0, delays.max / 1e6 - RESOLUTION_MS))
    const workMs = Math.round(longest / 1000)
    delays.reset()
    longest = 0
    const line = { at: Date.now(), stallMs, workMs, rssMb: Math.round(process.memoryUsage().rss / 2 ** 20) }
    appendFileSync(join(directory, `${process.pid}`), `${JSON.stringify(line)}\n`)
  }, EVERY_MS)
}

/** Idle for so long it writes a snapshot of everything, and is dropped from memory. */
const options = { idleMs: 4000 } as const

interface Item {
  readonly id: number
  readonly name: string
  readonly tags: readonly string[]
  readonly note: string
  count: number
}

/** 200,000 objects of some 500 bytes in one Map. */
export class Items extends Actor<{ items: Map<string, Item>; touched: number }> {
  static readonly options = options
  override state = { items: new Map<string, Item>(), touched: 0 }
  fill(from: number, to: number): number {
    for (let id = from; id < to; id++) {
      const name = `item ${id}`
      this.state.items.set(`key-${id}`, {
        id,
        name,
        tags: ['a', `b${id}`],
        note: `${name} `.repeat(36),
        count: 0,
      })
    }
    return this.state.items.size
  }
  touch(n: number): number {
    this.state.items.get(`key-${n}`)!.count++
    return ++this.state.touched
  }
  sum(): string {
    return `${this.state.touched} of ${this.state.items.size}`
  }
}

/** 100 typed arrays of 1 MB. */
export class Blobs extends Actor<{ blobs: Uint8Array[]; touched: number }> {
  static readonly options = options
  override state = { blobs: [] as Uint8Array[], touched: 0 }
  fill(from: number, to: number): number {
    for (let n = from; n < to; n++) this.state.blobs.push(new Uint8Array(2 ** 20).fill(n))
    return this.state.blobs.length
  }
  touch(n: number): number {
    this.state.blobs[n % this.state.blobs.length] = new Uint8Array(2 ** 20).fill(n)
    return ++this.state.touched
  }
  sum(): string {
    return `${this.state.touched} of ${this.state.blobs.length}`
  }
}
