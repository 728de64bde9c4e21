// Losing a host: it has so many actors with a state, is called for a while, and is killed or frozen; then each of them is
// called at once.

import type { Measured } from '../harness/statistics.ts'
import { type Mesh, named, seat } from './mesh.ts'

const BYTES = 64
const IN_FLIGHT = 64

export interface Loss {
  /** Another one each time: names of actors, and whose turn it is. */
  readonly turn: number
  readonly actors: number
  readonly signal: 'SIGKILL' | 'SIGSTOP'
  /** Lose the host that is the head, or one that is not (default). */
  readonly head?: boolean
  /** Its actors are called for so long before: nobody loses a peer that has just been started. */
  readonly busyMs: number
}

/** Puts so many actors with a state on host `victim`, each with three keepers. */
export async function populate(mesh: Mesh, names: readonly string[], victim: number): Promise<void> {
  await mesh.client.run('create', { type: 'Cell', names, inFlight: 256, near: seat(victim) })
  await mesh.client.run('once', { type: 'Cell', method: 'set', names, inFlight: 256, bytes: BYTES })
  await mesh.client.run('kept', { type: 'Cell', keepers: 3 })
}

/** Index of the host that is the head, or of another one. */
export async function victimOf(mesh: Mesh, turn: number, wantsHead: boolean): Promise<number> {
  const head = await mesh.client.run('head')
  const fits = mesh.hosts.map((_, n) => n).filter((n) => (`host-${n}` === head) === wantsHead)
  const victim = fits[turn % fits.length]
  if (victim === undefined) throw new Error(`the head is ${head}, which is none of the hosts`)
  return victim
}

/** The times are from the loss to the acknowledgement of each actor's next call. The host is started again afterwards. */
export async function loseHost(
  mesh: Mesh,
  { turn, actors, signal, head = false, busyMs }: Loss,
): Promise<Measured> {
  const victim = await victimOf(mesh, turn, head)
  const names = named(`lost-${turn}`, actors)
  await populate(mesh, names, victim)
  const target = { type: 'Cell', method: 'set', names, bytes: BYTES }
  await mesh.client.run('calls', { ...target, inFlight: IN_FLIGHT, forMs: busyMs })
  const since = Date.now()
  mesh.hosts[victim]!.signal(signal)
  const result = await mesh.client.run('served', { ...target, since })
  await mesh.hosts[victim]!.kill()
  await mesh.restart(victim)
  await mesh.client.run('remove', { type: 'Cell', names })
  return result
}
