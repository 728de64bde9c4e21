// Bugs of where actors live: room that is not there, wishes that are not heard, and moves without need or end.

import { type Mutant, test } from '../mutant.ts'

const FIT = 'mesh/placement-fit.ts'
const HOMES = 'mesh/registry/homes.ts'
const PLACES = 'mesh/placement-hosts.ts'
const PLAN = 'mesh/registry/home-plan.ts'
const REBALANCE = 'mesh/rebalance.ts'
const BALANCER = 'mesh/registry/balancer.ts'
const inFit = (title?: string) => test('mesh/placement-fit.test.ts', title)
const inTables = () => test('mesh/registry/apply.test.ts')
const inRebalance = (title?: string) => test('mesh/rebalance.test.ts', title)
const inPlacement = (title: string) => test('testnet/sim/placement.test.ts', title)

export const placementMutants: readonly Mutant[] = [
  {
    name: 'overcommit',
    rule: 'A6',
    breaks: 'the registry gives a home to whom the head chose it for, whether there is room or not',
    patch: [
      {
        file: HOMES,
        find: 'hasRoom(occupantOf(actor), peer.resources, state.actors.at(boot))',
        replace: 'actor.home === null',
      },
      { file: HOMES, find: "import { hasRoom } from '../placement-fit.ts'\n", replace: '' },
      { file: HOMES, find: "import { occupantOf } from './actor-table.ts'\n", replace: '' },
    ],
    tests: [inTables()],
  },
  {
    name: 'countOnlyWhatIsApplied',
    rule: 'A6 P3',
    breaks: 'neither the plan of a batch counts what it placed, nor does the registry look again',
    patch: [
      {
        file: PLAN,
        find: '    if (home !== undefined) places.settle(asked, home)\n',
        replace: '',
      },
      {
        file: HOMES,
        find: 'hasRoom(occupantOf(actor), peer.resources, state.actors.at(boot))',
        replace: 'actor.home === null',
      },
      { file: HOMES, find: "import { hasRoom } from '../placement-fit.ts'\n", replace: '' },
      { file: HOMES, find: "import { occupantOf } from './actor-table.ts'\n", replace: '' },
    ],
    tests: [
      inPlacement(
        'A6 many made at once, in whatever batches: none is one too many, and stops make room for as many',
      ),
    ],
  },
  {
    name: 'apartOneWay',
    rule: 'P3',
    breaks: 'only the one that keeps apart is kept apart, not the one that comes to it',
    patch: [{ file: FIT, find: 'there.shuns(type) || ', replace: '' }],
    tests: [inFit(), inPlacement('types that keep apart never meet, whichever comes first')],
  },
  {
    name: 'pinnedAnywhere',
    rule: 'P3',
    breaks: 'an actor that is pinned to the head lives wherever it is',
    patch: [
      {
        file: FIT,
        find: "(placement?.home !== 'head' || candidate.head)",
        replace: '(candidate.head || true)',
      },
    ],
    tests: [
      inFit(),
      inPlacement('the head changes, by death and by hand-over: the pinned actor follows, with everything'),
    ],
  },
  {
    name: 'wishesUnheard',
    rule: 'P4',
    breaks: 'preferred labels do not count',
    patch: [
      { file: FIT, find: 'return missed.length + Number(isNowhere)', replace: 'return missed.length * 0' },
    ],
    tests: [inFit()],
  },
  {
    name: 'noSpread',
    rule: 'P4',
    breaks: 'actors of a type that is spread live where it is least busy',
    patch: [
      {
        file: PLACES,
        find: '(able, ({ candidate }) => this.alike(actor, spreadValue(actor, candidate)))',
        replace: '(able, () => 0)',
      },
    ],
    tests: [inFit()],
  },
  {
    name: 'neverAssigned',
    rule: 'P3',
    breaks: 'who waits for a home is looked at once and never again',
    patch: [
      {
        file: 'mesh/registry/steward.ts',
        find: "if (actors.length > 0) this.#issue('assign', { kind: 'assign', actors })",
        replace: "if (actors.length > 0 && env.now < 0) this.#issue('assign', { kind: 'assign', actors })",
      },
      {
        file: 'mesh/registry/steward.ts',
        find: '  #assignHomeless(state: RegistryState): void {\n',
        replace: '  #assignHomeless(state: RegistryState): void {\n    const { env } = this.#parts\n',
      },
    ],
    tests: [inPlacement('one that waits gets what another one frees')],
  },
  {
    name: 'noMargin',
    rule: 'B1 B2',
    breaks: 'an actor moves to whoever has as few, so that there is no end to it',
    patch: [
      {
        file: REBALANCE,
        find: 'if (from.occupancy.load - to.occupancy.load <= margin) break',
        replace: 'if (from.occupancy.load - to.occupancy.load < Math.min(0, margin)) break',
      },
      {
        file: REBALANCE,
        find: 'for (const to of byLoad) {',
        replace: 'for (const to of byLoad.filter((each) => each !== from)) {',
      },
    ],
    tests: [inRebalance()],
  },
  {
    name: 'loadBeforeWishes',
    rule: 'B1 B2',
    breaks: 'an even load is worth more than a preferred label, and the other way round, in turn',
    patch: [
      {
        file: REBALANCE,
        find: '  if (unmet(actor, to.candidate) > unmet(actor, from.candidate)) return false\n',
        replace: '',
      },
    ],
    tests: [inRebalance('B2 loadBeforeWishes: a preferred label is worth more than an even load')],
  },
  {
    name: 'spreadByOne',
    rule: 'B1 B2',
    breaks: 'one more of a kind at a value is reason enough to move one, and then another one back',
    patch: [
      {
        file: REBALANCE,
        find: 'crowding(actor, from, to, places) >= 2',
        replace: 'crowding(actor, from, to, places) >= 1',
      },
    ],
    tests: [inRebalance()],
  },
  {
    name: 'pinnedStays',
    rule: 'B1',
    breaks: 'what is pinned to the head stays with the peer that was head',
    patch: [{ file: REBALANCE, find: 'return to.candidate.head\n', replace: 'return false\n' }],
    tests: [inRebalance()],
  },
  {
    name: 'roomAtOneHome',
    rule: 'B3',
    breaks: 'an actor under way needs room only where it comes from',
    patch: [
      {
        file: PLACES,
        find: '    this.#byBoot.get(to)?.occupancy.count(actor, WHOLE)\n  }\n  /** What {@link send}',
        replace:
          '    this.#byBoot.get(to)?.occupancy.count(actor, { load: 1, room: 0 })\n  }\n  /** What {@link send}',
      },
    ],
    tests: [inRebalance()],
  },
  {
    name: 'moveDuringRecovery',
    rule: 'B4',
    breaks: 'actors are moved while a lost boot is still to be recovered',
    patch: [
      {
        file: BALANCER,
        find: '    if ([...state.boots.values()].some((boot) => this.#isToRecover(boot.boot, state))) return [] // B4\n',
        replace: '    if (this.#isToRecover(env.boot, state)) return []\n',
      },
      {
        file: 'mesh/registry/steward.ts',
        find: "    if (this.#recoveries.size > 0 || this.#busy.has('assign')) return // B4\n",
        replace: '',
      },
    ],
    tests: [
      inPlacement(
        'a preferred label is had when it comes, and B4 nothing moves while a lost peer is being recovered',
      ),
    ],
  },
  {
    name: 'allAtOnce',
    rule: 'B4',
    breaks: 'the head moves as many as there are to move',
    patch: [
      {
        file: BALANCER,
        find: 'Math.max(1, rebalanceMoves) - moving',
        replace: 'Math.max(1000, rebalanceMoves) - moving',
      },
    ],
    tests: [inPlacement('moves are few at a time, and in no hurry: four begin, and more a second later')],
  },
  {
    name: 'moveToTheDoor',
    rule: 'P3',
    breaks: 'a move goes where it is wished to, whatever the actor needs',
    patch: [{ file: PLAN, find: 'to && places.allows(asked, to) ? to :', replace: 'to ? to :' }],
    tests: [inPlacement('a move of a pinned actor to elsewhere brings it back to the head')],
  },
]
