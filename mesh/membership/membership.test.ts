// One machine, step by step.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bootId, peerId } from '../ids.ts'
import { Membership } from './membership.ts'
import { description, firstFact, seededRandom } from './network.testing.ts'
import { defaultMembershipSettings, FACTS_PER_VIEW, MAX_MEMBERS } from './settings.ts'
import type { Fact, Liveness, MembershipEffect, MembershipInput, MembershipMessage } from './types.ts'

const settings = defaultMembershipSettings
const [a, b, c] = ['a', 'b', 'c'].map(peerId) as [Fact['peer'], Fact['peer'], Fact['peer']]
const aBoot = bootId(a, '1')
const bBoot = bootId(b, '1')
const fact = (peer: string, change: Partial<Fact> = {}): Fact => ({
  ...firstFact(peer, '1', 1000),
  ...change,
})

/** A machine of peer `a` with the clock in the test's hand. */
class Bench {
  readonly machine = new Membership({ self: fact('a'), settings, random: seededRandom(1) })
  now = 0
  step(input: MembershipInput): MembershipEffect[] {
    return this.machine.step(input, this.now)
  }
  hear(...facts: Fact[]): MembershipEffect[] {
    return this.step({ type: 'gossip', from: c, facts })
  }
  message(from: Fact['peer'], message: MembershipMessage): MembershipEffect[] {
    return this.step({ type: 'message', from, message })
  }
  /** Ticks as asked for, until `until`; pongs come from whoever `answers`. */
  run(ms: number, answers: readonly string[] = []): MembershipEffect[] {
    const all: MembershipEffect[] = []
    for (const end = this.now + ms; this.now < end; this.now += 25) {
      const effects = this.step({ type: 'tick' })
      all.push(...effects)
      for (const e of effects) {
        if (e.type !== 'send' || e.message.kind !== 'ping' || !answers.includes(e.to)) continue
        all.push(
          ...this.message(e.to, { kind: 'pong', seq: e.message.seq, facts: [this.machine.get(e.to)!] }),
        )
      }
    }
    return all
  }
  liveness(peer: string): Liveness | undefined {
    return this.machine.get(peerId(peer))?.liveness
  }
}
const connectedTo = (...peers: string[]): Bench => {
  const bench = new Bench()
  for (const peer of peers) {
    bench.step({ type: 'connected', peer: peerId(peer), boot: fact(peer).boot })
    bench.message(peerId(peer), { kind: 'view', facts: [fact(peer)], reply: false })
  }
  return bench
}
const published = (effects: readonly MembershipEffect[]): Fact[] =>
  effects.flatMap((e) => (e.type === 'publish' ? e.facts : []))
const sent = (effects: readonly MembershipEffect[], kind: string) =>
  effects.flatMap((e) => (e.type === 'send' && e.message.kind === kind ? [e] : []))
const toldOf = (effects: readonly MembershipEffect[], kind: string, peer: string): string[] =>
  sent(effects, kind).map(({ to, message }) => {
    const told = 'facts' in message ? message.facts.find((f) => f.peer === peer) : undefined
    return `${to}: ${told?.liveness}`
  })
const peersIn = (effect: ReturnType<typeof sent>[number] | undefined): Fact['peer'][] =>
  effect !== undefined && 'facts' in effect.message ? effect.message.facts.map((f) => f.peer) : []

describe('views', () => {
  test('a view in several parts is answered with what is in none of them', () => {
    const facts = Array.from({ length: FACTS_PER_VIEW + 1 }, (_, i) => fact(`p${i}`))
    const [early, late] = [facts.slice(0, FACTS_PER_VIEW), facts.slice(FACTS_PER_VIEW)]
    const bench = connectedTo('b')
    bench.hear(fact('c'))
    bench.message(b, { kind: 'view', facts: early, reply: false })
    const [answer, ...more] = sent(bench.message(b, { kind: 'view', facts: late, reply: true }), 'view')
    expect(peersIn(answer)).toEqual(['a', 'b', 'c'])
    expect(more).toEqual([])
  })

  test('parts that another boot told before it lost them count for nothing', () => {
    const facts = Array.from({ length: FACTS_PER_VIEW }, (_, i) => fact(`p${i}`))
    const bench = connectedTo('b')
    bench.message(b, { kind: 'view', facts, reply: false })
    bench.step({ type: 'disconnected', peer: b, boot: bBoot, refused: false })
    bench.step({ type: 'connected', peer: b, boot: bootId(b, '2') })
    const answers = sent(bench.message(b, { kind: 'view', facts: [], reply: true }), 'view')
    expect(answers.flatMap(peersIn)).toHaveLength(FACTS_PER_VIEW + 2)
  })

  test('on connect the whole view goes out, and asks for the other', () => {
    const bench = new Bench()
    bench.hear(fact('b'), fact('c'))
    const [view] = sent(bench.step({ type: 'connected', peer: b, boot: bBoot }), 'view')
    expect(view).toMatchObject({ to: 'b', message: { reply: true } })
    expect(peersIn(view)).toEqual(['a', 'b', 'c'])
    expect(bench.machine.get(b)).toMatchObject({ connected: true })
  })

  test('an answer carries what the asker lacks or has older, and the own fact', () => {
    const bench = new Bench()
    bench.hear(fact('b'), fact('c'), fact('d', { incarnation: 2 }))
    const theirs = [fact('b'), fact('d', { incarnation: 1 }), fact('e')]
    const [answer] = sent(bench.message(b, { kind: 'view', facts: theirs, reply: true }), 'view')
    expect(answer).toMatchObject({ to: 'b', message: { reply: false } })
    expect(peersIn(answer)).toEqual(['a', 'c', 'd'])
    expect(bench.machine.members().map((m) => m.peer)).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  test('a connection to another boot than the known one is not a connection to it', () => {
    const bench = connectedTo('b')
    bench.step({ type: 'disconnected', peer: b, boot: bBoot, refused: false })
    bench.step({ type: 'connected', peer: b, boot: bootId(b, '2') })
    expect(bench.machine.get(b)?.connected).toBe(false)
    bench.hear(fact('b', { boot: bootId(b, '2'), startedAt: 2000 }))
    expect(bench.machine.get(b)?.connected).toBe(true)
  })
})

describe('M2 this peer', () => {
  test('refutes suspicion and death of its boot with one incarnation more, and publishes it', () => {
    const bench = connectedTo('b')
    bench.now = 1000
    expect(published(bench.hear(fact('a', { liveness: 'suspect', by: c })))).toMatchObject([
      { incarnation: 1, liveness: 'alive' },
    ])
    bench.now = 2000
    expect(published(bench.hear(fact('a', { liveness: 'dead', incarnation: 40, by: c })))).toMatchObject([
      { incarnation: 41 },
    ])
    expect(bench.hear(fact('a', { liveness: 'dead', incarnation: 40, by: c }))).toEqual([])
  })

  test('a burst of accusations costs few publications', () => {
    const bench = connectedTo('b')
    let count = 0
    for (let i = 0; i < 1000; i++) {
      bench.now += 1
      count += published(bench.hear(fact('a', { liveness: 'suspect', incarnation: i, by: c }))).length
      count += published(bench.step({ type: 'tick' })).filter((f) => f.peer === a).length
    }
    expect(count).toBeLessThanOrEqual(12)
    expect(bench.machine.self).toMatchObject({ liveness: 'alive', incarnation: 1000 })
  })

  test('ignores its older boots, and overtakes one that its clock made look newer', () => {
    const bench = new Bench()
    expect(bench.hear(fact('a', { boot: bootId(a, '0'), startedAt: 900, liveness: 'dead', by: c }))).toEqual(
      [],
    )
    bench.hear(fact('a', { boot: bootId(a, '0'), startedAt: 5000, liveness: 'dead', by: c }))
    expect(bench.machine.self).toMatchObject({
      boot: aBoot,
      startedAt: 5001,
      incarnation: 0,
      liveness: 'alive',
    })
  })

  test('describe: a new incarnation, published; the same description is no news', () => {
    const bench = connectedTo('b')
    bench.now = 1000
    expect(bench.step({ type: 'describe', description: description('a') })).toEqual([])
    const effects = bench.step({ type: 'describe', description: { ...description('a'), name: 'new' } })
    expect(published(effects)).toMatchObject([{ incarnation: 1, description: { name: 'new' } }])
    expect(effects).toContainEqual({ type: 'changed', peer: a, before: 'alive', after: 'alive' })
  })

  test('load is not published; it rides on pongs, and is believed of the peer itself only', () => {
    const bench = connectedTo('b')
    expect(bench.step({ type: 'load', load: 7 })).toEqual([])
    const [pong] = sent(bench.message(b, { kind: 'ping', seq: 5, facts: [fact('b', { load: 3 })] }), 'pong')
    expect(pong).toMatchObject({ to: 'b', message: { seq: 5, facts: [{ peer: 'a', load: 7 }] } })
    expect(bench.machine.get(b)?.load).toBe(3)
    bench.message(c, { kind: 'ping', seq: 6, facts: [fact('b', { load: 9 })] })
    expect(bench.machine.get(b)?.load).toBe(3)
  })

  test('leave is published at once and told directly; it answers, but probes and refutes no more', () => {
    const bench = connectedTo('b')
    const effects = bench.step({ type: 'leave' })
    expect(published(effects)).toMatchObject([{ peer: 'a', liveness: 'left' }])
    expect(sent(effects, 'view')).toMatchObject([{ to: 'b' }])
    expect(bench.step({ type: 'leave' })).toEqual([])
    expect(bench.run(60_000)).toEqual([])
    expect(bench.hear(fact('a', { liveness: 'dead', by: c }))).toEqual([])
    expect(sent(bench.message(b, { kind: 'ping', seq: 1, facts: [] }), 'pong')).toMatchObject([
      { message: { facts: [{ liveness: 'left' }] } },
    ])
  })

  test('reboot: a newer boot whatever the clock says, incarnation 0, published', () => {
    const bench = connectedTo('b')
    bench.now = 1000
    const boot = bootId(a, '2')
    expect(published(bench.step({ type: 'reboot', boot, startedAt: 5 }))).toMatchObject([
      { boot, startedAt: 1001, incarnation: 0, liveness: 'alive' },
    ])
    expect(bench.hear(fact('a', { liveness: 'dead', by: c }))).toEqual([]) // the old boot
  })
})

describe('M3 the dead', () => {
  test('stay dead but for a higher incarnation or a new boot; those who left, but for a new boot', () => {
    const bench = new Bench()
    bench.hear(fact('b'), fact('b', { liveness: 'dead', by: c }))
    bench.hear(fact('b'), fact('b', { liveness: 'suspect', by: c }))
    expect(bench.liveness('b')).toBe('dead')
    bench.hear(fact('b', { incarnation: 1 }))
    expect(bench.liveness('b')).toBe('alive')
    bench.hear(fact('b', { incarnation: 1, liveness: 'left' }), fact('b', { incarnation: 9 }))
    expect(bench.liveness('b')).toBe('left')
    bench.hear(fact('b', { boot: bootId(b, '2'), startedAt: 1001 }))
    expect(bench.liveness('b')).toBe('alive')
    bench.hear(fact('b', { incarnation: 99, liveness: 'dead', by: c }))
    expect(bench.liveness('b')).toBe('alive')
  })

  test('are remembered for forgetAfterMs, then forgotten, and not learnt of anew', () => {
    const bench = new Bench()
    bench.hear(fact('b'), fact('b', { liveness: 'dead', by: c }))
    bench.now = settings.forgetAfterMs - 1000
    bench.run(900)
    expect(bench.liveness('b')).toBe('dead')
    bench.run(7000)
    expect(bench.liveness('b')).toBeUndefined()
    bench.hear(fact('b', { liveness: 'dead', by: c }), fact('b', { liveness: 'left' }))
    expect(bench.liveness('b')).toBeUndefined()
  })

  test('whose messages still arrive are told, rarely, so that they can refute', () => {
    const bench = connectedTo('b', 'c')
    bench.hear(fact('b', { liveness: 'dead', by: c }))
    const pings = () =>
      toldOf(bench.message(b, { kind: 'pingAck', seq: 77, target: c, ok: true }), 'ping', 'b')
    expect(pings()).toEqual(['b: dead'])
    expect(pings()).toEqual([])
    bench.now += 1000
    expect(pings()).toHaveLength(1)
  })
})

describe('connections', () => {
  test('refused: dead and published at once', () => {
    const bench = connectedTo('b', 'c')
    const effects = bench.step({ type: 'disconnected', peer: b, boot: bBoot, refused: true })
    expect(published(effects)).toMatchObject([{ peer: 'b', liveness: 'dead', by: 'a' }])
    expect(effects).toContainEqual({ type: 'changed', peer: b, before: 'alive', after: 'dead' })
  })

  test('R6 refused for a boot that is history changes nothing', () => {
    const bench = connectedTo('b')
    bench.hear(fact('b', { boot: bootId(b, '2'), startedAt: 2000 }))
    expect(bench.step({ type: 'disconnected', peer: b, boot: bBoot, refused: true })).toEqual([])
    expect(bench.liveness('b')).toBe('alive')
  })

  test('closed without refusal: the others are asked at once, out of turn', () => {
    const bench = connectedTo('b', 'c')
    const effects = bench.step({ type: 'disconnected', peer: b, boot: bBoot, refused: false })
    expect(sent(effects, 'pingReq')).toMatchObject([{ to: 'c', message: { target: 'b' } }])
    expect(bench.liveness('b')).toBe('alive')
    bench.run(500, ['c'])
    expect(bench.liveness('b')).toBe('suspect')
  })
})

describe('probes', () => {
  test('direct, then through others, then suspect, then dead', () => {
    const bench = connectedTo('b', 'c')
    const story: string[] = []
    for (; bench.now < 5000 && bench.liveness('b') !== 'dead'; bench.now += 25) {
      for (const e of bench.run(25, ['c'])) {
        if (e.type === 'send' && (e.to === 'b' || e.message.kind === 'pingReq'))
          story.push(`${e.message.kind} to ${e.to}`)
        if (e.type === 'publish')
          story.push(...e.facts.filter((f) => f.peer === b).map((f) => `publish ${f.liveness}`))
      }
      bench.now -= 25
    }
    const dull = story.filter((line, i) => line !== story[i - 1])
    expect(dull.slice(0, 3)).toEqual(['ping to b', 'pingReq to c', 'publish suspect'])
    expect(dull.at(-1)).toBe('publish dead')
    // Nobody confirmed: the longest suspicion.
    expect(bench.now).toBeGreaterThan(2.5 * settings.probeTimeoutMs + settings.suspicionMaxMs)
  })

  test('an answer through another counts, from those asked only', () => {
    for (const [from, expected] of [
      [c, 'alive'],
      [peerId('d'), 'suspect'],
    ] as const) {
      const bench = connectedTo('b', 'c')
      const [asked] = sent(
        bench.step({ type: 'disconnected', peer: b, boot: bBoot, refused: false }),
        'pingReq',
      )
      const { seq } = asked!.message as { seq: number }
      bench.message(from, { kind: 'pingAck', seq, target: b, ok: true })
      bench.run(450, ['c'])
      expect(bench.liveness('b')).toBe(expected)
    }
  })

  test('a pong of another boot does not answer for this one', () => {
    const bench = connectedTo('b')
    for (; bench.liveness('b') === 'alive' && bench.now < 5000; bench.now += 25) {
      for (const e of sent(bench.step({ type: 'tick' }), 'ping')) {
        const older = fact('b', { boot: bootId(b, '0'), startedAt: 1 })
        bench.message(b, { kind: 'pong', seq: (e.message as { seq: number }).seq, facts: [older] })
      }
    }
    expect(bench.liveness('b')).toBe('suspect')
  })

  test('pingReq: the target is pinged, its pong is passed on; silence and no connection are said to be so', () => {
    const bench = connectedTo('b', 'c')
    const [ping] = sent(bench.message(c, { kind: 'pingReq', seq: 9, target: b }), 'ping')
    const { seq } = ping!.message as { seq: number }
    expect(sent(bench.message(b, { kind: 'pong', seq, facts: [] }), 'pingAck')).toMatchObject([
      { to: 'c', message: { seq: 9, target: 'b', ok: true } },
    ])
    bench.message(c, { kind: 'pingReq', seq: 10, target: b })
    expect(sent(bench.run(400, ['c']), 'pingAck')).toMatchObject([
      { to: 'c', message: { seq: 10, ok: false } },
    ])
    expect(
      sent(bench.message(c, { kind: 'pingReq', seq: 11, target: peerId('z') }), 'pingAck'),
    ).toMatchObject([{ message: { seq: 11, ok: false } }])
    expect(sent(bench.message(c, { kind: 'pingReq', seq: 12, target: a }), 'pingAck')).toMatchObject([
      { message: { seq: 12, ok: true } },
    ])
  })

  test('a peer that stalled judges nobody for what happened meanwhile', () => {
    const bench = connectedTo('b', 'c')
    bench.run(2000, ['b', 'c'])
    bench.step({ type: 'disconnected', peer: b, boot: bBoot, refused: false })
    bench.now += 4000
    bench.step({ type: 'tick' })
    expect(bench.liveness('b')).toBe('alive')
    bench.hear(fact('b', { liveness: 'suspect', by: c }))
    bench.now += 4000
    bench.step({ type: 'tick' })
    expect(bench.liveness('b')).toBe('suspect') // not dead: the refutation may lie unread
  })

  test('half a second in which nobody listened counts neither for a probe nor for a suspicion', () => {
    const bench = connectedTo('b', 'c')
    bench.run(2000, ['b', 'c'])
    bench.step({ type: 'disconnected', peer: b, boot: bBoot, refused: false })
    bench.now += 600
    bench.step({ type: 'tick' })
    expect(bench.liveness('b')).toBe('alive')
    bench.run(500, ['c'])
    expect(bench.liveness('b')).toBe('suspect')
    bench.run(settings.suspicionMaxMs - 300, ['c'])
    bench.now += 600
    bench.step({ type: 'tick' })
    bench.run(100, ['c'])
    expect(bench.liveness('b')).toBe('suspect')
    bench.run(500, ['c'])
    expect(bench.liveness('b')).toBe('dead')
  })

  test('a suspicion heard of is told to the suspect at once', () => {
    const bench = connectedTo('b', 'c')
    const effects = bench.hear(fact('b', { liveness: 'suspect', by: c }))
    expect(toldOf(effects, 'ping', 'b')).toEqual(['b: suspect'])
  })
})

describe('M5 anything from peers', () => {
  const wild = fc.record({
    peer: fc.constantFrom('a', 'b', 'c', 'd', '', '__proto__').map(peerId),
    boot: fc
      .constantFrom('a/1', 'a/2', 'b/1', 'b/2', 'c/1', 'd', '/', '__proto__/1')
      .map((text) => text as Fact['boot']),
    startedAt: fc.oneof(fc.constantFrom(1000, 1001, 2 ** 52, 2 ** 53, Number.NaN), fc.double()),
    incarnation: fc.oneof(fc.nat(3), fc.constantFrom(2 ** 48, 2 ** 53, -1, Number.NaN), fc.double()),
    liveness: fc.constantFrom<Liveness>('alive', 'suspect', 'dead', 'left'),
    by: fc.constantFrom('a', 'b', 'c', 'x').map(peerId),
    description: fc.constant(description('x')),
    load: fc.oneof(fc.nat(5), fc.double()),
  })
  const from = fc.constantFrom('a', 'b', 'c', 'zz').map(peerId)
  const seq = fc.oneof(fc.nat(5), fc.double())
  const facts = fc.array(wild, { maxLength: 4 })
  const message = fc.oneof(
    fc.record({ kind: fc.constant('view' as const), facts, reply: fc.boolean() }),
    fc.record({ kind: fc.constantFrom('ping' as const, 'pong' as const), seq, facts }),
    fc.record({ kind: fc.constant('pingReq' as const), seq, target: from }),
    fc.record({ kind: fc.constant('pingAck' as const), seq, target: from, ok: fc.boolean() }),
  )
  const boot = fc.constantFrom(aBoot, bBoot, bootId(b, '2'))
  const input: fc.Arbitrary<MembershipInput> = fc.oneof(
    fc.record({ type: fc.constant('gossip' as const), from, facts }),
    fc.record({ type: fc.constant('message' as const), from, message }),
    fc.record({ type: fc.constant('connected' as const), peer: from, boot }),
    fc.record({ type: fc.constant('disconnected' as const), peer: from, boot, refused: fc.boolean() }),
    fc.constant({ type: 'tick' as const }),
  )

  test('never throws, and leaves this peer alive, its boot its own, and the table sorted', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(input, fc.nat(600)), { maxLength: 60 }), (inputs) => {
        const bench = new Bench()
        for (const [next, passed] of inputs) {
          bench.now += passed
          bench.step(next)
          expect(bench.machine.self).toMatchObject({ boot: aBoot, liveness: 'alive' })
          expect(Number.isNaN(bench.machine.nextTickAt())).toBe(false)
          const order = bench.machine.members().map((m) => m.peer)
          expect(order).toEqual([...order].sort())
        }
      }),
      { numRuns: 1000 },
    )
  })

  test('the table is bounded', () => {
    const bench = new Bench()
    for (let i = 0; i < MAX_MEMBERS / 500 + 2; i++) {
      bench.hear(...Array.from({ length: 500 }, (_, j) => fact(`x${i * 500 + j}`)))
    }
    expect(bench.machine.members()).toHaveLength(MAX_MEMBERS)
    bench.run(3000)
  })
})

test('members() is one array until something changes', () => {
  const bench = connectedTo('b')
  const before = bench.machine.members()
  expect(bench.machine.members()).toBe(before)
  bench.hear(fact('b'))
  expect(bench.machine.members()).toBe(before)
  bench.hear(fact('b', { incarnation: 1 }))
  expect(bench.machine.members()).not.toBe(before)
})

test('a fact about nobody sane as oneself is a mistake of the owner, and said so', () => {
  const self = { ...fact('a'), boot: bBoot }
  expect(() => new Membership({ self, settings, random: seededRandom(1) })).toThrow(
    /not a fact about oneself/,
  )
})
