// The process of a testnet in the background. Told once over IPC what to start, it says how that went; from then on it listens
// on the socket in its directory until it is asked to end. Its peers are its children: none of them outlives it.

import { RequestError, serve } from '../../node/control/serve.ts'
import { createTestnet, type Testnet } from '../testnet.ts'
import { backgroundRoutes } from './routes.ts'
import { claim, removeTestnet } from './state.ts'
import type { UpAnswer, UpRequest } from './wire.ts'

/** Long enough for an answer that is on its way out. */
const EXIT_AFTER_MS = 200

let net: Testnet | undefined
let ending: Promise<void> | undefined

const tell = (answer: UpAnswer): void => {
  if (process.connected) process.send?.(answer)
}

function started(): Testnet {
  if (net === undefined || ending !== undefined)
    throw new RequestError(
      409,
      'PEER_STATE',
      `this testnet is ${net === undefined ? 'still starting' : 'ending'}`,
    )
  return net
}

const inUse = (dir: string): RequestError =>
  new RequestError(409, 'DATA_DIR_IN_USE', `a testnet is being started in ${dir} by somebody else`)

async function up({ dir, peers, actors }: UpRequest): Promise<void> {
  if (!claim(dir, { pid: process.pid, peers, actors })) throw inUse(dir)
  const end = (): Promise<void> => {
    ending ??= (async () => {
      await Promise.all(ends.map((each) => each()))
      removeTestnet(dir)
      setTimeout(() => process.exit(0), EXIT_AFTER_MS)
    })()
    return ending
  }
  const ends: (() => Promise<void>)[] = []
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void end())
  // Whoever started it gives up before it is up: nobody would know of it.
  process.on('disconnect', () => {
    if (net === undefined) void end()
  })
  try {
    const server = await serve(dir, backgroundRoutes(started, end), () => inUse(dir))
    ends.push(() => server.close())
    net = await createTestnet(peers, {
      dir,
      actors,
      links: true,
      peer: () => ({ control: true }),
      teardown: (each) => void ends.push(each),
    })
  } catch (error) {
    await end()
    throw error
  }
}

process.once('message', (request: UpRequest) => {
  up(request).then(
    () => tell({ kind: 'up' }),
    (error: unknown) => {
      const { code = 'INTERNAL', message } = error as Error & { code?: string }
      tell({ kind: 'failed', code, message })
      setTimeout(() => process.exit(1), EXIT_AFTER_MS)
    },
  )
})
