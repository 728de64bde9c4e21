// The main program of a worker thread: one object of one actor class, at a local seat, with everything that it asks of the
// world passed on to the thread that started it.

import { receiveMessageOnPort, workerData } from 'node:worker_threads'
import { importActors } from '../../actors-module.ts'
import { realClock } from '../../real-world.ts'
import { UnfitState } from '../migration.ts'
import { textOf, toFrame } from '../remote-error.ts'
import type { ActorClass } from '../types.ts'
import { Guest } from './guest.ts'
import {
  type AnswerTo,
  type FromWorker,
  moved,
  own,
  type Question,
  type ToWorker,
  type WorkerStart,
} from './messages.ts'

const start: WorkerStart = workerData
const port = start.line

// Before anything of the user's: what hangs while it is loaded is noticed as well.
const beat = (): void => void Atomics.add(start.beats, 0, 1)
beat()
setInterval(beat, start.beatMs)

/** The event loop stands still meanwhile; the other thread answers at once. */
function ask(question: Question): AnswerTo {
  const { lock, answers } = start.questions
  Atomics.store(lock, 0, 0)
  const message: FromWorker = { t: 'ask', question }
  port.postMessage(message)
  Atomics.wait(lock, 0, 0)
  return receiveMessageOnPort(answers)!.message
}

const entry = new URL(`./entry.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url).href

/** A module that this peer has wrong, or not at all, is no fault of the actor: it waits for a better one. */
async function load(module: string): Promise<readonly ActorClass[]> {
  try {
    return await importActors(module, entry)
  } catch (error) {
    throw new UnfitState(`${module} can't be loaded in a worker: ${textOf(error)}`)
  }
}

try {
  const classes = await load(start.module)
  const post = (message: FromWorker, buffers: ArrayBuffer[]): void => port.postMessage(message, buffers)
  const guest = new Guest({ start, module: start.module, classes, post, ask, clock: realClock })
  port.on('message', (message: ToWorker) => guest.hear(message))
  const initial = own(guest.initial)
  const ready: FromWorker = { t: 'ready', initial }
  port.postMessage(ready, moved(initial))
} catch (error) {
  const broken: FromWorker = { t: 'broken', error: toFrame(error) }
  port.postMessage(broken)
}
