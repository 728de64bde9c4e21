// The steps of a transcript as a table: how each is written, and what it means.

import { type PeerId, peerId } from '../../../mesh/ids.ts'
import { defaultMeshSettings } from '../../../mesh/settings.ts'
import { isKind, KINDS, type Kind } from './kinds.ts'

/** Something that holds or does not; `boot` is one as the trace calls it: `b.1` is the first boot of b. */
export type Condition =
  | { readonly kind: 'head'; readonly peer: PeerId }
  | { readonly kind: 'kept'; readonly keepers: readonly PeerId[] }
  | { readonly kind: 'term'; readonly term: number }
  | { readonly kind: 'admitted'; readonly peer: PeerId }
  | { readonly kind: 'dead'; readonly boot: string }
  | { readonly kind: 'forgotten'; readonly boot: string }
  | { readonly kind: 'at'; readonly actor: string; readonly peer: PeerId }
  | { readonly kind: 'stopped'; readonly actor: string }
  | { readonly kind: 'value'; readonly actor: string; readonly value: number }

export interface Match {
  readonly message: Kind
  readonly from: readonly PeerId[]
  readonly to: readonly PeerId[]
}

export interface CallStep {
  readonly peer: PeerId
  readonly actor: string
  readonly method: string
  readonly args: readonly unknown[]
}

export type Step =
  | { readonly kind: 'quietly'; readonly step: Step }
  | {
      readonly kind: 'start' | 'kill' | 'power' | 'wipe' | 'freeze' | 'thaw'
      readonly peers: readonly PeerId[]
    }
  | { readonly kind: 'leave'; readonly peer: PeerId }
  | {
      readonly kind: 'cut'
      readonly from: readonly PeerId[]
      readonly to: readonly PeerId[]
      readonly both: boolean
    }
  | { readonly kind: 'heal' }
  | { readonly kind: 'lose'; readonly match: Match }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'until' | 'expect'; readonly condition: Condition }
  | ({ readonly kind: 'call' | 'send' } & CallStep)
  | { readonly kind: 'move'; readonly actor: string; readonly to: PeerId }
  | { readonly kind: 'stop'; readonly actor: string }
  /** Performed at the first such message, before it goes out or is taken in. */
  | {
      readonly kind: 'when'
      readonly side: 'sends' | 'receives'
      readonly match: Match
      readonly step: Step
      readonly words: string
    }
  /** `from`: only what these send; empty: from everybody. */
  | { readonly kind: 'show'; readonly messages: readonly Kind[]; readonly from: readonly PeerId[] }
  | { readonly kind: 'hide'; readonly messages: readonly Kind[] }
  | { readonly kind: 'with'; readonly setting: string; readonly value: number }

type Form<Result> = readonly [usage: string, pattern: RegExp, make: (...words: string[]) => Result | string]

const PEER = '[a-j]'
const PEERS = `${PEER}(?: ${PEER})*`
const ACTOR = '(?:[k-z]|[a-z]{2,})'
const MATCH = `([a-zA-Z]+)(?: from (${PEERS}))?(?: to (${PEERS}))?`
const CALL = `(${PEER}) (${ACTOR})\\.(\\w+)\\((.*)\\)`
const form = <Result>(usage: string, pattern: string, make: Form<Result>[2]): Form<Result> => [
  usage,
  new RegExp(`^${pattern}$`),
  make,
]
const peers = (words: string | undefined): PeerId[] => (words ? words.split(' ').map(peerId) : [])

const CONDITIONS: readonly Form<Condition>[] = [
  form('head is a', `head is (${PEER})`, (peer) => ({ kind: 'head', peer: peerId(peer!) })),
  form('registry is kept by a b c', `registry is kept by (${PEERS})`, (keepers) => ({
    kind: 'kept',
    keepers: peers(keepers),
  })),
  form('term is 3', 'term is (\\d+)', (term) => ({ kind: 'term', term: Number(term) })),
  form('a is admitted', `(${PEER}) is admitted`, (peer) => ({ kind: 'admitted', peer: peerId(peer!) })),
  form('a.1 is dead', `(${PEER}\\.\\d+) is dead`, (boot) => ({ kind: 'dead', boot: boot! })),
  form('nothing of a.1 is kept', `nothing of (${PEER}\\.\\d+) is kept`, (boot) => ({
    kind: 'forgotten',
    boot: boot!,
  })),
  form('visits is at b', `(${ACTOR}) is at (${PEER})`, (actor, peer) => ({
    kind: 'at',
    actor: actor!,
    peer: peerId(peer!),
  })),
  form('visits is stopped', `(${ACTOR}) is stopped`, (actor) => ({ kind: 'stopped', actor: actor! })),
  form('visits is 3', `(${ACTOR}) is (-?\\d+)`, (actor, value) => ({
    kind: 'value',
    actor: actor!,
    value: Number(value),
  })),
]

const match = (message: string | undefined, from?: string, to?: string): Match | string =>
  isKind(message) ? { message, from: peers(from), to: peers(to) } : notAKind(message)
const notAKind = (word: string | undefined) =>
  `"${word}" is no kind of message; there are: ${KINDS.join(', ')}`

const call = (kind: 'call' | 'send') => (peer?: string, actor?: string, method?: string, args?: string) => {
  try {
    return {
      kind,
      peer: peerId(peer!),
      actor: actor!,
      method: method!,
      args: JSON.parse(`[${args}]`) as unknown[],
    }
  } catch {
    return `the arguments of ${method}(${args}) are not JSON`
  }
}
const onPeers = (kind: 'start' | 'kill' | 'wipe' | 'freeze' | 'thaw') =>
  form<Step>(`${kind} a b c`, `${kind} (${PEERS})`, (words) => ({ kind, peers: peers(words) }))
const conditional = (kind: 'until' | 'expect') => (words?: string) => {
  const condition = oneOf(CONDITIONS, words!, 'condition')
  return typeof condition === 'string' ? condition : { kind, condition }
}
const nested = (words: string | undefined, make: (step: Step) => Step): Step | string => {
  const step = parseStep(words!)
  return typeof step === 'string' ? step : make(step)
}
const kindsIn = (words: string | undefined): readonly Kind[] | string => {
  const wrong = words!.split(' ').find((word) => !isKind(word))
  return wrong === undefined ? words!.split(' ').filter(isKind) : notAKind(wrong)
}
const triggered =
  (side: 'sends' | 'receives') =>
  (peer?: string, message?: string, other?: string, then?: string): Step | string => {
    const [from, to] = side === 'sends' ? [peer, other] : [other, peer]
    const matched = match(message, from, to)
    return typeof matched === 'string'
      ? matched
      : nested(then, (step) => ({ kind: 'when', side, match: matched, step, words: then! }))
  }
const isSetting = (word: string | undefined): boolean =>
  typeof defaultMeshSettings[word as keyof typeof defaultMeshSettings] === 'number'

const STEPS: readonly Form<Step>[] = [
  form('quietly <step>', 'quietly (.+)', (words) => nested(words, (step) => ({ kind: 'quietly', step }))),
  onPeers('start'),
  onPeers('kill'),
  onPeers('wipe'),
  onPeers('freeze'),
  onPeers('thaw'),
  form('power fails at a b c', `power fails at (${PEERS})`, (words) => ({
    kind: 'power',
    peers: peers(words),
  })),
  form('leave a', `leave (${PEER})`, (peer) => ({ kind: 'leave', peer: peerId(peer!) })),
  form('cut a b > c (one way)', `cut (${PEERS}) > (${PEERS})`, (from, to) => ({
    kind: 'cut',
    from: peers(from),
    to: peers(to),
    both: false,
  })),
  form('cut a b | c d e (both ways)', `cut (${PEERS}) \\| (${PEERS})`, (from, to) => ({
    kind: 'cut',
    from: peers(from),
    to: peers(to),
    both: true,
  })),
  form('heal', 'heal', () => ({ kind: 'heal' })),
  form('lose accept from b to c d', `lose ${MATCH}`, (message, from, to) => {
    const matched = match(message, from, to)
    return typeof matched === 'string' ? matched : { kind: 'lose', match: matched }
  }),
  form('wait until <condition>', 'wait until (.+)', conditional('until')),
  form('wait 2 s, wait 500 ms', 'wait (\\d+(?:\\.\\d+)?) (m?s)', (count, unit) => ({
    kind: 'wait',
    ms: Number(count) * (unit === 's' ? 1000 : 1),
  })),
  form('expect <condition>', 'expect (.+)', conditional('expect')),
  form('call a visits.add(1)', `call ${CALL}`, call('call')),
  form('send a visits.add(1)', `send ${CALL}`, call('send')),
  form('move visits to b', `move (${ACTOR}) to (${PEER})`, (actor, to) => ({
    kind: 'move',
    actor: actor!,
    to: peerId(to!),
  })),
  form('stop visits', `stop (${ACTOR})`, (actor) => ({ kind: 'stop', actor: actor! })),
  form(
    'when a sends seal to b: <step>',
    `when (${PEER}) sends ([a-zA-Z]+)(?: to (${PEERS}))?: (.+)`,
    triggered('sends'),
  ),
  form(
    'when a receives sealed from b: <step>',
    `when (${PEER}) receives ([a-zA-Z]+)(?: from (${PEERS}))?: (.+)`,
    triggered('receives'),
  ),
  form('show app ack, show app from e', `show ([a-zA-Z ]+?)(?: from (${PEERS}))?`, (words, from) => {
    const messages = kindsIn(words)
    return typeof messages === 'string' ? messages : { kind: 'show', messages, from: peers(from) }
  }),
  form('hide app ack', 'hide ([a-zA-Z ]+)', (words) => {
    const messages = kindsIn(words)
    return typeof messages === 'string' ? messages : { kind: 'hide', messages }
  }),
  form('with journalMaxBlocks 8', 'with (\\w+) (\\d+)', (setting, value) =>
    isSetting(setting)
      ? { kind: 'with', setting: setting!, value: Number(value) }
      : `"${setting}" is no setting of the mesh that is a number`,
  ),
]

/** The step, or what is wrong with it. */
export const parseStep = (words: string): Step | string => oneOf(STEPS, words, 'step')

function oneOf<Result>(forms: readonly Form<Result>[], words: string, what: string): Result | string {
  for (const [, pattern, make] of forms) {
    const found = pattern.exec(words)
    if (found) return make(...found.slice(1))
  }
  const [verb] = words.split(' ')
  const similar = forms.filter(([usage]) => usage.split(' ').includes(verb!)).map(([usage]) => usage)
  const usages = similar.length > 0 ? similar : forms.map(([usage]) => usage)
  return `"${words}" is no ${what}; ${similar.length > 0 ? 'did you mean' : 'there are'}: ${usages.join(' · ')}`
}
