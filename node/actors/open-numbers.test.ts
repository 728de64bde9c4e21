import { describe, expect, test } from 'vitest'
import { Agenda } from '../../checkpoint/agenda.ts'
import { parseActorKey } from '../../mesh/ids.ts'
import { OpenNumbers } from './open-numbers.ts'

const none = new Uint8Array()
const a = parseActorKey('T/a')
const b = parseActorKey('T/b')

describe('numbers of an actor’s own calls', () => {
  test('Q2: a home that lost records of the one before gives none of its numbers again', () => {
    const before = new Agenda()
    const numbers = new OpenNumbers(before, () => 0, 1)
    const kept = numbers.take()
    before.apply(['send', kept, a, 1, 'm', none, none])
    const known = before.toData()
    const lost = [numbers.take(), numbers.take()]
    const next = new OpenNumbers(Agenda.from(known), () => 0, 2).take()
    expect(next).toBeGreaterThan(Math.max(kept, ...lost))
    // A rescue of the registry may have taken the epoch back.
    expect(new OpenNumbers(Agenda.from(known), () => 1, 1).take()).toBeGreaterThan(next)
  })

  test('the lowest open one, of all and of one target; above all that were given when none is', () => {
    const agenda = new Agenda()
    const numbers = new OpenNumbers(agenda, () => 0, 0)
    expect(numbers.lowest()).toBe(1)
    const [one, two, three, alarm] = Array.from({ length: 4 }, () => numbers.take())
    numbers.openSend(one!, a)
    numbers.openSend(two!, b)
    numbers.openSend(three!, a)
    numbers.openAlarm(alarm!)
    expect([numbers.lowest(), numbers.lowestTo(a), numbers.lowestTo(b)]).toEqual([1, 1, 2])
    numbers.close(one!)
    expect([numbers.lowest(), numbers.lowestTo(a)]).toEqual([2, 3])
    numbers.close(two!)
    numbers.close(three!)
    expect([numbers.lowest(), numbers.lowestTo(a)]).toEqual([4, 5])
    numbers.close(alarm!)
    expect(numbers.lowest()).toBe(5)
  })
})
