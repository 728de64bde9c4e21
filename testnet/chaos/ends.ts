// Reads the end state of every actor when everything is healed and the clients have ended; of workloads whose effects go on
// after their calls, until everything has arrived.

import type { Testnet } from '../testnet.ts'
import type { History } from './history.ts'
import { endsOf, hasRested } from './judge.ts'
import { machineNow, type Operation, type Outcome, type Workload } from './workload.ts'

const ANSWER_MS = 30_000
const REST_MS = 30_000
const READS_AT_ONCE = 8
const AGAIN_AFTER_MS = 500

/** Resolves with what did not answer or did not come to rest, in words. */
export async function readEnds(
  net: Testnet,
  workloads: readonly Workload[],
  history: History,
): Promise<readonly string[]> {
  const reader = new EndReader(net, history)
  await Promise.all(workloads.map((workload) => reader.read(workload)))
  return [...reader.stuck]
}

class EndReader {
  /** Said once, however often it is read. */
  readonly stuck = new Set<string>()
  readonly #net: Testnet
  readonly #history: History
  #reads = 0

  constructor(net: Testnet, history: History) {
    this.#net = net
    this.#history = history
  }

  async read(workload: Workload): Promise<void> {
    const deadline = machineNow() + REST_MS
    for (;;) {
      const ids = await this.#readAll(endsOf(workload))
      const ends = this.#history.operations.filter(({ id }) => ids.has(id))
      if (hasRested(workload, ends)) return
      if (machineNow() > deadline) {
        this.stuck.add(`what ${workload.name} still had to do did not arrive within ${REST_MS / 1000} s`)
        return
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER_MS))
    }
  }

  async #readAll(operations: readonly Operation[]): Promise<ReadonlySet<string>> {
    const ids = new Set<string>()
    const left = operations.values()
    const lane = async (): Promise<void> => {
      for (const operation of left) ids.add(await this.#readOne(operation))
    }
    await Promise.all(Array.from({ length: READS_AT_ONCE }, lane))
    return ids
  }

  async #readOne(operation: Operation): Promise<string> {
    const { type, name, method, args } = operation
    const n = this.#reads++
    const peer = n % this.#net.peers.length
    const id = `final-${n}`
    this.#history.take(peer, { kind: 'begun', id, start: machineNow(), operation })
    let ended: { outcome: Outcome; result?: unknown; code?: string }
    try {
      const result = await this.#net.call(peer, type, name, method, args, ANSWER_MS)
      ended = { outcome: 'ok', result }
    } catch (error) {
      const { code = 'UNKNOWN', message } = error as { code?: string; message: string }
      this.stuck.add(`${type}/${name} does not answer peer ${peer}: ${message}`)
      ended = { outcome: 'unknown', code }
    }
    this.#history.take(peer, { kind: 'ended', id, end: machineNow(), ...ended })
    return id
  }
}
