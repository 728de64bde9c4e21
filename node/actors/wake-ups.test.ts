import { describe, expect, test } from 'vitest'
import type { ActorKey } from '../../mesh/ids.ts'
import { parseActorKey } from '../../mesh/ids.ts'
import { VirtualClock } from './test-support/virtual-clock.ts'
import { WakeUps } from './wake-ups.ts'

const a = parseActorKey('T/a')
const b = parseActorKey('T/b')

/** A wall clock that somebody sets. */
class SetClock extends VirtualClock {
  offset = 0
  override wall(): number {
    return this.now() + this.offset
  }
}

function made() {
  const clock = new SetClock()
  const woken: [actor: ActorKey, at: number][] = []
  return { clock, woken, wakeUps: new WakeUps(clock, (actor) => woken.push([actor, clock.now()])) }
}

describe('wake-ups', () => {
  test('one number per actor: the last that was set, each wakes once', async () => {
    const { clock, woken, wakeUps } = made()
    wakeUps.set(a, 500)
    wakeUps.set(b, 300)
    wakeUps.set(a, 100)
    expect([wakeUps.dueAt(a), wakeUps.dueAt(b)]).toEqual([100, 300])
    await clock.run(200)
    expect([wakeUps.dueAt(a), wakeUps.dueAt(b)]).toEqual([undefined, 300])
    await clock.run(1000)
    expect(woken).toEqual([
      [a, 100],
      [b, 300],
    ])
  })

  test('taken back, or over, nobody is woken; what is overdue wakes at once', async () => {
    const { clock, woken, wakeUps } = made()
    wakeUps.set(a, 100)
    wakeUps.set(a, undefined)
    await clock.run(1000)
    wakeUps.set(b, -5)
    await clock.run(0)
    expect(woken).toEqual([[b, 1000]])
    wakeUps.set(a, 2000)
    wakeUps.stop()
    wakeUps.set(b, 2000)
    await clock.run(5000)
    expect(woken).toHaveLength(1)
  })

  test('M4: a wall clock that is set is noticed within half a minute, in both directions', async () => {
    const { clock, woken, wakeUps } = made()
    wakeUps.set(a, 3_600_000)
    await clock.run(10_000)
    clock.offset = 3_600_000
    await clock.run(30_000)
    expect(woken).toEqual([[a, 30_000]])
    wakeUps.set(b, clock.wall() + 20_000)
    clock.offset = 0
    await clock.run(60_000)
    expect(woken).toHaveLength(1)
  })
})
