// `mesh history`: what an actor's records tell of its past.

import type { ActorHistory, HistoryRecord } from '../node/api.ts'
import { argument, type CommandSpec, type CommonOptions } from './command.ts'
import { type Column, printable, shortId, table } from './output.ts'
import { parseActor, parseRecord } from './parse.ts'

interface Options extends CommonOptions {
  readonly limit: string
  readonly before?: string
}

export const historyCommand: CommandSpec = {
  usage: 'history <actor>',
  summary: 'List what made the records of an actor, newest first.',
  details: '<actor> is <type>/<name>. How far it goes back depends on what of its log is still kept.',
  options: (command) => {
    command
      .option('--limit <n>', 'at most that many records', '50')
      .option('--before <record>', 'only records with lower numbers')
  },
  async run(run) {
    const { type, name } = parseActor(argument(run, 0))
    const { dataDir, limit, before } = run.options<Options>()
    const client = run.services.control(dataDir)
    const history = await client.history({
      type,
      name,
      limit: parseRecord(limit, 'a limit'),
      ...(before !== undefined && { before: parseRecord(before) }),
    })
    const names = new Map((await client.members()).map((member) => [member.peerId, member.name]))
    run.print(history, () => describe(history, (caller) => names.get(caller) ?? shortId(caller)))
    return undefined
  },
}

function describe(
  { records, missing, unreadable }: ActorHistory,
  nameOf: (caller: string) => string,
): string {
  const listed = records.length === 0 ? 'no records\n' : table(records, columns(nameOf))
  return [
    listed,
    ...missing.map(
      ({ from, to }) => `${from === to ? `record ${from} is` : `records ${from} to ${to} are`} not kept\n`,
    ),
    ...unreadable.map((why) => `not all could be read: ${printable(why)}\n`),
  ].join('')
}

const columns = (nameOf: (caller: string) => string): readonly Column<HistoryRecord>[] => [
  { title: 'record', value: ({ record }) => record, align: 'right' },
  { title: 'time', value: ({ at }) => (at === undefined ? '' : new Date(at).toISOString()) },
  { title: 'what', value: ({ kind, method }) => (method === undefined ? kind : `${kind} ${method}`) },
  {
    title: 'by',
    value: ({ caller }) => (caller === undefined || caller.includes('/') ? (caller ?? '') : nameOf(caller)),
  },
  {
    title: 'bytes',
    value: ({ bytes, foldedInto }) => (foldedInto === undefined ? bytes : ''),
    align: 'right',
  },
  { title: 'note', value: ({ whole, foldedInto }) => noteOf(whole, foldedInto) },
]

function noteOf(whole: boolean, foldedInto: number | undefined): string {
  if (foldedInto !== undefined) return `part of ${foldedInto}`
  return whole ? 'whole state' : ''
}
