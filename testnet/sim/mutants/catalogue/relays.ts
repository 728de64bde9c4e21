// Bugs of the detour around a lost link.

import { type Mutant, test } from '../mutant.ts'

const RELAYS = 'mesh/relays.ts'
const CORE = 'mesh/core.ts'
const inRelays = (title: string) => test('testnet/sim/relays.test.ts', title)

export const relayMutants: readonly Mutant[] = [
  {
    name: 'relayNothing',
    rule: 'G7',
    breaks: 'a recovery waits for ever for a keeper that only others have a link to',
    patch: [{ file: RELAYS, find: 'if (isRelayable(message)) {', replace: 'if (to === message.kind) {' }],
    tests: [inRelays('a keeper that the head has no link to is sealed and repaired all the same')],
  },
  {
    name: 'relayAnyBoot',
    rule: 'R6 L2 of relays',
    breaks: 'a command that an earlier boot had relayed is taken for one of the present boot’s peer',
    patch: [{ file: CORE, find: 'if (!this.#isPresent(sender, of)) return // L2', replace: '' }],
    beyondSeeds: 'the earlier boot must have lost its disk and never have been admitted',
    tests: [inRelays('L2: what an earlier boot had relayed does not come back to life')],
  },
]
