// `mesh status`: one peer's own account of itself and the mesh.

import type { NodeStatus } from '../node/api.ts'
import type { CommandSpec } from './command.ts'
import { count, duration, facts, megabytes, printable, usage } from './output.ts'

export const statusCommand: CommandSpec = {
  usage: 'status',
  summary: 'Show how the running node and its mesh are.',
  async run(run) {
    const status = await run.services.control(run.options().dataDir).status()
    run.print(status, () => describe(status))
    return undefined
  },
}

function describe(status: NodeStatus): string {
  const head = status.head === null ? 'none yet' : status.isHead ? 'this peer' : status.head.name
  const lines = facts([
    ['peer', `${status.name} (${status.peerId})`],
    ['mesh', status.meshId || 'not reached yet'],
    ['admitted', status.admitted ? 'yes' : 'not yet: waiting for the head'],
    [
      'head',
      `${head}, term ${status.term}${status.generation > 0 ? ` after ${count(status.generation, 'rescue')}` : ''}`,
    ],
    ['members', status.members],
    ['actors', `${status.actorsHere} here, ${status.actorsTotal} in the mesh`],
    ...(Object.keys(status.resources).length > 0
      ? ([['resources', `${usage(status.resources)} used`]] as const)
      : []),
    [
      'registry',
      `${status.registryKeepers} keepers${status.registrySafe ? '' : ', fewer live than there could be'}`,
    ],
    ['up', duration(status.uptimeMs)],
    ['memory', `${megabytes(status.memory.rss)}, heap ${megabytes(status.memory.heapUsed)}`],
    ['messages', `${status.messages.sent} sent, ${status.messages.received} received`],
  ])
  return lines + status.warnings.map((warning) => `warning: ${printable(warning)}\n`).join('')
}
