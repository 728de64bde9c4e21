// The demo: a mesh under a steady load of durable calls loses its busiest host, then its head, gets both back, and shows
// that every acknowledged call is there exactly once.

import { createTestnet, type Testnet } from '../testnet.ts'
import { answering, glimpse, isWhole, type PeerGlimpse, type PeerView } from '../view.ts'
import { type Comparison, type Kill, Tally } from './tally.ts'

export interface DemoOptions {
  /** At least 4: two are killed, and copies need a majority. Default 5. */
  readonly peers?: number
  /** Default 50. */
  readonly actors?: number
  /** Calls per second from all peers together. Default 250. */
  readonly rate?: number
  /** How long the load runs beside the waiting for recoveries. Default 20. */
  readonly seconds?: number
  readonly onProgress?: (progress: Progress) => void
  readonly teardown?: (end: () => Promise<void>) => void
}

/** What is going on, several times a second. */
export interface Progress {
  readonly phase: string
  readonly elapsedMs: number
  readonly acknowledged: number
  /** Actors of the last kill that have not answered yet. */
  readonly waiting: number
  readonly peers: readonly PeerGlimpse[]
}

export interface DemoResult {
  readonly peers: number
  readonly actors: number
  readonly seconds: number
  readonly acknowledged: number
  /** Calls that ended with an error; none is expected. */
  readonly failed: number
  readonly comparison: Comparison
  readonly kills: readonly Kill[]
  /** All peers see each other again at the end, and every actor answered. */
  readonly reunited: boolean
  readonly ok: boolean
}

const CALL_TIMEOUT_MS = 30_000
const RECOVERY_MS = 30_000
const WHOLE_MS = 15_000
const PROGRESS_MS = 250
const READS_AT_ONCE = 10

export function runDemo(options: DemoOptions = {}): Promise<DemoResult> {
  return new Demo(options).run()
}

class Demo {
  readonly #options: DemoOptions
  readonly #size: number
  readonly #names: readonly string[]
  readonly #tally = new Tally()
  readonly #startedAt = performance.now()
  #net: Testnet | undefined
  #views: readonly PeerView[] = []
  #phase = ''

  constructor(options: DemoOptions) {
    this.#options = options
    this.#size = options.peers ?? 5
    this.#names = Array.from(
      { length: options.actors ?? 50 },
      (_, i) => `ledger-${String(i + 1).padStart(2, '0')}`,
    )
  }

  async run(): Promise<DemoResult> {
    this.#enter(`starting ${this.#size} peers`)
    const net = await createTestnet(this.#size, {
      ...(this.#options.teardown !== undefined && { teardown: this.#options.teardown }),
      onEvent: (index, { event, detail, at }) => {
        if (event === 'peer:lost') this.#tally.lostPeer(index, detail.peerId, at)
      },
      onLoad: (_, { acks, failures }) => {
        for (const ack of acks) this.#tally.ack(ack)
        for (const _failure of failures) this.#tally.fail()
      },
    })
    this.#net = net
    const ticking = setInterval(() => void this.#look(), PROGRESS_MS)
    try {
      return await this.#play(net)
    } finally {
      clearInterval(ticking)
      await net.end()
    }
  }

  async #play(net: Testnet): Promise<DemoResult> {
    const calmMs = ((this.#options.seconds ?? 20) * 1000) / 4
    const loadedAt = performance.now()
    this.#enter(`creating ${this.#names.length} actors`)
    await this.#forEach(this.#names, async (name, i) => {
      await net.call(i % this.#size, 'Ledger', name, 'tokens', [], CALL_TIMEOUT_MS)
    })
    for (const peer of net.peers) await this.#startLoad(net, peer.index)
    this.#enter('steady load')
    await sleep(calmMs)
    await this.#killAndRecover(net, 'busiest host', busiestHost)
    await sleep(calmMs)
    await this.#killAndRecover(net, 'head', (views) => net.headOf(views))
    await sleep(calmMs)
    const reunited = await this.#bringBack(net)
    await sleep(calmMs)
    this.#enter('ending the load')
    for (const { index } of net.peers.filter((peer) => peer.state.kind === 'running')) await net.unload(index)
    const seconds = (performance.now() - loadedAt) / 1000
    this.#enter('reading every actor')
    const ledgers = await this.#readAll(net)
    return this.#result(ledgers, reunited, seconds)
  }

  async #startLoad(net: Testnet, index: number): Promise<void> {
    await net.load(index, {
      type: 'Ledger',
      method: 'add',
      names: this.#names,
      perSecond: (this.#options.rate ?? 250) / this.#size,
      prefix: `p${index}.${net.peer(index).starts}`,
      timeoutMs: CALL_TIMEOUT_MS,
    })
  }

  async #killAndRecover(
    net: Testnet,
    what: string,
    choose: (views: readonly PeerView[]) => number,
  ): Promise<void> {
    const views = await net.views()
    const peer = choose(views)
    const { peerId } = net.peer(peer)
    const witness = answering(views).find((view) => view.index !== peer)
    if (peerId === undefined || witness === undefined) throw new Error('there is nobody to kill')
    const lost = witness.seen.actors
      .filter((actor) => actor.peer?.peerId === peerId)
      .map((actor) => actor.name)
    this.#enter(`kill -9 ${what} (peer-${peer}, ${lost.length} actors)`)
    const kill = this.#tally.killed({ what, peer, peerId, at: Date.now(), lost })
    await net.kill(peer)
    const answered = (): boolean => kill.answeredMs.size === lost.length && kill.detectedMs.size > 0
    if (!(await until(answered, RECOVERY_MS))) return
    this.#enter('every lost actor answers; copies are being restored')
    const whole = async (): Promise<boolean> => {
      const [seen] = answering(await net.views()).filter((view) => view.seen.status.isHead)
      return seen !== undefined && isWhole(seen.seen)
    }
    if (await until(whole, WHOLE_MS)) kill.wholeMs = Date.now() - kill.at
    this.#enter('steady load')
  }

  async #bringBack(net: Testnet): Promise<boolean> {
    this.#enter('bringing both back, with their disks')
    for (const { peer } of this.#tally.kills) {
      if (net.peer(peer).state.kind !== 'stopped') continue
      await net.start(peer)
      await this.#startLoad(net, peer)
    }
    const reunited = await net.settled(RECOVERY_MS).then(
      () => true,
      () => false,
    )
    this.#enter(reunited ? 'all are back; steady load' : 'not all are back')
    return reunited
  }

  async #readAll(net: Testnet): Promise<ReadonlyMap<string, readonly string[]>> {
    const ledgers = new Map<string, readonly string[]>()
    await this.#forEach(this.#names, async (name, i) => {
      const tokens = await net
        .call(i % this.#size, 'Ledger', name, 'tokens', [], CALL_TIMEOUT_MS)
        .catch(() => undefined)
      if (tokens !== undefined) ledgers.set(name, tokens as readonly string[])
    })
    return ledgers
  }

  #result(ledgers: ReadonlyMap<string, readonly string[]>, reunited: boolean, seconds: number): DemoResult {
    const tally = this.#tally
    const comparison = tally.compare(ledgers)
    const ok =
      reunited &&
      ledgers.size === this.#names.length &&
      tally.acknowledged > 0 &&
      comparison.lost.length === 0 &&
      comparison.twice.length === 0 &&
      tally.kills.every((kill) => kill.answeredMs.size === kill.lost.length)
    return {
      peers: this.#size,
      actors: this.#names.length,
      seconds,
      acknowledged: tally.acknowledged,
      failed: tally.failed,
      comparison,
      kills: tally.kills,
      reunited,
      ok,
    }
  }

  async #forEach(names: readonly string[], work: (name: string, i: number) => Promise<void>): Promise<void> {
    const queue = names.entries()
    const lane = async (): Promise<void> => {
      for (const [i, name] of queue) await work(name, i)
    }
    await Promise.all(Array.from({ length: READS_AT_ONCE }, lane))
  }

  async #look(): Promise<void> {
    if (this.#net === undefined || this.#options.onProgress === undefined) return
    this.#views = await this.#net.views()
    this.#tell()
  }

  #enter(phase: string): void {
    this.#phase = phase
    this.#tell()
  }

  #tell(): void {
    const last = this.#tally.kills.at(-1)
    this.#options.onProgress?.({
      phase: this.#phase,
      elapsedMs: performance.now() - this.#startedAt,
      acknowledged: this.#tally.acknowledged,
      waiting: last === undefined ? 0 : last.lost.length - last.answeredMs.size,
      peers: this.#views.map(glimpse),
    })
  }
}

/** Not the head, which dies next. */
function busiestHost(views: readonly PeerView[]): number {
  const hosts = answering(views)
    .filter(({ seen }) => !seen.status.isHead)
    .sort((a, b) => b.seen.status.actorsHere - a.seen.status.actorsHere)
  const [busiest] = hosts
  if (busiest === undefined) throw new Error('no peer but the head answers')
  return busiest.index
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function until(holds: () => boolean | Promise<boolean>, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  while (!(await holds())) {
    if (performance.now() > deadline) return false
    await sleep(20)
  }
  return true
}
