// A mesh of real peers on this machine, each in a process of its own, with the faults that processes have.
//
//   const net = await createTestnet(3, { teardown: onTestFinished })
//   await net.call(0, 'Ledger', 'a', 'add', ['token'])
//   await net.kill(net.hostOf(await net.views(), 'Ledger', 'a'))
//   await net.call(0, 'Ledger', 'a', 'tokens')   // ['token']
//
// Tests wait for conditions and never sleep: `waitUntil` shows every peer's view when a condition is not met in time.
// With TESTNET_LOGS=<directory> the peers' logs stay there, one directory per testnet: a test that is cut off shows nothing.

import { mkdirSync, mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { OperationEvent } from './chaos/workload.ts'
import { fillDisk } from './disk/full.ts'
import type { LoadPlan, LoadReport, PeerEvent, PeerOptions, PeerSnapshot } from './ipc.ts'
import { Links } from './links/links.ts'
import { Peer } from './peer.ts'
import { aliveIn, answering, dumpView, isSettled, type PeerView } from './view.ts'

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
/** Ledger and Counter: enough for most tests. */
export const DEMO_ACTORS = new URL(`./demo/actors.${extension}`, import.meta.url).href

const POLL_MS = 50
const DEFAULT_WAIT_MS = 30_000
/** A start is mostly processor time: more of them than processors only slow each other down. */
const PARALLEL_STARTS = Math.max(2, Math.min(8, availableParallelism()))

/** Options of a peer that a test may choose; the testnet chooses the rest. */
export type TestPeerOptions = Pick<
  PeerOptions,
  'name' | 'labels' | 'host' | 'keep' | 'settings' | 'mdns' | 'control' | 'listen' | 'encryption'
> & {
  /** In place of the testnet's: peers in the middle of an upgrade have different ones. */
  readonly actors?: string
}

export interface TestnetOptions {
  /** Given the function that ends everything: a test's `onTestFinished`, `afterAll`, or an array's push. */
  readonly teardown?: (end: () => Promise<void>) => void
  /** Where the peers' disks and logs are; made if missing. Default: a new temporary directory. Both are removed at the end. */
  readonly dir?: string
  /** URL of the module with the actors. Default {@link DEMO_ACTORS}. */
  readonly actors?: string
  /** Asked at every start of a peer. */
  readonly peer?: (index: number) => TestPeerOptions
  /** Has every pair of peers connect through proxies of the testnet, so that {@link Testnet.links} can cut and slow them. */
  readonly links?: boolean
  readonly onEvent?: (index: number, event: PeerEvent) => void
  readonly onOperation?: (index: number, event: OperationEvent) => void
  readonly onLoad?: (index: number, report: LoadReport) => void
}

/** Resolves when all peers are up, admitted, see each other and agree on a head. */
export async function createTestnet(size: number, options: TestnetOptions = {}): Promise<Testnet> {
  const net = new Testnet(size, options, options.links ? await Links.open(size) : undefined)
  options.teardown?.(() => net.end())
  try {
    await net.startAll()
    await net.settled(60_000)
    return net
  } catch (error) {
    await net.end()
    throw error
  }
}

export class Testnet {
  readonly dir: string
  readonly peers: readonly Peer[]
  readonly #options: TestnetOptions
  readonly #links: Links | undefined
  #invite: string | undefined
  #ended = false

  constructor(size: number, options: TestnetOptions, links?: Links) {
    this.#options = options
    this.#links = links
    this.dir = options.dir ?? mkdtempSync(join(tmpdir(), 'mesh-testnet-'))
    this.peers = Array.from({ length: size }, (_, index) => {
      const peer = new Peer(index, join(this.dir, `peer-${index}`))
      peer.onEvent = (event) => options.onEvent?.(index, event)
      peer.onLoad = (report) => options.onLoad?.(index, report)
      peer.onOperation = (event) => options.onOperation?.(index, event)
      return peer
    })
    if (links !== undefined)
      links.onRoutes = (index, routes) => {
        // One that is starting or gone learns its routes when it starts.
        if (this.peer(index).pid !== undefined)
          void this.peer(index)
            .request('routes', routes)
            .catch(() => {})
      }
  }

  /** The links between the peers; only with the option of that name. */
  get links(): Links {
    if (this.#links === undefined) throw new Error('this testnet was made without the option `links: true`')
    return this.#links
  }

  /** Starts every stopped peer: the first founds the mesh, the others are invited. */
  async startAll(): Promise<void> {
    const stopped = this.peers.filter((peer) => peer.state.kind === 'stopped').map((peer) => peer.index)
    if (this.#invite === undefined && stopped[0] !== undefined) await this.start(stopped.shift() as number)
    const starting = stopped.values()
    const lane = async (): Promise<void> => {
      for (const index of starting) await this.start(index)
    }
    await Promise.all(Array.from({ length: PARALLEL_STARTS }, lane))
  }

  /** Starts a stopped peer, on the disk it has and the port it had. With `wipe` as a new peer on an empty disk. */
  async start(index: number, { wipe = false } = {}): Promise<PeerSnapshot> {
    // Starts run in parallel: one that fails ends the testnet, and the others must not put peers into it afterwards.
    if (this.#ended) throw new Error('this testnet has ended')
    const peer = this.peer(index)
    const fresh = wipe || peer.starts === 0
    if (wipe) peer.wipe()
    const snapshot = await peer.start({
      actors: this.#options.actors ?? DEMO_ACTORS,
      name: `peer-${index}`,
      ...this.#options.peer?.(index),
      ...(this.#links !== undefined && {
        listen: [`/ip4/127.0.0.1/tcp/${this.#links.ports[index]}`],
        routes: this.#links.routes(index),
      }),
      // One that has its disk needs neither: it knows its mesh.
      ...(fresh && this.#invite !== undefined && { invite: this.#invite, join: this.#otherAddresses(index) }),
    })
    this.#invite ??= await peer.request('invite', undefined)
    return snapshot
  }

  /** Ends a peer in good order, as for a restart of its machine. Nothing is handed over; its disk stays. */
  stop = (index: number): Promise<void> => this.peer(index).stop('close')
  /** Has a peer hand its actors over, leave, and end. */
  leave = (index: number): Promise<void> => this.peer(index).stop('leave')
  kill = (index: number): Promise<void> => this.peer(index).kill()
  freeze = (index: number): void => this.peer(index).freeze()
  thaw = (index: number): void => this.peer(index).thaw()

  /**
   * From now on a peer's disk takes only so many bytes more, where {@link canFillDisk}; its next change fails, and a peer whose
   * disk fails stops by itself. {@link restart} gives it room again.
   */
  fillDisk(index: number, spareBytes = 0): void {
    const { pid, dir } = this.peer(index)
    if (pid === undefined) throw new Error(`peer ${index} is not running`)
    fillDisk(pid, dir, spareBytes)
  }
  /** Every sync of a peer takes so much longer, in milliseconds, until 0 is set or it is started again. */
  async slowDisk(index: number, syncMs: number): Promise<void> {
    await this.peer(index).request('disk', { syncMs })
  }

  /** Kills a peer if it runs, and starts it again. */
  async restart(index: number, options: { readonly wipe?: boolean } = {}): Promise<PeerSnapshot> {
    await this.kill(index)
    return this.start(index, options)
  }

  /** Calls an actor through a peer. Rejects with an error that has the node's `code`. */
  call(
    index: number,
    type: string,
    name: string,
    method: string,
    args: readonly unknown[] = [],
    timeoutMs?: number,
  ): Promise<unknown> {
    const body = { type, name, method, args, ...(timeoutMs !== undefined && { timeoutMs }) }
    return this.peer(index).request('call', body, (timeoutMs ?? 55_000) + 5_000)
  }

  createActor(index: number, type: string, name: string): Promise<undefined> {
    return this.peer(index).request('createActor', { type, name })
  }
  stopActor(index: number, type: string, name: string): Promise<undefined> {
    return this.peer(index).request('stopActor', { type, name })
  }

  /** Starts a load from within a peer; it is reported to `onLoad`. */
  load(index: number, plan: LoadPlan): Promise<undefined> {
    return this.peer(index).request('load', plan)
  }
  unload(index: number): Promise<undefined> {
    return this.peer(index).request('unload', undefined)
  }

  peer(index: number): Peer {
    const peer = this.peers[index]
    if (peer === undefined) throw new RangeError(`there is no peer ${index} among ${this.peers.length}`)
    return peer
  }

  /** What one running peer sees. */
  status(index: number): Promise<PeerSnapshot> {
    return this.peer(index).snapshot()
  }

  /** What every peer sees; those that are stopped, frozen or stuck see nothing. */
  views(): Promise<readonly PeerView[]> {
    return Promise.all(
      this.peers.map(async (peer): Promise<PeerView> => {
        const { state, index, peerId } = peer
        const process = state.kind === 'stopped' ? state.why : state.kind
        const seen = state.kind === 'running' ? await peer.snapshot().catch(() => undefined) : undefined
        return { index, process, peerId, seen }
      }),
    )
  }

  /** The index of the running peer that hosts an actor, as a majority of the answering peers' registries have it. */
  hostOf(views: readonly PeerView[], type: string, name: string): number {
    const votes = answering(views).map(
      ({ seen }) => seen.actors.find((actor) => actor.type === type && actor.name === name)?.peer?.peerId,
    )
    return this.#elected(votes, `host of ${type}/${name}`)
  }

  headOf(views: readonly PeerView[]): number {
    return this.#elected(
      answering(views).map(({ seen }) => seen.status.head?.peerId),
      'head',
    )
  }

  #elected(votes: readonly (string | undefined)[], what: string): number {
    const winner = votes.find((vote) => votes.filter((each) => each === vote).length * 2 > votes.length)
    const index = this.peers.findIndex((peer) => winner !== undefined && peer.peerId === winner)
    if (index === -1) throw new Error(`the peers do not agree on the ${what}: ${votes.join(', ')}`)
    return index
  }

  /** Waits until the running peers see exactly each other and agree on a head. */
  settled(timeoutMs?: number): Promise<readonly PeerView[]> {
    return this.waitUntil('the running peers see each other and agree on a head', isSettled, timeoutMs)
  }

  /** Waits until every running peer holds this one to be gone. */
  noticed(index: number, timeoutMs?: number): Promise<readonly PeerView[]> {
    const lost = this.peer(index).peerId ?? ''
    return this.waitUntil(
      `the others notice that peer ${index} is gone`,
      (views) => answering(views).every(({ seen }) => !aliveIn(seen).includes(lost)),
      timeoutMs,
    )
  }

  /** Polls until the condition holds and resolves with the views it held for; rejects with a dump of every peer. */
  async waitUntil(
    what: string,
    holds: (views: readonly PeerView[]) => boolean | Promise<boolean>,
    timeoutMs: number = DEFAULT_WAIT_MS,
  ): Promise<readonly PeerView[]> {
    const deadline = performance.now() + timeoutMs
    let views = await this.views()
    while (!(await holds(views))) {
      if (performance.now() > deadline)
        throw new Error(this.#dump(`after ${timeoutMs} ms, not: ${what}`, views))
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
      views = await this.views()
    }
    return views
  }

  /** Kills every process and removes every file. */
  async end(): Promise<void> {
    this.#ended = true
    await Promise.all(this.peers.map((peer) => peer.kill()))
    this.#links?.end()
    this.#keepLogs()
    const own = this.peers.flatMap(({ dir, logFile }) => [dir, logFile])
    for (const path of this.#options.dir === undefined ? [this.dir] : own)
      await rm(path, { recursive: true, force: true, maxRetries: 3 })
  }

  #keepLogs(): void {
    const parent = process.env['TESTNET_LOGS']
    if (parent === undefined) return
    const dir = join(parent, basename(this.dir))
    mkdirSync(dir, { recursive: true })
    for (const peer of this.peers) peer.copyLog(dir)
  }

  #dump(title: string, views: readonly PeerView[]): string {
    const tails = this.peers.map((peer) => `--- log of peer ${peer.index}\n${peer.logTail()}`)
    return [title, ...views.map(dumpView), ...tails].join('\n')
  }

  #otherAddresses(index: number): readonly string[] {
    return this.peers.filter((peer) => peer.index !== index).flatMap((peer) => peer.addresses)
  }
}
