// Bugs of the registry's table: what a command may change.

import { inActorScenarios, type Mutant, test } from '../mutant.ts'

const APPLY = 'mesh/registry/apply.ts'
const RECOVER = 'mesh/registry/recover.ts'
const inTables = (title?: string) => test('mesh/registry/apply.test.ts', title)

export const registryMutants: readonly Mutant[] = [
  {
    name: 'releaseByAnybody',
    rule: 'R4 A1',
    breaks: 'a release counts whoever reports it, and for whichever epoch',
    patch: [
      {
        file: APPLY,
        find: `    if (!actor || actor.home !== command.boot || actor.epoch !== epoch) continue
    if (actor.status.kind === 'stopping')`,
        replace: `    if (!actor) continue
    if (actor.status.kind === 'stopping')`,
      },
    ],
    tests: [inTables('a release counts only from the home, in its journal, under its epoch')],
  },
  {
    name: 'assignTwice',
    rule: 'A2',
    breaks: 'an actor that has a home is given another one',
    patch: [
      {
        file: APPLY,
        find: 'if (!actor || actor.home !== null || actor.epoch !== epoch || actor.status',
        replace: 'if (!actor || actor.status',
      },
    ],
    tests: [inTables()],
  },
  {
    name: 'noActorEpoch',
    rule: 'A2',
    breaks: 'a change of home leaves the epoch as it was',
    patch: [
      { file: APPLY, find: '        epoch: epoch + 1,\n', replace: '        epoch,\n' },
      { file: RECOVER, find: '    epoch: actor.epoch + 1,\n', replace: '' },
    ],
    tests: [],
  },
  {
    name: 'missOneJournal',
    rule: 'A3',
    breaks: 'a recovery is committed although the boot has a journal that nobody sealed',
    patch: [
      {
        file: RECOVER,
        find: '  if (due.length !== Object.keys(command.journals).length || due.some(({ key }) => !command.journals[key]))\n',
        replace: '  if (due.length < 0)\n',
      },
      {
        file: RECOVER,
        find: 'command.journals[journal.key]!',
        replace: "command.journals[journal.key] ?? { length: 0, hash: '' }",
      },
    ],
    tests: [
      inActorScenarios(
        'missOneJournal: a recovery that does not name every open journal of the boot is refused',
      ),
    ],
  },
  {
    name: 'openAfterRecovery',
    rule: 'A3',
    breaks: 'a boot that was recovered or superseded opens another journal',
    patch: [
      {
        file: APPLY,
        find: "  if (boot?.status !== 'live') return reject('boot-dead', 'this boot may not open journals any more')\n",
        replace: "  if (!boot) return reject('boot-dead', 'this boot may not open journals any more')\n",
      },
    ],
    tests: [inTables()],
  },
  {
    name: 'retireEarly',
    rule: 'A4',
    breaks: 'a journal that an actor still names as a source is retired',
    patch: [
      {
        file: APPLY,
        find: '  for (const actor of table.actors.values()) for (const source of actor.sources) needed.add(source.journal)\n',
        replace: '',
      },
    ],
    tests: [
      inActorScenarios('move-to-a-host-with-an-older-journal: the newest epoch wins, not the newest journal'),
    ],
  },
  {
    name: 'closeForgetsIdleActors',
    rule: 'A4',
    breaks: 'a rolled journal is no source of the actors that have not written since',
    patch: [
      {
        file: APPLY,
        find: '        sources: [sourceIn(journal, length, actor.epoch), ...actor.sources],\n',
        replace: '        sources: actor.sources.length > 0 ? actor.sources : [],\n',
      },
    ],
    tests: [
      inTables('a closed journal stays a source of those that have not written in a newer one'),
      inActorScenarios(
        'idle-actor-two-segments-back: it is copied on, old journals are retired, nothing is lost',
      ),
    ],
  },
  {
    name: 'commandTwice',
    rule: 'A5',
    breaks: 'a command that is repeated through a new head is applied again',
    patch: [{ file: APPLY, find: '  if (before) return before\n', replace: '' }],
    tests: [inTables('the same number gives the first result; below the floor it is refused')],
  },
  {
    name: 'settledCommandAgain',
    rule: 'A5',
    breaks: 'a command below its boot’s floor is applied when it comes late',
    patch: [
      {
        file: APPLY,
        find: '  if (n < issued.floor) return',
        replace: '  if (n < 0) return',
      },
    ],
    tests: [inTables('the same number gives the first result; below the floor it is refused')],
  },
  {
    name: 'restartStopping',
    rule: 'section 6',
    breaks: 'an actor that was being stopped comes back when its host is lost',
    patch: [
      {
        file: RECOVER,
        find: "  if (actor.status.kind === 'stopping') return stoppedActor(actor)\n",
        replace: '',
      },
    ],
    tests: [inActorScenarios('a host that is stopping an actor and dies does not bring it back')],
  },
  {
    name: 'copiedDiskIsAdmitted',
    rule: 'R7, section 1',
    breaks: 'a copy of a data directory is admitted beside the original',
    patch: [
      {
        file: APPLY,
        find: '  if (!isNewest && !known?.outdated) return foreign\n',
        replace: '',
      },
    ],
    tests: [inTables('a restart with its disk supersedes the old boot; a copy of the disk is foreign')],
  },
  {
    name: 'oldDiskAfterAnother',
    rule: 'R7 K8, section 1',
    breaks: 'an older state of a data directory is admitted once its peer has had another one in between',
    patch: [
      {
        file: APPLY,
        find: '  return [...table.boots.values()].findLast((boot) => boot.store === store)?.boot\n',
        replace: '  return undefined\n',
      },
    ],
    tests: [
      inTables(
        'an older state of a disk is foreign after another disk had its place; its newest state is not',
      ),
    ],
  },
  {
    name: 'oldBootStaysLive',
    rule: 'section 6',
    breaks: 'a boot that is superseded by its peer’s next one keeps its actors and journals',
    patch: [
      {
        file: APPLY,
        find: "    if (old?.status === 'live') table.boots.set(known.boot, { ...old, status: 'superseded' })\n",
        replace: '    if (!old) return foreign\n',
      },
    ],
    tests: [inTables('a restart with its disk supersedes the old boot; a copy of the disk is foreign')],
  },
]
