// Jobs of a process that is one peer of a mesh, and a caller of its actors.

import { importActors } from '../../node/actors-module.ts'
import type { MeshNode, NodeOptions } from '../../node/api.ts'
import { createNode } from '../../node/index.ts'
import { drive, each, type Plan, payload } from '../harness/drive.ts'
import { type Measured, measured } from '../harness/statistics.ts'

const ACTORS = new URL('./actors.ts', import.meta.url).href
const POLL_MS = 10

/** Which actors are called, and how. */
export interface Target {
  readonly type: string
  readonly method: string
  readonly names: readonly string[]
}

let node: MeshNode | undefined
const running = (): MeshNode => {
  if (node === undefined) throw new Error('this peer was not started')
  return node
}
const until = async (what: string, holds: () => boolean, forMs = 60_000): Promise<void> => {
  const deadline = performance.now() + forMs
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`not within ${forMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

/** Resolves with the peer's ID. */
export async function start(options: Omit<NodeOptions, 'actors' | 'logger'>): Promise<string> {
  node = await createNode({ ...options, actors: await importActors(ACTORS) })
  return node.peerId
}

export const invite = (): Promise<string> => running().invite()

/** Waits until so many peers are here, this one is admitted, and enough of them keep the registry. */
export const settled = ({
  peers,
  keepers,
}: {
  readonly peers: number
  readonly keepers: number
}): Promise<void> =>
  until(`${peers} peers, ${keepers} of them with the registry`, () => {
    const { admitted, members, registryKeepers, head } = running().status()
    const alive = running()
      .members()
      .filter(({ liveness }) => liveness === 'alive')
    return (
      admitted && head !== null && members === peers && alive.length === peers && registryKeepers >= keepers
    )
  })

/** Creates actors; the times are those of single creations. */
export function create(wanted: {
  readonly type: string
  readonly names: readonly string[]
  readonly inFlight: number
  /** A label that their home has if possible. */
  readonly near?: Readonly<Record<string, string>>
}): Promise<Measured> {
  const { type, names, inFlight, near } = wanted
  const options = near === undefined ? undefined : { options: { preferLabels: near } }
  return each(names.length, inFlight, (n) => running().createActor(type, names[n]!, options))
}

/** Deletes actors, so that they are not part of what is measured next. */
export async function remove({ type, names }: Pick<Target, 'type' | 'names'>): Promise<void> {
  await each(names.length, 256, (n) => running().deleteActor(type, names[n]!))
}

/** The name of the head as this peer sees it. */
export const head = (): string => running().status().head?.name ?? ''

/** Calls the target's actors in turn, again and again. */
export function calls({ type, method, names, ...plan }: Target & Plan): Promise<Measured> {
  const data = payload(plan.bytes)
  return drive((n) => running().call(type, names[n % names.length]!, method, [data]), plan)
}

/** Calls each actor once; the times are those of single calls. */
export function once(
  target: Target & { readonly inFlight: number; readonly bytes: number },
): Promise<Measured> {
  const { type, method, names, inFlight } = target
  const data = payload(target.bytes)
  return each(names.length, inFlight, (n) => running().call(type, names[n]!, method, [data]))
}

/** Calls each actor once, all at the same time; the times are since `since`, in milliseconds of wall time. */
export async function served(
  target: Target & { readonly bytes: number; readonly since: number },
): Promise<Measured> {
  const { type, method, names, bytes, since } = target
  const data = payload(bytes)
  const times = await Promise.all(
    names.map(async (name) => {
      await running().call(type, name, method, [data], { timeoutMs: 120_000 })
      return Date.now() - since
    }),
  )
  return measured(times, Date.now() - since)
}

/** Waits until every actor of a type has so many keepers among the live peers; resolves with the wall time. */
export async function kept({
  type,
  keepers,
}: {
  readonly type: string
  readonly keepers: number
}): Promise<number> {
  await until(
    `${keepers} live keepers of every ${type}`,
    () => {
      const alive = new Set(
        running()
          .members()
          .filter(({ liveness }) => liveness === 'alive')
          .map(({ name }) => name),
      )
      return running()
        .actors()
        .filter((actor) => actor.type === type)
        .every((actor) => actor.keepers.filter(({ name }) => alive.has(name)).length >= keepers)
    },
    120_000,
  )
  return Date.now()
}

/** Waits until so many actors have left memory here since it was first asked. */
export async function passivated(count: number): Promise<void> {
  await until(`${count} actors passivated`, () => rested >= count, 120_000)
  rested = 0
}
let rested = 0
export function watchPassivations(): void {
  running().on('actor:passivated', () => {
    rested += 1
  })
}

/** Waits until a peer is not taken for alive any more. */
export const noticed = (name: string): Promise<void> =>
  until(`${name} is gone`, () =>
    running()
      .members()
      .every((member) => member.name !== name || member.liveness !== 'alive'),
  )

/** Of this process so far: microseconds of processor time, bytes of memory, protocol messages. */
export const usage = (): {
  readonly cpuUs: number
  readonly rss: number
  readonly sent: number
  readonly received: number
} => {
  const { user, system } = process.cpuUsage()
  const messages = node?.status().messages ?? { sent: 0, received: 0 }
  return { cpuUs: user + system, rss: process.memoryUsage().rss, ...messages }
}
