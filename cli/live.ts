// Live progress: a few lines that rewrite themselves on a terminal, and plain lines now and then elsewhere.

import type { PeerGlimpse } from '../testnet/view.ts'
import { shortSeconds } from './testnet-text.ts'

/** Without a terminal: a line per phase, and one this often within a long phase. */
const PLAIN_EVERY_MS = 5_000
const RATE_OVER_MS = 1_000
const BAR_CELLS = 30
/** What rewrites itself must fit on the screen. */
const MAX_BARS = 12

/** What there is to see at a moment. */
export interface LiveState {
  readonly phase: string
  readonly elapsedMs: number
  readonly acknowledged: number
  /** Short, behind the rate of calls. */
  readonly notes: readonly string[]
  /** Whole lines, above the peers. */
  readonly lines?: readonly string[]
  readonly peers: readonly PeerGlimpse[]
}

export class LiveLines {
  readonly #write: (text: string) => void
  readonly #rewrite: boolean
  #shown = 0
  #phase = ''
  #plainAt = Number.NEGATIVE_INFINITY
  #mark = { at: 0, acknowledged: 0 }
  #perSecond = 0

  constructor(write: (text: string) => void, rewrite: boolean) {
    this.#write = write
    this.#rewrite = rewrite
  }

  show(progress: LiveState): void {
    this.#measure(progress)
    if (this.#rewrite) this.#lines(progress)
    else this.#plain(progress)
  }

  end(): void {
    this.#erase()
  }

  #lines(progress: LiveState): void {
    if (progress.phase !== this.#phase) this.#leaveBehind(progress)
    const lines = [this.#summary(progress), ...(progress.lines ?? []), ...bars(progress)]
    this.#erase()
    this.#write(lines.map((line) => `${line}\n`).join(''))
    this.#shown = lines.length
  }

  #plain(progress: LiveState): void {
    const due = progress.elapsedMs - this.#plainAt >= PLAIN_EVERY_MS
    if (progress.phase === this.#phase && !due) return
    this.#phase = progress.phase
    this.#plainAt = progress.elapsedMs
    this.#write(`${this.#summary(progress)}\n`)
  }

  /** A finished phase stays on the screen as one line above. */
  #leaveBehind(progress: LiveState): void {
    this.#phase = progress.phase
    this.#erase()
    this.#write(`${shortSeconds(progress.elapsedMs)}  ${progress.phase}\n`)
  }

  #summary({ elapsedMs, phase, acknowledged, notes }: LiveState): string {
    const parts = [`${acknowledged} calls acknowledged`, `${Math.round(this.#perSecond)}/s`, ...notes]
    return `${shortSeconds(elapsedMs)}  ${this.#rewrite ? '' : `${phase}: `}${parts.join(', ')}`
  }

  #measure({ elapsedMs, acknowledged }: LiveState): void {
    const over = elapsedMs - this.#mark.at
    if (over < RATE_OVER_MS) return
    this.#perSecond = ((acknowledged - this.#mark.acknowledged) / over) * 1000
    this.#mark = { at: elapsedMs, acknowledged }
  }

  #erase(): void {
    if (this.#shown > 0) this.#write(`\u001b[${this.#shown}A\u001b[J`)
    this.#shown = 0
  }
}

function bars({ peers }: LiveState): readonly string[] {
  const most = Math.max(1, ...peers.map((peer) => peer.actors))
  const more = peers.length - MAX_BARS
  const lines = peers.slice(0, MAX_BARS).map((peer) => {
    const up = peer.process === 'running'
    const bar = '█'.repeat(Math.round((peer.actors / most) * BAR_CELLS))
    return `        ${peer.name.padEnd(8)} ${up ? `${bar} ${peer.actors}` : `× ${peer.process}`}${peer.head ? '  head' : ''}`
  })
  return more > 0 ? [...lines, `        and ${more} more`] : lines
}
