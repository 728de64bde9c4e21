// Ray's other pattern: a controller that fetches its workers' states before each task, and when a worker fails makes new
// workers, loads the states into them and tries again. Kept here in the same shape, next to what is left of it.
//
//   node examples/worker-controller.ts

import { setTimeout as sleep } from 'node:timers/promises'
// In an app: from 'actor-mesh'
import {
  Actor,
  ActorDiedError,
  type ActorOptionsInput,
  type ActorRef,
  ActorUnavailableError,
  type MeshNode,
} from '../node/index.ts'
import { isProgram, type LocalMesh, print, startLocalMesh } from './local-mesh.ts'

interface WorkerState {
  tasks: number
  total: number
}
type Task = readonly number[]

/** Long enough for something to happen in the middle of a task. */
const STEP_MS = 30

/** Adds up its part of each task, slowly. */
export class Worker extends Actor<WorkerState> {
  override state = { tasks: 0, total: 0 }

  async performTask(part: Task): Promise<number> {
    let sum = 0
    for (const value of part) {
      await sleep(STEP_MS)
      sum += value
    }
    this.state.tasks += 1
    this.state.total += sum
    return this.state.total
  }

  getState(): WorkerState {
    return this.state
  }

  loadState(state: WorkerState): void {
    this.state = state
  }
}

/** As in Ray by default: it dies with its host. */
export class MortalWorker extends Worker {
  static readonly options: ActorOptionsInput = { maxRestarts: 0, maxTaskRetries: 0 }
}

/** The origin's controller, method by method. */
export class Controller {
  readonly #node: MeshNode
  #generation = 0
  #workers: readonly ActorRef<MortalWorker>[] = []

  constructor(node: MeshNode) {
    this.#node = node
  }

  createWorkers(count: number): void {
    this.#generation += 1
    this.#workers = Array.from({ length: count }, (_, i) =>
      this.#node.actor(MortalWorker, `generation-${this.#generation}-${i}`),
    )
  }

  async performTaskWithFaultTolerance(
    maxRetries: number,
    parts: readonly Task[],
  ): Promise<readonly number[] | undefined> {
    for (let attempt = 0; attempt < maxRetries; attempt += 1) {
      const states = await Promise.all(this.#workers.map((worker) => worker.getState()))
      const result = await this.#performTaskOnAllWorkers(parts)
      if (result !== undefined) return result
      print('a worker died: new workers, with the states from before the task')
      this.createWorkers(this.#workers.length)
      await Promise.all(this.#workers.map((worker, i) => worker.loadState(states[i]!)))
    }
    return undefined
  }

  /** Undefined when a worker was lost; other errors are the task's own. */
  async #performTaskOnAllWorkers(parts: readonly Task[]): Promise<readonly number[] | undefined> {
    const outcomes = await Promise.allSettled(
      this.#workers.map((worker, i) => worker.performTask(parts[i] ?? [])),
    )
    const failures = outcomes
      .filter((outcome) => outcome.status === 'rejected')
      .map(({ reason }) => reason as unknown)
    const own = failures.find(
      (error) => !(error instanceof ActorDiedError || error instanceof ActorUnavailableError),
    )
    if (own !== undefined) throw own
    if (failures.length > 0) return undefined
    return outcomes.map((outcome) => (outcome as PromiseFulfilledResult<number>).value)
  }
}

/** What is left when workers outlive their hosts: no getState, no loadState, no retry loop, no new workers. */
export function performTask(workers: readonly ActorRef<Worker>[], parts: readonly Task[]): Promise<number[]> {
  return Promise.all(workers.map((worker, i) => worker.performTask(parts[i] ?? [])))
}

const PARTS: readonly Task[] = [
  [1, 2, 3, 4, 5],
  [10, 20, 30, 40, 50],
  [100, 200, 300, 400, 500],
  [1000, 2000, 3000, 4000, 5000],
]

/** Runs `work` and crashes the host of that actor in the middle of it. */
async function withCrash<Result>(
  mesh: LocalMesh,
  type: string,
  name: string,
  work: Promise<Result>,
): Promise<Result> {
  const crash = async (): Promise<void> => {
    await sleep(2 * STEP_MS)
    const host = mesh.hostOf(type, name)
    print(`${host.name}, which hosts ${type}/${name}, crashes in the middle of the task`)
    await host.close()
  }
  const [result] = await Promise.all([work, crash()])
  return result
}

export async function main(): Promise<{
  readonly origin: readonly number[]
  readonly here: readonly number[]
}> {
  const mesh = await startLocalMesh(5, [Worker, MortalWorker])
  try {
    // The controller's own peer hosts workers as well; crash one that hosts a worker but not the controller.
    const controlling = mesh.nodes[0]!
    const away = (type: string, names: readonly string[]): string =>
      names.find((name) => mesh.hostOf(type, name) !== controlling) ?? names[0]!

    const controller = new Controller(controlling)
    controller.createWorkers(PARTS.length)
    await controller.performTaskWithFaultTolerance(3, PARTS)
    const mortal = away(
      'MortalWorker',
      PARTS.map((_, i) => `generation-1-${i}`),
    )
    const origin = await withCrash(
      mesh,
      'MortalWorker',
      mortal,
      controller.performTaskWithFaultTolerance(3, PARTS),
    )
    print(`as in the origin: ${origin?.join(' ')}`)

    const names = PARTS.map((_, i) => `worker-${i}`)
    const workers = names.map((name) => controlling.actor(Worker, name))
    await performTask(workers, PARTS)
    await mesh.copied() // the first crash took copies with it; a second one too soon could take the majority
    const here = await withCrash(mesh, 'Worker', away('Worker', names), performTask(workers, PARTS))
    print(`without any of it: ${here.join(' ')}`)
    return { origin: origin ?? [], here }
  } finally {
    await mesh.end()
  }
}

if (isProgram(import.meta.url)) await main()
