// `mesh members`: the peers as this one sees them.

import type { MemberStatus } from '../node/api.ts'
import type { CommandSpec } from './command.ts'
import { type Column, duration, shortId, table, usage } from './output.ts'

export const membersCommand: CommandSpec = {
  usage: 'members',
  summary: 'List the peers as the running node sees them.',
  async run(run) {
    const members = await run.services.control(run.options().dataDir).members()
    run.print(members, () => table(members, COLUMNS))
    return undefined
  },
}

const roles = (member: MemberStatus): string =>
  [
    member.self && 'this peer',
    member.head && 'head',
    !member.host && 'hosts nothing',
    !member.keep && 'keeps nothing',
  ]
    .filter((role) => role !== false)
    .join(', ')

const COLUMNS: readonly Column<MemberStatus>[] = [
  { title: 'name', value: (member) => member.name },
  { title: 'peer', value: (member) => shortId(member.peerId) },
  { title: 'state', value: (member) => member.liveness },
  { title: 'for', value: (member) => duration(member.sinceMs) },
  { title: 'role', value: roles },
  { title: 'actors', value: (member) => member.actors, align: 'right' },
  { title: 'types', value: (member) => member.types.join(' ') },
  {
    title: 'labels',
    value: (member) =>
      Object.entries(member.labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(' '),
  },
  { title: 'used', value: (member) => usage(member.resources) },
  // The peer id at a multiaddress's end repeats the second column.
  {
    title: 'addresses',
    value: (member) => member.addresses.map((each) => each.replace(/\/p2p\/\w+$/, '')).join(' '),
  },
]
