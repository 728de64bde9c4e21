// `mesh reports`: what became of the actors of lost peers.

import type { Report } from '../mesh/registry/types.ts'
import type { CommandSpec, CommonOptions } from './command.ts'
import { count, printable, shortId } from './output.ts'

interface Options extends CommonOptions {
  readonly all: boolean
}

export const reportsCommand: CommandSpec = {
  usage: 'reports',
  summary: 'Tell what became of the actors of lost peers.',
  options: (command) => {
    command.option('--all', 'every actor; otherwise recovered ones are only counted', false)
  },
  async run(run) {
    const { dataDir, all } = run.options<Options>()
    const client = run.services.control(dataDir)
    const reports = await client.reports()
    if (reports.length === 0) {
      run.print([], () => 'nothing to report: no peer was lost\n')
      return undefined
    }
    const names = new Map((await client.members()).map((member) => [member.peerId, member.name]))
    run.print(reports, () => describeReports(reports, names, all))
    return undefined
  },
}

/** `names`: of peers, by ID. */
export const describeReports = (
  reports: readonly Report[],
  names: ReadonlyMap<string, string>,
  all: boolean,
): string => reports.map((report) => describe(report, names, all)).join('\n')

function describe(report: Report, names: ReadonlyMap<string, string>, all: boolean): string {
  const peer = report.boot.slice(0, report.boot.indexOf('/'))
  const by = (outcome: string): number => report.actors.filter((actor) => actor.outcome === outcome).length
  const counts = (['recovered', 'waiting', 'stopped', 'dead'] as const)
    .filter((outcome) => by(outcome) > 0)
    .map((outcome) => `${by(outcome)} ${outcome}`)
  const more = report.more > 0 ? `, and ${report.more} more` : ''
  const told = report.actors.filter((actor) => all || actor.outcome !== 'recovered')
  const name = printable(names.get(peer) ?? shortId(peer))
  const when = new Date(report.at).toISOString()
  if (report.kind === 'rescue') return `${when}  rescue on ${name}: ${printable(report.cause)}\n`
  return [
    `${when}  ${name} was lost: ${printable(report.cause)}`,
    `  ${count(report.actors.length + report.more, 'actor')}: ${counts.join(', ') || 'none'}${more}`,
    ...told.map((actor) => `  ${printable(actor.actor)}: ${actor.outcome}, ${printable(actor.detail)}`),
    '',
  ].join('\n')
}
