// `mesh testnet logs`: what the peers of a testnet print, in the order of its time.

import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { ControlError } from '../node/control/wire.ts'
import { peerLog, readTestnet } from '../testnet/background/state.ts'
import type { CommandSpec, CommonOptions } from './command.ts'
import { UsageError } from './errors.ts'
import { printable } from './output.ts'
import { parseCount, parsePeer } from './parse.ts'
import { dirOption, testnetDir } from './testnet-background.ts'

const POLL_MS = 200
/** Read from the end of each log at first; a line has a few hundred bytes. */
const TAIL_BYTES = 1024 * 1024
const LEVELS: Readonly<Record<number, string>> = {
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
}

/** A peer ID, of a boot with its nonce; the ends tell them apart. */
const LONG_IDS = /12D3KooW\w{36}(\w{8}(?:\/[0-9a-f]{4})?)(?:[0-9a-f]{28})?/g

interface Options extends CommonOptions {
  readonly follow: boolean
  readonly lines: number
}

interface Line {
  readonly peer: number
  /** Wall-clock milliseconds; of a line that is no entry, those of the one before. */
  readonly time: number
  readonly text: string
  readonly entry?: Readonly<Record<string, unknown>>
}

export const logsCommand: CommandSpec = {
  usage: 'logs [peer]',
  summary: "Print the peers' logs, or one peer's.",
  options: (command) => {
    dirOption(command)
      .option('-f, --follow', 'go on with what comes, until Ctrl-C or the end of the testnet', false)
      .option('--lines <n>', 'the last ones', (text: string) => parseCount(text, '--lines', 0, 100_000), 50)
  },
  async run(run) {
    const { follow, lines, json } = run.options<Options>()
    const dir = testnetDir(run)
    const peers = readTestnet(dir)?.peers
    if (peers === undefined) throw noTestnet(dir)
    const wanted = typeof run.args[0] === 'string' ? [parsePeer(run.args[0])] : [...Array(peers).keys()]
    const unknown = wanted.find((peer) => peer >= peers)
    if (unknown !== undefined)
      throw new UsageError(`there is no peer ${unknown} in this testnet: it has ${peers}, from 0`)
    const tails = wanted.map((peer) => new Tail(peer, peerLog(dir, peer)))
    const print = (found: readonly Line[]): void => {
      for (const line of found.toSorted((a, b) => a.time - b.time))
        run.io.out(json ? `${JSON.stringify(jsonOf(line))}\n` : textOf(line))
    }
    const first = tails.flatMap((tail) => tail.read()).toSorted((a, b) => a.time - b.time)
    print(first.slice(first.length - Math.min(lines, first.length)))
    let following = follow
    const stopListening = run.io.onSignal(() => {
      following = false
    })
    while (following && readTestnet(dir) !== undefined) {
      await sleep(POLL_MS)
      print(tails.flatMap((tail) => tail.read()))
    }
    stopListening()
    return undefined
  },
}

const noTestnet = (dir: string): ControlError =>
  new ControlError({
    code: 'NOT_RUNNING',
    message: `no testnet is up in ${dir}: start one with "mesh testnet up", or name another with --dir`,
  })

/** The lines of a growing file, from near its end. */
class Tail {
  readonly #peer: number
  readonly #path: string
  #offset: number | undefined
  #rest = ''
  #time = 0

  constructor(peer: number, path: string) {
    this.#peer = peer
    this.#path = path
  }

  /** Whole lines that came since the last time. */
  read(): readonly Line[] {
    const size = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0
    const begins = this.#offset === undefined && size > TAIL_BYTES
    this.#offset ??= Math.max(0, size - TAIL_BYTES)
    if (size <= this.#offset) return []
    const bytes = Buffer.alloc(size - this.#offset)
    const file = openSync(this.#path, 'r')
    const length = readSync(file, bytes, 0, bytes.length, this.#offset)
    closeSync(file)
    this.#offset += length
    const lines = (this.#rest + bytes.toString('utf8', 0, length)).split('\n')
    this.#rest = lines.pop() ?? ''
    return lines.slice(begins ? 1 : 0).map((text) => this.#line(text))
  }

  #line(text: string): Line {
    const entry = entryOf(text)
    if (typeof entry?.['time'] === 'number') this.#time = entry['time']
    return { peer: this.#peer, time: this.#time, text, ...(entry && { entry }) }
  }
}

function entryOf(text: string): Readonly<Record<string, unknown>> | undefined {
  if (!text.startsWith('{')) return undefined
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>
  } catch {
    return undefined
  }
}

const jsonOf = ({ peer, text, entry }: Line) => ({ peer, ...(entry ?? { msg: text }) })

function textOf({ peer, text, entry }: Line): string {
  if (entry === undefined) return `peer-${peer}                     ${printable(text)}\n`
  const { level, time, msg, ...rest } = entry
  const at = new Date(Number(time)).toISOString().slice(11, 23)
  const more = Object.keys(rest).length > 0 ? ` ${JSON.stringify(rest)}` : ''
  const said = `${msg ?? ''}${more}`.replace(LONG_IDS, (_id, end) => `…${end}`)
  return `${printable(`peer-${peer} ${at} ${LEVELS[Number(level)] ?? level}  ${said}`)}\n`
}
