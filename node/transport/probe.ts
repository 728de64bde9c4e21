// The fast path of failure detection: a bare connect to where a peer listened. On a machine that is up, a port nobody
// listens on answers with a reset at once, which is proof that the process is gone; silence is no proof of anything.

import { connect } from 'node:net'
import type { TcpTarget } from './addresses.ts'
import { PROBE_TIMEOUT_MS } from './limits.ts'

/** `refused`: every address refuses. `accepted`: something listens. `unknown`: neither is certain. */
export type ProbeResult = 'refused' | 'accepted' | 'unknown'

const probeOne = (target: TcpTarget, timeoutMs: number): Promise<ProbeResult> =>
  new Promise((resolve) => {
    const socket = connect({ host: target.host, port: target.port })
    const finish = (result: ProbeResult): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(result)
    }
    const timer = setTimeout(finish, timeoutMs, 'unknown' as const)
    socket.once('connect', () => finish('accepted'))
    socket.on('error', (error: NodeJS.ErrnoException) =>
      finish(error.code === 'ECONNREFUSED' ? 'refused' : 'unknown'),
    )
  })

export const probe = async (
  targets: readonly TcpTarget[],
  timeoutMs: number = PROBE_TIMEOUT_MS,
): Promise<ProbeResult> => {
  if (targets.length === 0) return 'unknown'
  const results = await Promise.all(targets.map((target) => probeOne(target, timeoutMs)))
  if (results.includes('accepted')) return 'accepted'
  return results.every((result) => result === 'refused') ? 'refused' : 'unknown'
}
