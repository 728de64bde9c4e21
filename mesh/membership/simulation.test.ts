// Many machines on a simulated network (network.testing.ts): what must come out, over many seeds.

import { expect, test } from 'vitest'
import { type Process, TestNetwork } from './network.testing.ts'
import type { Fact } from './types.ts'

const seeds = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1)
const any = (network: TestNetwork, processes: readonly Process[]): Process =>
  processes[Math.floor(network.random() * processes.length)]!
const quantile = (values: readonly number[], share: number): number =>
  [...values].sort((x, y) => x - y)[Math.min(values.length - 1, Math.ceil(values.length * share) - 1)]!

/** Counts deaths of processes that are in fact alive, from now on. */
function falseDeaths(network: TestNetwork, except: readonly Process[] = []): { count: number } {
  const result = { count: 0 }
  network.onEffect = (process, effect) => {
    if (effect.type !== 'changed' || effect.after !== 'dead') return
    const subject = network.processes.get(effect.peer)
    const boot = process.membership.get(effect.peer)?.boot
    if (subject?.running && subject.boot === boot && !except.includes(subject)) result.count += 1
  }
  return result
}

/** From now on, who saw a boot dead or gone sees it live again only by that boot's own later word (M3, F2). */
function expectNoRevival(network: TestNetwork, seed: number): void {
  network.onEffect = (process, effect) => {
    if (effect.type !== 'changed' || (effect.after !== 'alive' && effect.after !== 'suspect')) return
    const { boot, incarnation, liveness } = process.membership.get(effect.peer)!
    const buried = process.buried.get(boot)
    if (buried === undefined || liveness !== effect.after) return
    const own = network.history.get(boot)!.membership.self.incarnation
    if (incarnation <= buried || incarnation > own) {
      throw new Error(
        `seed ${seed}: ${process.peer} revived ${boot}@${incarnation}, dead @${buried}, own @${own}`,
      )
    }
  }
}

function settle(network: TestNetwork, ms: number, label: string): number {
  const took = network.run(ms, () => network.converged())
  if (!network.converged()) throw new Error(`${label}: not converged after ${ms} ms\n${network.dump()}`)
  return took
}

test.each([2, 5, 20, 50])('%i peers that start together find each other within seconds', (size) => {
  const network = new TestNetwork({ seed: size, loss: 0.02 })
  for (let i = 0; i < size; i++) network.start(`p${i}`)
  expect(settle(network, 10_000, 'start')).toBeLessThan(8000)
})

test.each([
  [2, 60, 3100],
  [3, 60, 3000],
  [5, 150, 3000],
  [20, 60, 3000],
])(
  '%i peers: a frozen one is dead for all within 3 s (99 of 100), and nobody else ever is',
  (size, runs, limit) => {
    const times: number[] = []
    for (const seed of seeds(runs)) {
      const network = TestNetwork.of({ seed }, size)
      network.run(Math.floor(network.random() * 1000))
      const victim = any(network, network.running())
      const wrong = falseDeaths(network, [victim])
      network.freeze(victim)
      const others = network.running().filter((process) => process !== victim)
      const gone = () => others.every((p) => p.membership.get(victim.peer)?.liveness === 'dead')
      times.push(network.run(10_000, gone))
      expect(wrong.count).toBe(0)
      network.thaw(victim)
      settle(network, 10_000, `thaw, seed ${seed}`) // It hears of its death and refutes.
    }
    expect(quantile(times, 0.99)).toBeLessThanOrEqual(limit)
  },
)

test.each([5, 50])('%i peers: a killed process is dead for all in a fraction of a second', (size) => {
  for (const seed of seeds(10)) {
    const network = TestNetwork.of({ seed, loss: 0.02 }, size)
    network.kill(any(network, network.running()))
    expect(settle(network, 5000, `seed ${seed}`)).toBeLessThan(100)
  }
})

test('a machine that loses power takes the probe path', () => {
  for (const seed of seeds(20)) {
    const network = TestNetwork.of({ seed, loss: 0.02 }, 5)
    network.kill(any(network, network.running()), true)
    expect(settle(network, 10_000, `seed ${seed}`)).toBeLessThan(4000)
  }
})

test('nobody dies of stalls up to 700 ms, of a third of all event loops every second', () => {
  for (const size of [5, 20]) {
    for (const seed of seeds(size === 5 ? 20 : 5)) {
      const network = TestNetwork.of({ seed }, size)
      const wrong = falseDeaths(network)
      for (let second = 0; second < 40; second++) {
        for (const process of network.running()) {
          if (network.random() < 0.3) network.freeze(process, 50 + network.random() * 650)
        }
        network.run(1000)
      }
      expect(wrong.count).toBe(0)
    }
  }
})

test('one machine whose event loop is hardly there does not bring the others down', () => {
  for (const seed of seeds(20)) {
    const network = TestNetwork.of({ seed }, 5)
    const sick = network.peer(0)
    const wrong = falseDeaths(network, [sick])
    for (let i = 0; i < 40; i++) {
      network.freeze(sick, 200 + network.random() * 1300)
      network.run(1600)
    }
    expect(wrong.count).toBe(0)
  }
})

test('nobody dies of a link that carries one way only, nor of 10 % loss', () => {
  for (const seed of seeds(20)) {
    const network = TestNetwork.of({ seed, loss: seed % 2 === 0 ? 0.1 : 0 }, 5)
    const wrong = falseDeaths(network)
    if (seed % 2 === 1) network.cut(network.peer(1), network.peer(3))
    network.run(30_000)
    expect(wrong.count).toBe(0)
  }
})

test('two halves that cannot hear each other bury each other, and meet again over the same connections', () => {
  for (const seed of seeds(10)) {
    const network = TestNetwork.of({ seed }, 6)
    const [left, right] = [
      [0, 1, 2],
      [3, 4, 5],
    ].map((half) => half.map((i) => network.peer(i))) as [Process[], Process[]]
    for (const one of left) {
      for (const other of right) {
        network.cut(one, other)
        network.cut(other, one)
      }
    }
    network.run(8000)
    for (const process of left) {
      for (const other of right) expect(process.membership.get(other.peer)?.liveness).toBe('dead')
    }
    network.heal()
    expect(settle(network, 15_000, `seed ${seed}`)).toBeLessThan(8000)
  }
})

test('a peer that comes back with the same ID is a new boot to all, even when its clock went back', () => {
  for (const seed of seeds(20)) {
    const network = TestNetwork.of({ seed, loss: 0.02 }, 5)
    expectNoRevival(network, seed)
    const old = any(network, network.running())
    network.kill(old, seed % 2 === 0)
    network.run(network.random() * 4000)
    const back = network.start(old.peer, seed % 3 === 0 ? 5 : undefined)
    settle(network, 10_000, `seed ${seed}`)
    for (const process of network.running()) expect(process.membership.get(back.peer)?.boot).toBe(back.boot)
  }
})

test('a peer that leaves is gone for all at once, and for good', () => {
  for (const seed of seeds(10)) {
    const network = TestNetwork.of({ seed, loss: 0.2 }, 5)
    const leaver = any(network, network.running())
    network.step(leaver, { type: 'leave' })
    network.run(20)
    network.kill(leaver)
    network.run(5000)
    for (const process of network.running()) {
      expect(process.membership.get(leaver.peer)?.liveness).toBe('left')
    }
  }
})

test('a description and a load reach everybody', () => {
  const network = TestNetwork.of({ seed: 1, loss: 0.1 }, 10)
  const one = network.peer(4)
  network.step(one, {
    type: 'describe',
    description: { ...one.membership.self.description, name: 'renamed' },
  })
  network.step(one, { type: 'load', load: 12 })
  const known = (member: Fact | undefined) => member?.description.name === 'renamed' && member.load === 12
  const took = network.run(20_000, () => network.running().every((p) => known(p.membership.get(one.peer))))
  expect(took).toBeLessThan(10_000)
})

test('with all gossip lost, probes alone carry a death to everybody', () => {
  const network = TestNetwork.of({ seed: 3 }, 20)
  network.gossipLoss = 1
  network.kill(network.peer(7), true)
  settle(network, 10_000, 'no gossip')
})

test('messages per peer do not grow with the mesh', () => {
  const traffic = (process: Process) => process.sent + process.received
  const cost = (size: number, event: (network: TestNetwork) => void, seconds = 10): number => {
    const network = TestNetwork.of({ seed: size }, size)
    const before = network.running().map(traffic)
    event(network)
    network.run(seconds * 1000)
    const after = network.running().map(traffic)
    return after.reduce((sum, count, i) => sum + count - (before[i] ?? 0), 0) / after.length / seconds
  }
  const idle = (size: number) => cost(size, () => {})
  const death = (size: number) => cost(size, (network) => network.freeze(network.peer(size - 1)))
  const [few, many] = [idle(10), idle(100)]
  expect(few).toBeLessThan(22) // five pings, five pongs, now and then a view, sent and received
  expect(many).toBeLessThan(few * 1.1)
  expect(death(100)).toBeLessThan(death(10) * 1.2)
  const kill = (size: number) => cost(size, (network) => network.kill(network.peer(size - 1)), 1)
  expect(kill(100)).toBeLessThan(kill(10) + 15) // Everybody sees it at once; a few say so.
})

test('any mischief, then peace: all agree, and no boot that ended came back', () => {
  for (const seed of seeds(300)) {
    const size = 3 + (seed % 5)
    const network = TestNetwork.of({ seed, loss: seed % 3 === 0 ? 0.1 : 0 }, size)
    expectNoRevival(network, seed)
    for (let event = 0; event < 8; event++) {
      const running = network.running()
      const [one, other] = [any(network, running), any(network, running)]
      const dice = network.random()
      if (dice < 0.2) network.freeze(one, network.random() * 6000)
      else if (dice < 0.35 && running.length > 2) network.kill(one, network.random() < 0.5)
      else if (dice < 0.55) {
        const ended = [...network.processes.values()].filter((process) => !process.running)
        if (ended.length > 0) network.start(any(network, ended).peer)
      } else if (dice < 0.75 && one !== other) network.cut(one, other)
      else if (dice < 0.85) network.heal()
      else network.freeze(one, network.random() * 700)
      network.run(network.random() * 3000)
    }
    network.heal()
    network.loss = 0
    for (const process of network.running()) network.thaw(process)
    settle(network, 20_000, `seed ${seed}`)
  }
})
