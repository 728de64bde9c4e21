// What a view of so many members takes on the heap, measured on real tables of facts that came over the wire.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { decode, encode } from '../../../checkpoint/codec.ts'
import { Membership } from '../../../mesh/membership/membership.ts'
import { defaultMembershipSettings } from '../../../mesh/membership/settings.ts'
import type { Fact } from '../../../mesh/membership/types.ts'
import { seededRandom } from '../random.ts'
import { Roster } from './roster.ts'

/** As many views as make up so many lines, so that the heap's noise is small beside them. */
const LINES = 50_000

/** Bytes of heap that one peer's membership takes once it has met `size` members and probed for a while. */
export function viewMemory(size: number, seed: number): number {
  const roster = new Roster(size, seed)
  const bytes = encode(roster.facts)
  const collect = garbageCollector()
  const views: Membership[] = []
  collect()
  const before = process.memoryUsage().heapUsed
  for (let count = Math.ceil(LINES / size); count > 0; count--) views.push(met(decode(bytes) as Fact[], seed))
  collect()
  return (process.memoryUsage().heapUsed - before) / views.length
}

function met(facts: readonly Fact[], seed: number): Membership {
  const [self, ...others] = facts
  const membership = new Membership({
    self: self!,
    settings: defaultMembershipSettings,
    random: seededRandom(seed),
  })
  for (const { peer, boot } of others) membership.step({ type: 'connected', peer, boot }, 0)
  membership.step({ type: 'gossip', from: others[0]!.peer, facts: others }, 0)
  for (let now = 0; now < 1000; now += 25) membership.step({ type: 'tick' }, now)
  membership.live()
  return membership
}

function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}
