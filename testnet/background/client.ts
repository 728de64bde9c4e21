// Starts a testnet in the background, and asks it for things.

import { fork } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ControlSocket } from '../../node/control/socket.ts'
import { ControlError } from '../../node/control/wire.ts'
import { readTestnet, removeTestnet, strangersIn, supervisorLog } from './state.ts'
import type { BackgroundMethods, BackgroundRoute, BackgroundStatus, UpAnswer, UpRequest } from './wire.ts'

/** A peer that does not answer the supervisor is waited for 3 s. */
const ANSWER_MS = 15_000
/** Starting includes joining. */
const START_MS = 70_000
const DOWN_MS = 30_000

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
const PROGRAM = fileURLToPath(new URL(`./supervisor.${extension}`, import.meta.url))

export interface UpOptions extends UpRequest {
  /** Given the function that gives the start up. */
  readonly teardown?: (end: () => Promise<void>) => void
}

/**
 * Resolves when its peers are up and see each other; it goes on when this process ends.
 * Rejects with DATA_DIR_IN_USE when there is one, or anything else, in the directory; else with what went wrong.
 */
export async function upInBackground({ teardown, ...request }: UpOptions): Promise<BackgroundStatus> {
  await refuseTaken(request.dir)
  mkdirSync(request.dir, { recursive: true, mode: 0o700 })
  const log = openSync(supervisorLog(request.dir), 'a', 0o600)
  // Detached: a Ctrl-C in the terminal that it was started from is not for it.
  const child = fork(PROGRAM, [], {
    execArgv: [],
    detached: true,
    env: { TESTNET_LOG_LEVEL: 'debug', ...process.env },
    stdio: ['ignore', log, log, 'ipc'],
  })
  closeSync(log)
  const gone = new Promise<UpAnswer>((resolve) => {
    child.once('exit', (code, signal) => {
      const message = `the testnet ended while it was starting (${signal ?? `exit code ${code}`})`
      resolve({ kind: 'failed', code: 'INTERNAL', message })
    })
  })
  teardown?.(async () => {
    child.kill('SIGTERM')
    await gone
  })
  const answered = new Promise<UpAnswer>((resolve) => child.once('message', resolve))
  child.send(request)
  const answer = await Promise.race([answered, gone])
  if (answer.kind === 'failed') {
    await gone
    throw new ControlError(answer)
  }
  child.disconnect()
  child.unref()
  return new BackgroundTestnet(request.dir).status()
}

/** D1 in state.ts. */
async function refuseTaken(dir: string): Promise<void> {
  const refuse = (message: string): never => {
    throw new ControlError({ code: 'DATA_DIR_IN_USE', message })
  }
  if (readTestnet(dir) !== undefined) {
    if (await new BackgroundTestnet(dir).isUp())
      refuse(
        `a testnet is up in ${dir} already: see it with "mesh testnet ls", end it with "mesh testnet down"`,
      )
    refuse(
      `${dir} has what is left of a testnet that was killed: remove it with "mesh testnet down --dir ${dir}"`,
    )
  }
  const strangers = strangersIn(dir)
  if (strangers.length > 0)
    refuse(
      `${dir} is not empty (${strangers.slice(0, 3).join(', ')}): a testnet needs a directory of its own`,
    )
}

export class BackgroundTestnet {
  readonly #dir: string
  readonly #socket: ControlSocket

  constructor(dir: string) {
    this.#dir = dir
    this.#socket = new ControlSocket(dir, {
      what: `the testnet in ${dir}`,
      notRunning: `no testnet is up in ${dir}: start one with "mesh testnet up", or name another with --dir`,
    })
  }

  status = (): Promise<BackgroundStatus> => this.#send('GET /v1/testnet')

  /** Somebody answers, if only that it is still starting. */
  async isUp(): Promise<boolean> {
    return this.status().then(
      () => true,
      (error: unknown) => !(error instanceof ControlError && error.code === 'NOT_RUNNING'),
    )
  }

  async kill(peer: number): Promise<void> {
    await this.#send('POST /v1/kill', { peer })
  }
  async freeze(peer: number): Promise<void> {
    await this.#send('POST /v1/freeze', { peer })
  }
  async thaw(peer: number): Promise<void> {
    await this.#send('POST /v1/thaw', { peer })
  }
  async start(peer: number, wipe: boolean): Promise<void> {
    await this.#send('POST /v1/start', { peer, wipe }, START_MS)
  }
  async cut(from: number, to: number, oneWay: boolean): Promise<void> {
    await this.#send('POST /v1/cut', { from, to, oneWay })
  }
  async heal(): Promise<void> {
    await this.#send('POST /v1/heal')
  }

  /** Of one that was killed, removes what is left. Resolves with which of the two it was. */
  async down(): Promise<'ended' | 'removed'> {
    try {
      await this.#send('POST /v1/down', undefined, DOWN_MS)
      return 'ended'
    } catch (error) {
      const isDead = error instanceof ControlError && error.code === 'NOT_RUNNING'
      if (!isDead || !existsSync(this.#dir) || readTestnet(this.#dir) === undefined) throw error
      removeTestnet(this.#dir)
      return 'removed'
    }
  }

  #send<R extends BackgroundRoute>(
    route: R,
    body?: BackgroundMethods[R]['request'],
    waitMs: number = ANSWER_MS,
  ): Promise<BackgroundMethods[R]['response']> {
    return this.#socket.send(route, body, waitMs) as Promise<BackgroundMethods[R]['response']>
  }
}
