// Bugs of generators: what leaves their host, how much of it, and what a caller makes of a host that is lost.

import { type Mutant, test } from '../mutant.ts'

const HOSTED = 'node/actors/hosted-series.ts'
const LOCAL = 'node/actors/local-seat.ts'
const OUTGOING = 'node/actors/outgoing-series.ts'
const inSeries = (title: string) => test('node/actors/series.test.ts', title)
const beyondSeeds = 'the clients of the seeds call no generators'

export const seriesMutants: readonly Mutant[] = [
  {
    name: 'letGeneratorsChange',
    rule: 'S1 G5',
    breaks: 'an item tells of a change of state that is never recorded',
    patch: [
      {
        file: LOCAL,
        find: '    if (!draft.isChanged(base.state)) return\n',
        replace: '    if (draft.isChanged(base.state) || method !== "") return\n',
      },
    ],
    beyondSeeds,
    tests: [
      inSeries('S1 one that changes the state fails before an item that comes after the change leaves'),
    ],
  },
  {
    name: 'itemBeforeDurable',
    rule: 'S2 G5',
    breaks: 'an item shows a change that may still be lost',
    patch: [{ file: HOSTED, find: '      await gate // S2\n', replace: '' }],
    beyondSeeds,
    tests: [inSeries('S2 no item leaves before what the state depends on is acknowledged')],
  },
  {
    name: 'itemsWithoutEnd',
    rule: 'S3',
    breaks: 'a generator goes on although nobody takes what it yields',
    patch: [
      {
        file: HOSTED,
        find: 'while (this.#isFull) await',
        replace: 'while (this.#isFull && this.#bytes < 0) await',
      },
    ],
    beyondSeeds,
    tests: [
      inSeries(
        'S3 a consumer that does not go on stops the generator: a bounded number of items is under way',
      ),
    ],
  },
  {
    name: 'dropWhatWasSent',
    rule: 'S3',
    breaks: 'items that a link lost are not sent again',
    patch: [
      {
        file: HOSTED,
        find: 'of this.#kept.entries())\n',
        replace: 'of this.#kept.slice(SERIES_ITEMS).entries())\n',
      },
    ],
    beyondSeeds,
    tests: [inSeries('I1, S3 items that are lost, doubled or late with their link come once and in order')],
  },
  {
    name: 'generateForNobody',
    rule: 'S4 I3',
    breaks: 'a caller that leaves its loop does not tell the host',
    patch: [
      {
        file: OUTGOING,
        find: "      exchange.cancel(peerOfBoot(boot), { t: 'cancel'",
        replace: "      if (token === '') exchange.cancel(peerOfBoot(boot), { t: 'cancel'",
      },
    ],
    beyondSeeds,
    tests: [inSeries('S4 leaving the loop ends the generator at its host, finally blocks and all')],
  },
  {
    name: 'takeItemsTwice',
    rule: 'I1',
    breaks: 'an item that is sent again is handed over again',
    patch: [
      {
        file: OUTGOING,
        find: '      if (first + index !== this.#received) continue // I1: here already\n',
        replace: '      if (first + index > this.#received) continue\n',
      },
    ],
    beyondSeeds,
    tests: [inSeries('I1, S3 items that are lost, doubled or late with their link come once and in order')],
  },
  {
    name: 'goOnInTheNextLife',
    rule: 'I2',
    breaks: 'items of two lives of an actor are handed over as one series',
    patch: [
      {
        file: OUTGOING,
        find: '    if (taken > 0) throw lostInSeries',
        replace: '    if (taken < 0) throw lostInSeries',
      },
    ],
    beyondSeeds,
    tests: [
      inSeries(
        'I2 the host is lost in the middle: what has arrived is handed over, then it fails and says how many',
      ),
    ],
  },
  {
    name: 'waitForTheDeleted',
    rule: 'I2',
    breaks: 'an actor that is deleted while somebody waits for its items is made again to go on with them',
    patch: [{ file: OUTGOING, find: '      if (this.#wasOpened) throw this.#deleted()\n', replace: '' }],
    beyondSeeds,
    tests: [
      test(
        'testnet/sim/actors-lifecycle.test.ts',
        'delete: who waits for the items of an actor does not make it again',
      ),
    ],
  },
]
