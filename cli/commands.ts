// The table of commands, in the order that `mesh help` lists them.

import { actorsCommand } from './actors.ts'
import { callCommand } from './call.ts'
import { chaosCommand } from './chaos.ts'
import type { CommandSpec } from './command.ts'
import { createCommand } from './create.ts'
import { deleteCommand } from './delete.ts'
import { doctorCommand } from './doctor.ts'
import { inviteCommand } from './invite.ts'
import { killCommand } from './kill.ts'
import { leaveCommand } from './leave.ts'
import { membersCommand } from './members.ts'
import { nodeCommand } from './node.ts'
import { recoverCommand } from './recover.ts'
import { reportsCommand } from './reports.ts'
import { rescueCommand } from './rescue.ts'
import { statusCommand } from './status.ts'
import { stopCommand } from './stop.ts'
import { testnetCommand } from './testnet.ts'
import { waitCommand } from './wait.ts'

export const COMMANDS: readonly CommandSpec[] = [
  nodeCommand,
  inviteCommand,
  statusCommand,
  membersCommand,
  waitCommand,
  actorsCommand,
  callCommand,
  createCommand,
  stopCommand,
  killCommand,
  deleteCommand,
  reportsCommand,
  recoverCommand,
  rescueCommand,
  leaveCommand,
  testnetCommand,
  chaosCommand,
  doctorCommand,
]
