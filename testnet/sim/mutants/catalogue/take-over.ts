// Bugs of taking the registry over, of its head and of those who follow it.

import { inScenarios, type Mutant, test } from '../mutant.ts'

const CANDIDATE = 'mesh/registry/candidate.ts'
const HEAD = 'mesh/registry/head.ts'
const FOLLOWER = 'mesh/registry/follower.ts'
const inSlowTakeOver = (title: string) => test('testnet/sim/slow-take-over.test.ts', title)
const inCandidate = (title: string) => test('mesh/registry/candidate.test.ts', title)

export const takeOverMutants: readonly Mutant[] = [
  {
    name: 'minoritySeal',
    rule: 'R3, section 4',
    breaks: 'a candidate goes on after one keeper of the old term sealed it',
    patch: [
      {
        file: CANDIDATE,
        find: '    if (state.answers.size < majority(pointer.keepers.length)) return\n    const answers',
        replace: '    if (state.answers.size < 1) return\n    const answers',
      },
    ],
    tests: [
      inCandidate('minoritySeal: nothing is read or proposed before a majority answered this very ballot'),
    ],
  },
  {
    name: 'minorityAccept',
    rule: 'R3, section 4',
    breaks: 'a successor counts as chosen after one keeper accepted it',
    patch: [
      {
        file: CANDIDATE,
        find: '    if (state.answers.size < majority(pointer.keepers.length)) return\n    const { successor }',
        replace: '    if (state.answers.size < 1) return\n    const { successor }',
      },
    ],
    tests: [
      inCandidate('minorityAccept: a successor is chosen once a majority accepted it under this very ballot'),
    ],
  },
  {
    name: 'shortestLog',
    rule: 'section 4',
    breaks: 'the new term begins from the shortest copy of the old log that was sealed',
    patch: [
      {
        file: CANDIDATE,
        find: '(answer.length > longest.length ? answer : longest)',
        replace: '(answer.length < longest.length ? answer : longest)',
      },
    ],
    tests: [inCandidate('shortestLog: the next term begins from the longest of the copies that were sealed')],
  },
  {
    name: 'ballotReuse',
    rule: 'C1',
    breaks: 'a candidate that gave up proposes another successor under the same ballot',
    patch: [{ file: CANDIDATE, find: 'n: ++this.#highest,', replace: 'n: this.#highest + 1,' }],
    tests: [
      inCandidate('C1 ballotReuse: an attempt that was given up is followed by one with a higher ballot'),
    ],
  },
  {
    name: 'ballotOfThePeer',
    rule: 'C4',
    breaks: 'a candidate that restarts uses the ballots of its former process again',
    patch: [
      {
        file: CANDIDATE,
        find: 'n: ++this.#highest, boot: this.#env.boot }',
        replace: 'n: ++this.#highest, boot: this.#env.self as never }',
      },
    ],
    tests: [inCandidate('C4 ballotOfThePeer: the next process of a peer has ballots of its own')],
  },
  {
    name: 'ignoreAccepted',
    rule: 'R3 C2',
    breaks: 'a candidate proposes its own successor although one was accepted before',
    patch: [
      {
        file: CANDIDATE,
        find: '    if (accepted) return this.#propose(state.ballot, accepted.successor)\n',
        replace: '    if (accepted) this.#slow.clear()\n',
      },
    ],
    tests: [inScenarios('adopt-a-dead-candidate’s-successor: accepted once, by a keeper that lives')],
  },
  {
    name: 'adoptLowestBallot',
    rule: 'R3 C2',
    breaks: 'of two accepted successors the one of the lower ballot is adopted',
    patch: [
      {
        file: CANDIDATE,
        find: 'compareBallots(b.ballot, a.ballot)',
        replace: 'compareBallots(a.ballot, b.ballot)',
      },
    ],
    tests: [inCandidate('adoptLowestBallot: of two, that of the highest ballot')],
  },
  {
    name: 'laterCandidateWins',
    rule: 'section 4',
    breaks: 'a candidate that tries later ends the attempt of an earlier one with the same number',
    patch: [
      {
        file: 'mesh/logs/ballot.ts',
        find: 'compareIds(b.boot, a.boot)',
        replace: 'compareIds(a.boot, b.boot)',
      },
    ],
    tests: [
      inSlowTakeOver(
        'candidates that try one after the other do not overtake each other when every step is slow',
      ),
    ],
  },
  {
    name: 'waitForTheGone',
    rule: 'section 4',
    breaks: 'a candidate waits for keepers of the next term whose processes have ended',
    patch: [
      {
        file: 'mesh/registry/next-log.ts',
        find: '.some(({ peer }) => isGone(peer))',
        replace: '.some(() => false)',
      },
    ],
    tests: [
      inSlowTakeOver('a keeper of the next term ends before it has the snapshot: others are taken at once'),
    ],
  },
  {
    name: 'snapshotAfterAccept',
    rule: 'I5 C3',
    breaks: 'a successor is proposed before all its keepers have its snapshot',
    patch: [
      {
        file: 'mesh/registry/next-log.ts',
        find: ' || writer.missing().length > 0) return',
        replace: ') return',
      },
    ],
    tests: [],
  },
  {
    name: 'rescueTheOvertaken',
    rule: 'X5',
    breaks:
      'a rescue goes on from the log of a candidate that was overtaken, without what was committed since',
    patch: [
      {
        file: 'mesh/registry/rescue.ts',
        find: '(term !== pointer.term || log === pointer.key) &&',
        replace: '(term !== pointer.term || log !== undefined) &&',
      },
    ],
    beyondSeeds: 'nobody is told to rescue anything there',
    tests: [
      test(
        'mesh/registry/rescue.test.ts',
        'X5 a log of the same term that was not chosen does not count, however long it is',
      ),
    ],
  },
  {
    name: 'rescueAPart',
    rule: 'X5',
    breaks: 'a rescue ends where the newest copy is a part of a snapshot, although there is a whole one',
    patch: [
      {
        file: 'mesh/registry/rescue.ts',
        find: "if (state.kind === 'reading') this.#choose(state)",
        replace: "if (state.kind === 'reading') this.#refuse('failed', 'it is a part')",
      },
    ],
    beyondSeeds: 'nobody is told to rescue anything there',
    tests: [
      test('mesh/registry/rescue.test.ts', 'X5 a copy that turns out to be a part of one is passed over'),
    ],
  },
  {
    name: 'tellBeforeRescued',
    rule: 'X4 R2',
    breaks: 'a rescue is said to be done before its pointer is on the disk of the peer that carried it out',
    patch: [
      {
        file: 'mesh/registry/rescue.ts',
        find: "    this.#become({ kind: 'storing', order, account, log: successor.key })\n",
        replace:
          "    this.#state = { kind: 'idle' }\n    this.#answer(order, { ok: true, done: true, account })\n",
      },
    ],
    beyondSeeds: 'nobody is told to rescue anything there',
    tests: [
      test(
        'testnet/sim/swarm/rescue-seed.test.ts',
        'a registry that lost its majority is rescued among other faults',
      ),
    ],
  },
  {
    name: 'identifyByTerm',
    rule: 'section 2',
    breaks: 'a keeper’s word for the log of an earlier attempt at a term counts for the present one',
    patch: [
      {
        file: CANDIDATE,
        find: "if (state.kind === 'writing' && message.log === state.next.key)",
        replace: "if (state.kind === 'writing' && message.kind === 'ack')",
      },
    ],
    tests: [
      inCandidate(
        'C3 identifyByTerm: a keeper’s word for the log of an earlier attempt is none for this one',
      ),
    ],
  },
  {
    name: 'unknownVotesForATerm',
    rule: 'R7',
    breaks: 'a keeper that lost the registry log counts as one that sealed it empty',
    patch: [
      {
        file: CANDIDATE,
        find: "      case 'nack':\n",
        replace: `      case 'unknown':
        if (state.kind !== 'sealing') return
        return this.#sealed(from, { ...message, kind: 'sealed', ballot: state.ballot, length: 0, hash: '', tainted: false })
      case 'nack':
`,
      },
    ],
    tests: [inCandidate('R7 unknownVotesForATerm: a keeper that knows nothing of the log is no vote')],
  },
  {
    name: 'actOnUncommitted',
    rule: 'R9 H1 F1',
    breaks: 'the head applies, answers and tells what it appended before a majority has it',
    patch: [
      {
        file: HEAD,
        find: '      if (this.#term === term) this.#committed(term.writer.committed)\n',
        replace: '      if (this.#term === term) this.#committed(term.writer.length)\n',
      },
    ],
    tests: [inScenarios('uncommitted-assign-is-not-acted-on: what only the head had is applied by nobody')],
  },
  {
    name: 'answerBeforeEstablished',
    rule: 'H1',
    breaks: 'a new head answers a repeated command out of the table of the term before',
    patch: [
      {
        file: HEAD,
        find: 'return term.established ? this.#answer',
        replace: 'return term.pointer ? this.#answer',
      },
    ],
    tests: [
      test(
        'mesh/registry/head.test.ts',
        'H1 answerBeforeEstablished: nothing is answered out of the table of the term before',
      ),
    ],
  },
  {
    name: 'commandOfAnOldBoot',
    rule: 'R6 H2',
    breaks: 'a command that a dead process sent is taken when it comes late',
    patch: [
      {
        file: HEAD,
        find: '    if (!term || issued.boot !== boot || peerOfBoot(boot) !== from) return\n',
        replace: '    if (!term) return\n',
      },
      {
        file: 'mesh/registry/apply.ts',
        find: "  if (table.boots.get(boot)?.status === 'dead')\n    return reject('boot-dead', 'this boot was given up, and what it still asks for is void')\n",
        replace: '',
      },
    ],
    tests: [
      inScenarios('H2 commandOfAnOldBoot: what a dead process asked for is not done when it comes late'),
    ],
  },
  {
    name: 'decideAtApply',
    rule: 'H3',
    breaks: 'the keepers of a journal are left to whoever applies the command, so nobody names them',
    patch: [
      {
        file: HEAD,
        find: 'command: decided[index] ?? issued.command }))',
        replace: 'command: decided.length > index ? issued.command : issued.command }))',
      },
    ],
    tests: [inScenarios('adopt-a-dead-candidate’s-successor')],
  },
  {
    name: 'applyForeignRecords',
    rule: 'F2',
    breaks: 'late blocks of an earlier term are applied to the table of the present one',
    patch: [
      {
        file: FOLLOWER,
        find: '    if (message.log !== pointer?.key) return []\n',
        replace: '    if (!pointer) return []\n',
      },
    ],
    tests: [
      test(
        'mesh/registry/follower.test.ts',
        'F2 applyForeignRecords: blocks of the term before are no part of this one',
      ),
    ],
  },
  {
    name: 'askWithEachRecords',
    rule: 'F3',
    breaks: 'who catches up asks for what is missing with every message of the registry that comes meanwhile',
    patch: [
      {
        file: FOLLOWER,
        find: '    if (missing && (this.#blocks.length > length || this.#overdue)) this.#askFrom(from)',
        replace: '    if (missing) this.#askFrom(from)',
      },
    ],
    tests: [
      test(
        'mesh/registry/follower.test.ts',
        'F3 who catches up asks once at a time, however much is pushed to it and comes twice meanwhile',
      ),
    ],
  },
  {
    name: 'waitForTheSilent',
    rule: 'section 4',
    breaks:
      'the next term of the registry waits for a keeper that is held to be dead while its stream looks open',
    patch: [
      {
        file: 'mesh/core.ts',
        find: "        return liveness === 'dead' || liveness === 'left'\n      },\n      addresses",
        replace:
          "        return !env.reaches(peer) && (liveness === 'dead' || liveness === 'left')\n      },\n      addresses",
      },
    ],
    tests: [
      inSlowTakeOver('the head is frozen, and its streams look open: the next term does not wait for it'),
    ],
  },
  {
    name: 'applyAhead',
    rule: 'F1',
    breaks: 'a follower applies blocks from the wrong place on',
    patch: [
      {
        file: FOLLOWER,
        find: '    if (first >= 0) for (const block',
        replace: '    for (const block',
      },
    ],
    tests: [],
  },
  {
    name: 'dropCommandResults',
    rule: 'A5',
    breaks: 'a new term forgets which commands were done, so that repeated ones are done twice',
    patch: [
      {
        file: 'mesh/registry/state.ts',
        find: '      results: [...issued.results],\n',
        replace: '      results: [],\n',
      },
    ],
    tests: [test('mesh/registry/apply.test.ts', 'a snapshot holds everything')],
  },
  {
    name: 'leaveUnannounced',
    rule: 'L1',
    breaks: 'a peer that was admitted after it had begun to leave is gone while it is made a keeper',
    patch: [
      {
        file: 'mesh/registry/apply.ts',
        find: "  if (!entry.leaving) return reject('not-leaving', 'it may still be made a home or a keeper') // L1 in leaving.ts\n",
        replace: '',
      },
    ],
    tests: [
      test(
        'mesh/registry/apply.test.ts',
        'leaveUnannounced: nobody leaves who may still be made a home or a keeper, or whose store keeps a journal',
      ),
    ],
  },
  {
    name: 'aloneIsClean',
    rule: 'leaving',
    breaks: 'the last peer to leave says that it leaves nothing behind',
    patch: [
      {
        file: 'mesh/leaving.ts',
        find: 'return this.#done(this.#parts.pointers.current === undefined)',
        replace: 'return this.#done(true)',
      },
    ],
    tests: [
      test(
        'testnet/sim/mesh.test.ts',
        'aloneIsClean: the last to leave leaves the mesh on its disk, and the others wait for it',
      ),
    ],
  },
]
