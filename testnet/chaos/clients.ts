// Clients inside a peer's process. Each begins operations at its pace and tells when each began and how it ended. The beginning
// has left this process before the call is made, so that no effect can be seen of an operation that nobody knows of, should
// the process be killed in between.

import type { MeshNode } from '../../node/api.ts'
import { MeshError } from '../../node/errors.ts'
import { seededRandom } from '../sim/random.ts'
import { nextOf, WorkloadError } from './judge.ts'
import { loadWorkloads } from './load-workloads.ts'
import {
  type DrivePlan,
  machineNow,
  type Operation,
  type OperationEvent,
  type Outcome,
  type Workload,
} from './workload.ts'

/** Resolves when the process may be killed and it is known all the same. */
export type TellOperation = (event: OperationEvent) => Promise<void>

export class Clients {
  readonly #node: Pick<MeshNode, 'call'>
  readonly #plan: DrivePlan
  readonly #workloads: readonly Workload[]
  readonly #tell: TellOperation
  readonly #running: readonly Promise<void>[]
  #stopped = false

  static async start(node: Pick<MeshNode, 'call'>, plan: DrivePlan, tell: TellOperation): Promise<Clients> {
    return new Clients(node, plan, await loadWorkloads(plan.workloads, plan.names), tell)
  }

  private constructor(
    node: Pick<MeshNode, 'call'>,
    plan: DrivePlan,
    workloads: readonly Workload[],
    tell: TellOperation,
  ) {
    this.#node = node
    this.#plan = plan
    this.#workloads = workloads
    this.#tell = tell
    this.#running = Array.from({ length: plan.clients }, (_, index) => this.#run(index))
  }

  /** Resolves when every operation under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#running)
  }

  async #run(index: number): Promise<void> {
    const { prefix, seed, paceMs } = this.#plan
    const random = seededRandom(seed + index)
    const client: Client = { results: new Map(), waiting: new Map() }
    for (let n = 0; !this.#stopped; n++) {
      await new Promise((resolve) => setTimeout(resolve, paceMs * 2 * random()))
      if (this.#stopped) break
      const workload = this.#workloads[Math.floor(random() * this.#workloads.length)]!
      try {
        this.#begin(client, workload, `${prefix}.${index}-${n}`, random)
      } catch (error) {
        if (!(error instanceof WorkloadError)) throw error
        void this.#tell({ kind: 'broken', text: error.message })
        break
      }
    }
    await Promise.all(client.waiting.values())
  }

  /** An actor that does not answer holds up the client's own calls to it, and no others. */
  #begin(client: Client, workload: Workload, id: string, random: () => number): void {
    const seen = (type: string, name: string): unknown => client.results.get(`${type}/${name}`)
    const operation = nextOf(workload, { id, random, seen })
    const actor = `${operation.type}/${operation.name}`
    if (client.waiting.has(actor)) return
    const done = this.#operate(client, id, operation).finally(() => client.waiting.delete(actor))
    client.waiting.set(actor, done)
  }

  async #operate({ results }: Client, id: string, operation: Operation): Promise<void> {
    const { type, name, method, args } = operation
    await this.#tell({ kind: 'begun', id, start: machineNow(), operation })
    try {
      const result = await this.#node.call(type, name, method, args, { timeoutMs: this.#plan.timeoutMs })
      results.set(`${type}/${name}`, result)
      void this.#tell({ kind: 'ended', id, end: machineNow(), outcome: 'ok', result })
    } catch (error) {
      void this.#tell({ kind: 'ended', id, end: machineNow(), ...failure(error) })
    }
  }
}

/** One client: the last result that it had from each actor, and its calls without an answer, one per actor at most. */
interface Client {
  readonly results: Map<string, unknown>
  readonly waiting: Map<string, Promise<void>>
}

function failure(error: unknown): { readonly outcome: Outcome; readonly code: string } {
  if (!(error instanceof MeshError)) throw error
  return { outcome: error.executed === 'no' ? 'refused' : 'unknown', code: error.code }
}
