// The worker thread behind a remote seat: started, watched, asked, and ended.

import { inspect } from 'node:util'
import { Worker } from 'node:worker_threads'
import type { Clock } from '../../ports.ts'
import type { Isolation } from '../isolation-options.ts'
import type { AnswerTo, FromWorker, Question, QuestionLine, ToWorker, WorkerStart } from './messages.ts'
import { beatEveryMs, Watchdog } from './watchdog.ts'

/** What a guest begins with, wherever it is. */
export type GuestStart = Omit<WorkerStart, 'beats' | 'beatMs' | 'line' | 'questions' | 'module'>

export interface ThreadInit {
  readonly isolation: Isolation
  readonly start: GuestStart
  readonly hear: (message: FromWorker) => void
  readonly answer: (question: Question) => AnswerTo
  /** It ended, or hangs. May be told more than once. */
  readonly lost: (cause: string) => void
}

export interface Thread {
  post(message: ToWorker, buffers: ArrayBuffer[]): void
  /** At once, whatever it does. */
  end(): void
}

export type StartThread = (init: ThreadInit) => Thread

const BUILT = !import.meta.url.endsWith('.ts')
const MAIN = new URL(`./main.${BUILT ? 'js' : 'ts'}`, import.meta.url)

/**
 * A worker at its limit gets 16 MB more of Node.js until it is stopped. A collection that finds more young objects than that to keep
 * aborts the process instead: with the default size 4 of 24 workers that filled their heaps did, with 16 and less none of 72.
 */
const YOUNG_MB = 8

export const startWorkers =
  (clock: Clock): StartThread =>
  ({ isolation, start, hear, answer, lost }) => {
    const { module, unresponsiveMs, memoryMb } = isolation
    // Not the port that every worker has: what runs there, and libraries that take every worker for one of theirs, post to that.
    const line = new MessageChannel()
    const asked = new MessageChannel()
    const questions = { lock: new Int32Array(new SharedArrayBuffer(4)), answers: asked.port2 }
    const beats = new Int32Array(new SharedArrayBuffer(4))
    const workerData: WorkerStart = {
      ...start,
      module: module!,
      beats,
      beatMs: beatEveryMs(unresponsiveMs),
      line: line.port2,
      questions,
    }
    const worker = new Worker(MAIN, {
      workerData,
      transferList: [line.port2, asked.port2],
      name: start.context.key,
      ...(process.execArgv.some((argument) => PROGRAM.test(argument)) && { execArgv: [] }),
      resourceLimits: {
        maxYoungGenerationSizeMb: YOUNG_MB,
        ...(memoryMb === undefined ? {} : { maxOldGenerationSizeMb: memoryMb }),
      },
    })
    const watchdog = new Watchdog({
      clock,
      beats,
      unresponsiveMs,
      hangs: () =>
        lost(
          `its worker did not answer for ${unresponsiveMs} ms: what runs there never awaits anything, or needs a larger unresponsiveMs`,
        ),
    })
    line.port1.on('message', (message: FromWorker) => {
      if (message.t === 'ask') give({ ...questions, answers: asked.port1 }, answer(message.question))
      else hear(message)
    })
    worker.on('error', (error) => lost(causeOf(error, memoryMb)))
    worker.on('exit', (code) =>
      lost(`its worker ended with exit code ${code}: something there called process.exit`),
    )
    return {
      post: (message, buffers) => line.port1.postMessage(message, buffers),
      end: () => {
        watchdog.stop()
        line.port1.close()
        asked.port1.close()
        void worker.terminate()
      },
    }
  }

/** A program among Node's own arguments: a worker that gets these runs it in place of its own. */
const PROGRAM = /^(-e|-p|-pe|--eval|--print|--input-type)(=|$)/

/** The worker waits in place, and wakes up with the answer there. */
function give({ lock, answers }: QuestionLine, answer: AnswerTo): void {
  answers.postMessage(answer)
  Atomics.store(lock, 0, 1)
  Atomics.notify(lock, 0)
}

function causeOf(error: unknown, memoryMb: number | undefined): string {
  // It may be anything: whatever was thrown there.
  const isError = error instanceof Error
  if (isError && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY')
    return `its worker ran out of memory${memoryMb === undefined ? '' : ` (${memoryMb} MB of heap)`}: give it a larger memoryMb, or keep less`
  const text = isError ? `${error.name}: ${error.message}` : inspect(error)
  return `its worker ended by an error outside of its calls: ${text}`
}
