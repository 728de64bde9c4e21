import * as fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { type BootId, bootId, peerId } from '../../mesh/ids.ts'
import { MailboxFullError } from '../errors.ts'
import type { ServiceFrame } from '../ports.ts'
import { Actor } from './actor.ts'
import { Mailbox } from './mailbox.ts'
import { FakeMesh } from './test-support/fake-mesh.ts'

const caller = (index: number): BootId => bootId(peerId(`p${index}`), '0'.repeat(32))

describe('mailbox', () => {
  test('M1, M2: random callers take turns, and each one’s calls keep their order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constant('take' as const))),
        (steps) => {
          const mailbox = new Mailbox<readonly [number, number]>()
          const sent = [0, 0, 0, 0, 0]
          const taken = [0, 0, 0, 0, 0]
          /** For each caller, the calls of others taken since its first one began to wait. */
          const others: number[][] = [[], [], [], [], []]
          for (const step of steps) {
            if (step !== 'take') {
              mailbox.push(caller(step), [step, sent[step]!++])
              continue
            }
            const call = mailbox.shift()
            expect(call === undefined).toBe(sent.every((count, index) => count === taken[index]))
            if (call === undefined) continue
            const [who, n] = call
            expect(n).toBe(taken[who]!++) // M2
            for (const [index, seen] of others.entries()) {
              if (index === who || sent[index] === taken[index]) others[index] = []
              else seen.push(who)
              // M1: nobody twice before the turn of one that waits
              expect(new Set(others[index]).size).toBe(others[index]!.length)
            }
          }
          expect(mailbox.size).toBe(sent.reduce((sum, count, index) => sum + count - taken[index]!, 0))
          expect([...mailbox]).toHaveLength(mailbox.size)
        },
      ),
    )
  })

  test('M3 who has most waiting gives way, by its newest call, and nobody for one that has as many', () => {
    const mailbox = new Mailbox<string>()
    for (const call of ['a1', 'a2', 'a3']) mailbox.push(caller(0), call)
    mailbox.push(caller(1), 'b1')
    expect(mailbox.giveWay(caller(0))).toBe(undefined)
    expect(mailbox.giveWay(caller(2))).toBe('a3')
    expect(mailbox.giveWay(caller(1))).toBe(undefined)
    expect(mailbox.giveWay(caller(2))).toBe('a2')
    expect(mailbox.giveWay(caller(2))).toBe(undefined)
    expect(mailbox.takeAll()).toEqual(['a1', 'b1'])
    expect(mailbox.remove(caller(1), 'b1')).toBe(false)
  })
})

const opened: FakeMesh[] = []
afterEach(() => {
  for (const mesh of opened.splice(0)) for (const node of mesh.nodes.values()) node.runtime.close()
})

let open = Promise.withResolvers<void>()
let broken = false

class Desk extends Actor<{ served: string[] }> {
  override state = { served: [] as string[] }
  constructor() {
    super()
    if (broken) throw new Error('not ready')
  }
  async serve(who: string): Promise<void> {
    if (who === 'first') await open.promise
    this.state.served.push(who)
  }
  served(): readonly string[] {
    return this.state.served
  }
}

type Outcome = 'done' | 'full'
const outcome = (call: Promise<unknown>): Promise<Outcome> =>
  call.then(
    () => 'done' as const,
    (error: unknown) => {
      expect(error).toBeInstanceOf(MailboxFullError)
      expect((error as MailboxFullError).executed).toBe('no')
      return 'full' as const
    },
  )

describe('a full mailbox', () => {
  const start = async (): Promise<FakeMesh> => {
    open = Promise.withResolvers()
    const mesh = new FakeMesh(2)
    opened.push(mesh)
    await mesh.start('a', [Desk], { limits: { mailboxLimit: 8 } })
    for (const name of ['b', 'c']) await mesh.start(name, [])
    await mesh.clock.until(mesh.node('b').runtime.call('Desk', 'd', 'served', []))
    return mesh
  }
  const callsOf = (mesh: FakeMesh, peer: string, names: readonly string[]): Promise<Outcome>[] =>
    names.map((name) => outcome(mesh.node(peer).runtime.call('Desk', 'd', 'serve', [name])))
  const names = (prefix: string, count: number): string[] =>
    Array.from({ length: count }, (_, index) => `${prefix}${index}`)

  test('one that floods does not keep another one out, and turns are taken', async () => {
    const mesh = await start()
    const flood = callsOf(mesh, 'b', ['first', ...names('b', 20)])
    await mesh.clock.run(100)
    const others = callsOf(mesh, 'c', names('c', 2))
    await mesh.clock.run(100)
    open.resolve()
    expect(await mesh.clock.until(Promise.all(others))).toEqual(['done', 'done'])
    const flooded = await mesh.clock.until(Promise.all(flood))
    expect(flooded.map((each) => each === 'done')).toEqual([...Array(6).fill(true), ...Array(15).fill(false)])
    expect(await mesh.clock.until(mesh.node('c').runtime.call('Desk', 'd', 'served', []))).toEqual([
      'first',
      'b0',
      'c0',
      'b1',
      'c1',
      'b2',
      'b3',
      'b4',
    ])
  })

  test('what was refused stays refused: a late copy is told the same and never runs', async () => {
    const mesh = await start()
    const { peer } = mesh.node('b')
    const sent: ServiceFrame[] = []
    const send = peer.sendService.bind(peer)
    peer.sendService = (to, frame) => {
      sent.push(frame)
      return send(to, frame)
    }
    const flood = callsOf(mesh, 'b', ['first', ...names('b', 8)])
    await mesh.clock.run(100)
    const gaveWay = sent[7]!
    const refused = sent[8]!
    const other = callsOf(mesh, 'c', ['c0'])
    await mesh.clock.run(100)
    open.resolve()
    await mesh.clock.until(Promise.all([...flood, ...other]))
    for (const frame of [gaveWay, refused]) peer.sendService(mesh.node('a').peer.self, frame)
    await mesh.clock.run(1000)
    const served = await mesh.clock.until(mesh.node('c').runtime.call('Desk', 'd', 'served', []))
    expect(served).toEqual(['first', 'b0', 'c0', ...names('b', 6).slice(1)])
  })

  test('the same holds while the actor is not ready yet', async () => {
    const mesh = await start()
    broken = true
    mesh.crash('a')
    await mesh.start('a', [Desk], { limits: { mailboxLimit: 8 } })
    await mesh.clock.run(100)
    open.resolve()
    const flood = callsOf(mesh, 'b', names('b', 12))
    await mesh.clock.run(100)
    const others = callsOf(mesh, 'c', names('c', 2))
    await mesh.clock.run(100)
    broken = false
    expect(await mesh.clock.until(Promise.all(others))).toEqual(['done', 'done'])
    const flooded = await mesh.clock.until(Promise.all(flood))
    expect(flooded.filter((each) => each === 'done')).toHaveLength(6)
  })
})
