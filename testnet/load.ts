// A steady load of calls from within one peer. Open loop: what is due is issued, at most one call per actor at a time
// from here, so that an actor that is away holds up only its own calls.

import type { MeshNode } from '../node/api.ts'
import { errorToWire } from '../node/control/wire.ts'
import type { Ack, LoadPlan, LoadReport } from './ipc.ts'

const TICK_MS = 10
/** Acknowledgements reach the testnet this often; those still here when the process is killed count as unacknowledged. */
const REPORT_MS = 25

export class Load {
  readonly #node: Pick<MeshNode, 'call'>
  readonly #plan: LoadPlan
  readonly #report: (report: LoadReport) => void
  readonly #startedAt = performance.now()
  readonly #busy = new Set<string>()
  readonly #inFlight = new Set<Promise<void>>()
  readonly #timers: readonly NodeJS.Timeout[]
  #acks: Ack[] = []
  #failures: { name: string; token: string; code: string }[] = []
  #due = 0
  #issued = 0
  #next: number

  constructor(node: Pick<MeshNode, 'call'>, plan: LoadPlan, report: (report: LoadReport) => void) {
    this.#node = node
    this.#plan = plan
    this.#report = report
    // Peers start at different actors, so that they do not call the same one at the same moment.
    this.#next = Math.floor(Math.random() * plan.names.length)
    this.#timers = [setInterval(() => this.#tick(), TICK_MS), setInterval(() => this.#flush(), REPORT_MS)]
  }

  /** Issues nothing more; resolves when every call in flight is settled and reported. */
  async stop(): Promise<void> {
    clearInterval(this.#timers[0])
    await Promise.all(this.#inFlight)
    clearInterval(this.#timers[1])
    this.#flush()
  }

  #tick(): void {
    const due = Math.floor(((performance.now() - this.#startedAt) / 1000) * this.#plan.perSecond)
    for (; this.#due < due; this.#due += 1) {
      const name = this.#nextFree()
      if (name === undefined) continue // everything waits: skipped, not queued up for later
      const call = this.#call(name).finally(() => this.#inFlight.delete(call))
      this.#inFlight.add(call)
    }
  }

  #nextFree(): string | undefined {
    const { names } = this.#plan
    for (let tried = 0; tried < names.length; tried += 1) {
      const name = names[this.#next++ % names.length]
      if (name !== undefined && !this.#busy.has(name)) return name
    }
    return undefined
  }

  async #call(name: string): Promise<void> {
    const { type, method, prefix, timeoutMs } = this.#plan
    const token = `${prefix}-${this.#issued++}`
    const sentAt = Date.now()
    this.#busy.add(name)
    try {
      const result = await this.#node.call(type, name, method, [token], { timeoutMs })
      const by = (result as { by?: unknown } | null)?.by
      this.#acks.push({ name, token, sentAt, at: Date.now(), by: String(by) })
    } catch (error) {
      this.#failures.push({ name, token, code: errorToWire(error).code })
    } finally {
      this.#busy.delete(name)
    }
  }

  #flush(): void {
    this.#report({ acks: this.#acks, failures: this.#failures, inFlight: this.#inFlight.size })
    this.#acks = []
    this.#failures = []
  }
}
