// One run: a mesh of real processes comes up, clients work, faults happen as planned, everything is healed, everything must
// answer, and the history of all operations is judged.

import type { PeerEvent } from '../ipc.ts'
import { canLosePackets } from '../packets/netns.ts'
import { type PacketCounts, packetCounts } from '../packets/packet-loss.ts'
import { createTestnet, type Testnet } from '../testnet.ts'
import { answering, glimpse, isWhole, type PeerGlimpse, type PeerView } from '../view.ts'
import { Attacker } from './attack.ts'
import { readEnds } from './ends.ts'
import type { FaultRecord } from './faults.ts'
import { History } from './history.ts'
import { judge } from './judge.ts'
import { loadWorkloads } from './load-workloads.ts'
import type { Loss } from './measure.ts'
import { type FaultKind, planOf } from './plan.ts'
import { type Sample, sample } from './sample.ts'
import { machineNow, type Problem, type Promised, type Recorded, type Workload } from './workload.ts'

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
export const CHAOS_ACTORS = new URL(`./workloads/actors.${extension}`, import.meta.url).href
export const CHAOS_WORKLOADS = new URL(`./workloads/index.${extension}`, import.meta.url).href

export interface ChaosOptions {
  readonly peers: number
  /** How long faults happen. */
  readonly seconds: number
  readonly seed: number
  readonly kinds: readonly FaultKind[]
  /** Names of the module's workloads; all when empty. */
  readonly workloads: readonly string[]
  /** URL of a module with workloads; and of one with their actors. Default: those built in. */
  readonly workloadModule?: string
  readonly actorModule?: string
  readonly clientsPerPeer: number
  /** Between two operations of a client, on average. */
  readonly paceMs: number
  /** Between two faults, on average. */
  readonly gapMs: number
  readonly onProgress?: (progress: ChaosProgress) => void
  readonly teardown?: (end: () => Promise<void>) => void
}

export interface ChaosProgress {
  readonly phase: string
  readonly elapsedMs: number
  readonly acknowledged: number
  readonly failed: number
  /** Faults under way, and how many there were. */
  readonly active: readonly FaultRecord[]
  readonly faults: number
  /** Promises that the history so far breaks. */
  readonly broken: readonly Promised[]
  readonly peers: readonly PeerGlimpse[]
}

export interface ChaosResult {
  readonly ok: boolean
  readonly seed: number
  readonly peers: number
  readonly workloads: readonly string[]
  /** Everything wrong, worst first: what the history breaks, then what did not come back. */
  readonly problems: readonly Problem[]
  readonly stuck: readonly string[]
  readonly faults: readonly FaultRecord[]
  readonly history: readonly Recorded[]
  readonly acknowledged: number
  readonly failed: number
  readonly codes: ReadonlyMap<string, number>
  readonly samples: readonly Sample[]
  readonly losses: readonly Loss[]
  /** Where the run had a network namespace of its own. */
  readonly packets?: PacketCounts
  /** On the machine's clock. */
  readonly began: number
  readonly ended: number
}

const CALL_TIMEOUT_MS = 20_000
const CALM_MS = 2000
const SETTLED_MS = 60_000
const WHOLE_MS = 60_000
const LOOK_MS = 500
const CHECK_MS = 5000
/** All links pass through this process: a check that takes longer than this would be a fault of its own. */
const CHECK_MOST_MS = 100

export function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  return new Chaos(options).run()
}

class Chaos {
  readonly #options: ChaosOptions
  readonly #history = new History()
  readonly #samples: Sample[] = []
  readonly #losses: Loss[] = []
  readonly #stuck: string[] = []
  readonly #began = machineNow()
  /** The start of each peer that was given its clients. */
  readonly #drivenStart = new Map<number, number>()
  #workloads: readonly Workload[] = []
  #attacker: Attacker | undefined
  #views: readonly PeerView[] = []
  #broken: readonly Promised[] = []
  #checkedAt = 0
  #checkTook = 0
  #driving = true
  #phase = 'starting'

  constructor(options: ChaosOptions) {
    this.#options = options
  }

  async run(): Promise<ChaosResult> {
    const { peers, teardown, actorModule, workloadModule, workloads } = this.#options
    this.#workloads = await loadWorkloads(workloadModule ?? CHAOS_WORKLOADS, workloads)
    this.#enter(`starting ${peers} peers`)
    const net = await createTestnet(peers, {
      links: true,
      actors: actorModule ?? CHAOS_ACTORS,
      ...(teardown !== undefined && { teardown }),
      onOperation: (peer, event) => this.#history.take(peer, event),
      onEvent: (peer, event) => this.#hear(peer, event),
    })
    const looking = setInterval(() => void this.#look(net), LOOK_MS)
    try {
      await Promise.race([this.#play(net), this.#history.broken])
      return this.#result()
    } finally {
      this.#driving = false
      clearInterval(looking)
      await net.end()
    }
  }

  async #play(net: Testnet): Promise<void> {
    // One that ends again before it has its clients goes without.
    const attacker = new Attacker(net, (peer) => void this.#drive(net, peer).catch(() => {}))
    this.#attacker = attacker
    await Promise.all(net.peers.map(({ index }) => this.#drive(net, index)))
    this.#enter('calm')
    await sleep(CALM_MS)
    this.#enter('under attack')
    await this.#attack(attacker)
    this.#enter('healing')
    await attacker.healAll()
    this.#stuck.push(...attacker.failures)
    await this.#comesBack('the peers do not see each other and agree on a head', net.settled(SETTLED_MS))
    this.#enter('copies are being restored')
    const whole = net.waitUntil(
      'every actor has its copies on live peers',
      (views) =>
        answering(views).length === net.peers.length && answering(views).every(({ seen }) => isWhole(seen)),
      WHOLE_MS,
    )
    await this.#comesBack('not every actor has its copies again', whole)
    await sleep(CALM_MS)
    this.#enter('the clients finish')
    this.#driving = false
    const resting = net.peers.map((peer) => peer.request('rest', undefined, CALL_TIMEOUT_MS * 2))
    await this.#comesBack('not all clients finish', Promise.all(resting))
    this.#enter('reading every actor')
    this.#stuck.push(...(await readEnds(net, this.#workloads, this.#history)))
  }

  async #attack(attacker: Attacker): Promise<void> {
    const { seed, seconds, kinds, gapMs } = this.#options
    const began = machineNow()
    for (const planned of planOf({ seed, lastsMs: seconds * 1000, kinds, gapMs })) {
      await sleep(Math.max(0, began + planned.at - machineNow()))
      if (!this.#driving) return // the run was given up
      await attacker.attack(planned)
    }
    await sleep(Math.max(0, began + seconds * 1000 - machineNow()))
  }

  /** Clients of a peer that has just started; one that is there still has its own. */
  async #drive(net: Testnet, peer: number): Promise<void> {
    const { seed, clientsPerPeer, paceMs, workloadModule, workloads } = this.#options
    const { starts, state } = net.peer(peer)
    if (state.kind !== 'running' || !this.#driving || this.#drivenStart.get(peer) === starts) return
    this.#drivenStart.set(peer, starts)
    await net.peer(peer).request('drive', {
      workloads: workloadModule ?? CHAOS_WORKLOADS,
      names: workloads,
      clients: clientsPerPeer,
      paceMs,
      timeoutMs: CALL_TIMEOUT_MS,
      seed: seed * 1_000_003 + peer * 1009 + starts,
      prefix: `p${peer}.${starts}`,
    })
  }

  async #comesBack(what: string, condition: Promise<unknown>): Promise<void> {
    await condition.catch((error: unknown) => {
      this.#stuck.push(`${what}: ${error instanceof Error ? error.message : String(error)}`)
    })
  }

  #result(): ChaosResult {
    const history = this.#history.operations
    const problems = judge(this.#workloads, history, true)
    const faults = this.#attacker?.records ?? []
    return {
      ok: problems.length === 0 && this.#stuck.length === 0 && this.#history.acknowledged > 0,
      seed: this.#options.seed,
      peers: this.#options.peers,
      workloads: this.#workloads.map(({ name }) => name),
      problems,
      stuck: this.#stuck,
      faults,
      history,
      acknowledged: this.#history.acknowledged,
      failed: this.#history.failed,
      codes: this.#history.codes,
      samples: this.#samples,
      losses: this.#losses,
      ...(canLosePackets() && { packets: packetCounts() }),
      began: this.#began,
      ended: machineNow(),
    }
  }

  async #look(net: Testnet): Promise<void> {
    this.#views = await net.views()
    const now = machineNow()
    const samples = net.peers.map((peer) => sample(peer, this.#views, now - this.#began))
    this.#samples.push(...(await Promise.all(samples)).flat())
    if (now - this.#checkedAt > CHECK_MS && this.#checkTook <= CHECK_MOST_MS) {
      this.#checkedAt = machineNow()
      this.#broken = this.#judgeSoFar()
      this.#checkTook = machineNow() - this.#checkedAt
    }
    this.#tell()
  }

  #hear(by: number, { event, detail, at }: PeerEvent): void {
    if (event !== 'peer:lost') return
    const lost = Number(/^peer-(\d+)$/.exec(detail.name)?.[1])
    // Told on the wall clock a moment ago.
    this.#losses.push({ by, lost, at: machineNow() - Math.max(0, Date.now() - at) })
  }

  #judgeSoFar(): readonly Promised[] {
    try {
      const problems = judge(this.#workloads, this.#history.operations, false)
      return [...new Set(problems.map(({ promise }) => promise))]
    } catch (error) {
      this.#history.break(error)
      return this.#broken
    }
  }

  #enter(phase: string): void {
    this.#phase = phase
    this.#tell()
  }

  #tell(): void {
    this.#options.onProgress?.({
      phase: this.#phase,
      elapsedMs: machineNow() - this.#began,
      acknowledged: this.#history.acknowledged,
      failed: this.#history.failed,
      active: this.#attacker?.active ?? [],
      faults: this.#attacker?.records.filter(({ skipped }) => skipped === undefined).length ?? 0,
      broken: this.#broken,
      peers: this.#views.map(glimpse),
    })
  }
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
