// What `mesh node` says, in words: the start, how to add a peer, and what happens afterwards.

import type { ActorRecovered, MemberStatus, MeshNode, NodeEvents } from '../node/api.ts'
import { DEPOSED_TEXT } from '../node/node-events.ts'
import { count, facts, shortId } from './output.ts'

type Env = Readonly<Record<string, string | undefined>>

/** How this program was called: `npx mesh` or `mesh`. */
export const invocation = (env: Env): string => (env['npm_command'] === 'exec' ? 'npx mesh' : 'mesh')

/** What to type elsewhere to add a peer. */
export function inviteCommandLine(invite: string, env: Env, actors?: string, dataDir?: string): string {
  const more = [dataDir && ` --data-dir ${quote(dataDir)}`, actors && ` --actors ${quote(actors)}`]
  return `${invocation(env)} node${more.filter(Boolean).join('')} --invite ${invite}`
}

const quote = (text: string): string =>
  /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`

const isLoopback = (address: string): boolean =>
  /^\/ip4\/127\./.test(address) || address.startsWith('/ip6/::1/') || /^\/dns[46]?\/localhost\//.test(address)

/** On one machine each peer needs a data directory of its own: a name for the next one, when only this machine is reached. */
export function nextDataDir(members: readonly MemberStatus[], dataDir: string): string | undefined {
  const addresses = members.find((member) => member.self)?.addresses ?? []
  const local = addresses.length > 0 && addresses.every(isLoopback)
  return local ? `${dataDir}-${members.filter((member) => member.liveness !== 'left').length + 1}` : undefined
}

export interface StartText {
  readonly node: Pick<MeshNode, 'name' | 'peerId' | 'dataDir' | 'status' | 'members'>
  readonly types: readonly string[]
  readonly actors?: string
  /** Left out where the text may end up in a log: the invite carries the secret. */
  readonly invite?: string
  readonly env: Env
}

export function startText({ node, types, actors, invite, env }: StartText): string {
  const status = node.status()
  const addresses = node.members().find((member) => member.self)?.addresses ?? []
  const next = nextDataDir(node.members(), node.dataDir)
  const others = status.members - 1
  const about = facts(
    [
      ['peer', node.peerId],
      [
        'mesh',
        `${status.meshId || 'not reached yet'}${others > 0 ? ` (with ${count(others, 'other peer')})` : ''}`,
      ],
      ...(addresses.length > 0 ? addresses : ['none']).map(
        (address, i) => [i === 0 ? 'address' : '', address] as const,
      ),
      [
        'actors',
        types.join(', ') || 'none: this peer only keeps copies; give it some with --actors ./actors.js',
      ],
      ['data', node.dataDir],
    ],
    '  ',
  )
  const add =
    invite === undefined
      ? `To add a peer, run "${invocation(env)} invite --data-dir ${quote(node.dataDir)}": it prints the command.\n`
      : `To add a peer${next ? ' (in another terminal)' : ''}, run this; it contains the secret of the mesh:\n\n  ${inviteCommandLine(invite, env, actors, next)}\n\n`
  const reach = next
    ? 'This peer listens on this machine only. For peers elsewhere, start it with --listen 0.0.0.0:4001.\n'
    : ''
  return `${node.name} is up\n${about}\n${add}${reach}\n`
}

const record = (actor: ActorRecovered): string => {
  const name = `${actor.type}/${actor.name}`
  switch (actor.outcome) {
    case 'recovered':
      return `${name} recovered: ${actor.detail}`
    case 'waiting':
      return `${name} is waiting: ${actor.detail}`
    case 'stopped':
      return `${name} had been asked to stop and is stopped`
    case 'dead':
      return `${name} is not recoverable: ${actor.detail}`
  }
}

/** Lines for the actors of one lost peer: bad news each, good news counted beyond a few. */
export function recoveredLines(actors: readonly ActorRecovered[]): readonly string[] {
  const MAX_GOOD = 5
  const good = actors.filter((actor) => actor.outcome === 'recovered')
  const bad = actors.filter((actor) => actor.outcome !== 'recovered')
  const more = good.length - MAX_GOOD
  return [
    ...bad.map(record),
    ...good.slice(0, MAX_GOOD).map(record),
    ...(more > 0 ? [`${count(more, 'more actor')} recovered (see: mesh reports --all)`] : []),
  ]
}

const said = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** One line each; actors' recoveries come in crowds and have {@link recoveredLines}, their daily coming and going is no news. */
export const EVENT_TEXT: {
  readonly [E in Exclude<keyof NodeEvents, `actor:${string}`>]: (
    detail: NodeEvents[E],
    self: string,
  ) => string
} = {
  'peer:joined': (peer) => `${peer.name} (${shortId(peer.peerId)}) joined`,
  'peer:lost': (peer) =>
    peer.liveness === 'left'
      ? `${peer.name} left`
      : `${peer.name} (${shortId(peer.peerId)}) is lost: recovering its actors`,
  'head:changed': ({ head, term }, self) =>
    head === null
      ? 'the mesh has no head at the moment'
      : `${head.peerId === self ? 'this peer' : head.name} is the head now (term ${term})`,
  deposed: () => DEPOSED_TEXT,
  'send:failed': ({ from, type, name, method, error }) =>
    `${from ? `${from.type}/${from.name} sent` : 'a send of'} ${method} to ${type}/${name}, which came to nothing: ${said(error)}`,
  'alarm:failed': ({ type, name, id, method, attempt, willRetry, error }) =>
    `alarm ${id} of ${type}/${name}: ${method} threw, ${willRetry ? `attempt ${attempt}, to be tried again` : 'for the last time'}: ${said(error)}`,
  warning: ({ text }) => `warning: ${text}`,
}
