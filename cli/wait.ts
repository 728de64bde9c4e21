// `mesh wait`: until a mesh is as a script needs it.

import { setTimeout as sleep } from 'node:timers/promises'
import type { ActorStatus, MemberStatus, NodeStatus } from '../node/api.ts'
import { ControlError } from '../node/control/wire.ts'
import { copiesOf, notWhole } from '../testnet/view.ts'
import type { CommandSpec, CommonOptions, Run } from './command.ts'
import { UsageError } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { count, duration, printable } from './output.ts'
import { parseCount, parseDuration } from './parse.ts'

const POLL_MS = 100
/** Of what does not hold, this many are named. */
const TOLD = 3

/** What a node says of its mesh at one moment. */
export interface Seen {
  readonly status: NodeStatus
  readonly members: readonly MemberStatus[]
  readonly actors: readonly ActorStatus[]
}

export interface Condition {
  /** As it was asked for. */
  readonly name: string
  /** What it is instead; undefined: it holds. */
  readonly lacks: (seen: Seen) => string | undefined
}

interface Options extends CommonOptions {
  readonly for: readonly Condition[]
  readonly timeout: number
}

export const waitCommand: CommandSpec = {
  usage: 'wait',
  summary: 'Wait until the mesh is as you need it, as the running node sees it.',
  details: `Conditions, with commas between them; all have to hold at the same moment:
  members=<n>  the node sees exactly n live peers, itself included
  head         there is a head, and it is alive
  replicas-ok  every actor runs, and as many live peers keep it as it asks for (or as there are);
               the registry is kept by as many as it can be

A node that is not running yet is waited for, too. Exits 10 when the time is over, and says what does not hold.`,
  options: (command) => {
    command
      .requiredOption('--for <conditions>', 'for example members=5,head,replicas-ok', parseConditions)
      .option('--timeout <time>', 'how long', (text: string) => parseDuration(text, '--timeout'), 30_000)
  },
  async run(run) {
    const { for: conditions, timeout, json } = run.options<Options>()
    const began = performance.now()
    const deadline = began + timeout
    for (;;) {
      const lacking = await lackingNow(run, conditions, deadline)
      const waitedMs = Math.round(performance.now() - began)
      const told = lacking.map(({ name, lacks }) => ({ condition: name, is: lacks }))
      if (lacking.length === 0) {
        run.print({ ok: true, waitedMs, lacking: told }, () => `after ${duration(waitedMs)}\n`)
        return EXIT.ok
      }
      if (performance.now() >= deadline) {
        if (json) run.print({ ok: false, waitedMs, lacking: told }, () => '')
        else run.io.err(`mesh: not after ${duration(timeout)}: ${textOf(lacking)}\n`)
        return EXIT.unavailable
      }
      await sleep(Math.min(POLL_MS, Math.max(1, deadline - performance.now())))
    }
  },
}

interface Lacking {
  readonly name: string
  readonly lacks: string
}

const textOf = (lacking: readonly Lacking[]): string =>
  lacking.map(({ name, lacks }) => `${name}: ${printable(lacks)}`).join('; ')

/** Rejects with NOT_RUNNING only when the time is over. */
async function lackingNow(
  run: Run,
  conditions: readonly Condition[],
  deadline: number,
): Promise<readonly Lacking[]> {
  // A new one each time: a node that has just started has another socket.
  const control = run.services.control(run.options().dataDir)
  try {
    const [status, members, actors] = [
      await control.status(),
      await control.members(),
      await control.actors(),
    ]
    return conditions.flatMap(({ name, lacks }) => {
      const instead = lacks({ status, members, actors })
      return instead === undefined ? [] : [{ name, lacks: instead }]
    })
  } catch (error) {
    const isAbsent = error instanceof ControlError && ['NOT_RUNNING', 'NO_ANSWER'].includes(error.code)
    if (!isAbsent || performance.now() >= deadline) throw error
    return [{ name: 'node', lacks: error.message }]
  }
}

export function parseConditions(text: string): readonly Condition[] {
  return text.split(',').map((each) => {
    const [name = '', value] = each.trim().split('=')
    if (name === 'members' && value !== undefined)
      return members(parseCount(value, '--for members=', 1, 10_000))
    if (name === 'head' && value === undefined) return { name, lacks: headless }
    if (name === 'replicas-ok' && value === undefined) return { name, lacks: lackingCopies }
    throw new UsageError(
      `--for: "${each.trim()}" is no condition; write for example members=5,head,replicas-ok`,
    )
  })
}

const members = (wanted: number): Condition => ({
  name: `members=${wanted}`,
  lacks: (seen) => {
    const alive = seen.members.filter(({ liveness }) => liveness === 'alive')
    const others = seen.members.filter(({ liveness }) => liveness === 'suspect' || liveness === 'dead')
    if (alive.length === wanted) return undefined
    const missing = others.length > 0 ? `; not alive: ${some(others.map(({ name }) => name))}` : ''
    return `it sees ${count(alive.length, 'live peer')}: ${alive.map(({ name }) => name).join(', ')}${missing}`
  },
})

function headless({ status, members }: Seen): string | undefined {
  const { head } = status
  if (head === null) return 'no peer is known as the head'
  const liveness = members.find(({ peerId }) => peerId === head.peerId)?.liveness ?? 'unknown'
  return liveness === 'alive' ? undefined : `the head ${head.name} is ${liveness}`
}

function lackingCopies({ status: { registrySafe }, members, actors }: Seen): string | undefined {
  const lacking = notWhole({ members, actors })
  if (lacking.length === 0)
    return registrySafe ? undefined : 'the registry has fewer live keepers than it could'
  const told = lacking.map((actor) => {
    const { type, name, status, keepersWanted, cause } = actor
    const copies = `${copiesOf(actor, members)} of ${count(keepersWanted, 'copy', 'copies')}`
    return `${type}/${name} ${status === 'running' ? copies : status}${cause === undefined ? '' : ` (${cause})`}`
  })
  return `${lacking.length} of ${count(actors.length, 'actor')}: ${some(told, '; ')}`
}

function some(names: readonly string[], separator = ', '): string {
  const more = names.length - TOLD
  const told = names.slice(0, TOLD).join(separator)
  return more > 0 ? `${told}${separator}and ${more} more` : told
}
