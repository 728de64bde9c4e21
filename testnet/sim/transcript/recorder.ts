// What happens during a step, as lines for people: one per event, and one per message however many peers it goes to.
// What a peer repeats within a step, because nobody answered, is told once.

import type { MeshEvent } from '../../../mesh/effect.ts'
import type { LogKey, PeerId } from '../../../mesh/ids.ts'
import type { Pointer } from '../../../mesh/log-types.ts'
import type { MeshMessage } from '../../../mesh/messages.ts'
import type { RegistryState } from '../../../mesh/registry/types.ts'
import type { ServiceFrame } from '../../../node/ports.ts'
import { CallWording, type WordedFrame } from './call-wording.ts'
import { type Kind, SHOWN_KINDS } from './kinds.ts'
import { Names } from './names.ts'
import { type Remembered, registryNews, remember } from './news.ts'
import { wording } from './wording.ts'

/** Where the sender's name ends: wide enough for a letter to four others. */
const WHO_WIDTH = 14
const TIME_WIDTH = 7

interface Line {
  readonly at: number
  readonly from: PeerId[]
  readonly to: PeerId[]
  readonly text: string
}

export interface RecorderInit {
  readonly now: () => number
  /** What a peer has as its pointer: being told what it knows is no news. */
  readonly pointerOf: (peer: PeerId) => Pointer | undefined
}

export class Recorder {
  readonly names = new Names()
  readonly #init: RecorderInit
  readonly #shown = new Map<Kind, readonly PeerId[]>(SHOWN_KINDS.map((kind) => [kind, []]))
  readonly #calls = new CallWording(this.names)
  /** Registry logs that a pointer named. */
  readonly #chosen = new Set<LogKey>()
  #registry: Remembered | undefined
  #lines: Line[] = []
  #told = new Set<string>()
  #since = 0
  #quiet = false

  constructor(init: RecorderInit) {
    this.#init = init
  }

  begin(quiet: boolean): void {
    this.#lines = []
    this.#told = new Set()
    this.#since = this.#init.now()
    this.#quiet = quiet
  }

  end(): string[] {
    return this.#lines.map(({ at, from, to, text }) => {
      const who = [from, to].map((peers) => [...peers].sort().join(' ')).filter((peers) => peers !== '')
      return `${String(at).padStart(TIME_WIDTH)}  ${who.join(' → ').padEnd(who.length > 0 ? WHO_WIDTH : 0)}${text}`
    })
  }

  /** Of these kinds what these peers send; no peers: what everybody sends. */
  show(kinds: readonly Kind[], from: readonly PeerId[]): void {
    for (const kind of kinds) this.#shown.set(kind, from)
  }

  hide(kinds: readonly Kind[]): void {
    for (const kind of kinds) this.#shown.delete(kind)
  }

  say(text: string): void {
    this.#add([], [], text)
  }

  sent(from: PeerId, to: PeerId, message: MeshMessage): void {
    this.names.learn(message)
    if (message.kind === 'pointer') {
      this.#chosen.add(message.pointer.key)
      if (this.#init.pointerOf(to)?.key === message.pointer.key) return
    }
    if (message.kind === 'app' && this.#isOfCandidate(message))
      this.#add([from], [to], `hold the snapshot that ${this.names.log(message.log)} begins with`)
    else if (this.#shows(message.kind, from) || (message.kind === 'ack' && this.#isOfCandidate(message)))
      this.#add([from], [to], wording(message, this.names))
  }

  /** Undefined for frames that are no part of a call. */
  callOf(frame: ServiceFrame): WordedFrame | undefined {
    return this.#calls.of(frame)
  }

  sentFrame(from: PeerId, to: PeerId, { kind, text }: WordedFrame): void {
    if (this.#shows(kind, from)) this.#add([from], [to], text)
  }

  happened(peer: PeerId, event: MeshEvent): void {
    if (event.kind === 'head' && event.peer === peer) this.say(`${peer} is head of term ${event.term}`)
    else if (event.kind === 'deposed')
      this.say(
        `${peer} finds that it was deposed as ${this.names.boot(event.old)}, and goes on as ${this.names.boot(event.boot)}`,
      )
    else if (event.kind === 'recovering')
      this.say(`${peer} begins to recover ${this.names.boot(event.boot)}: ${event.cause}`)
    else if (event.kind === 'warning') this.say(`${peer} warns: ${event.text}`)
    else if (event.kind === 'peer' && event.after === 'dead' && event.before !== 'dead')
      this.#add([peer], [], `${this.names.boot(event.boot)} seems dead`)
  }

  /** The registry as its head has committed it. */
  committed(state: RegistryState): void {
    for (const text of registryNews(this.#registry, state, this.names)) this.say(`registry: ${text}`)
    this.#registry = remember(state)
  }

  #shows(kind: Kind, from: PeerId): boolean {
    const senders = this.#shown.get(kind)
    return senders !== undefined && (senders.length === 0 || senders.includes(from))
  }

  /** A candidate has the keepers of its log hold the snapshot before anybody hears of that log: these show it. */
  #isOfCandidate(message: MeshMessage & { kind: 'app' | 'ack' }): boolean {
    const some = message.kind === 'app' ? message.proofs.length > 0 : message.length > 0
    return some && this.names.isRegistry(message.log) && !this.#chosen.has(message.log)
  }

  /** What several say at one time to the same peer, or one says to several, is one line. */
  #add(from: PeerId[], to: PeerId[], text: string): void {
    const told = `${from.join()} ${to.join()} ${text}`
    if (this.#quiet || (from.length > 0 && this.#told.has(told))) return
    this.#told.add(told)
    const at = Math.round(this.#init.now() - this.#since)
    const same = this.#lines.filter((line) => line.at === at && line.text === text && line.from.length > 0)
    const toMore = same.find((line) => line.from.join() === from.join())
    const fromMore = same.find((line) => line.to.join() === to.join())
    if (toMore && from.length > 0) toMore.to.push(...to)
    else if (fromMore && from.length > 0) fromMore.from.push(...from)
    else this.#lines.push({ at, from: [...from], to: [...to], text })
  }
}
