// How `mesh node` ends: the first signal hands over and leaves, the second stops at once, and a `mesh leave` from
// elsewhere ends it too.

import type { Logger } from 'pino'
import type { MeshNode } from '../node/api.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import type { Io } from './io.ts'
import { count } from './output.ts'

/** Process managers kill after 10 s to 90 s; handing over takes well under a second per hundred actors. */
export const LEAVE_DEADLINE_MS = 8_000

type Stopping = Pick<MeshNode, 'status' | 'members' | 'leave' | 'close' | 'closed'>

/** Resolves with the exit code once the node has stopped. */
export async function untilStopped(
  node: Stopping,
  io: Io,
  log: Logger,
  deadlineMs: number = LEAVE_DEADLINE_MS,
): Promise<ExitCode> {
  let signals = 0
  const end = io.onSignal(() => {
    signals += 1
    if (signals > 1) return io.exit(EXIT.interrupted)
    stop(node, log, deadlineMs).catch((error: unknown) => {
      log.error(`stopping failed: ${error instanceof Error ? error.message : error}`)
      io.exit(EXIT.failed)
    })
    return undefined
  })
  await node.closed
  end()
  log.info('stopped')
  return EXIT.ok
}

async function stop(node: Stopping, log: Logger, deadlineMs: number): Promise<void> {
  const { actorsHere } = node.status()
  const others = node.members().filter((member) => !member.self && member.liveness === 'alive')
  if (others.length === 0) {
    log.info('stopping; everything is kept in the data directory')
    return node.close()
  }
  log.info(
    `leaving: handing ${count(actorsHere, 'actor')} over to ${count(others.length, 'other peer')} (Ctrl-C again stops at once)`,
  )
  const deadline = new AbortController()
  const left = node.leave().then(
    () => true,
    (error: unknown) => {
      log.warn(`handing over failed: ${error instanceof Error ? error.message : error}`)
      return false
    },
  )
  const inTime = await Promise.race([left, wait(deadlineMs, deadline.signal)])
  deadline.abort()
  if (inTime) return
  log.warn('stopping without the hand-over; the others recover the actors from their copies')
  await node.close()
}

const wait = (ms: number, signal: AbortSignal): Promise<false> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms)
    signal.addEventListener('abort', () => clearTimeout(timer))
  })
