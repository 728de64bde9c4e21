// Every case, in the order in which they run. A case of another file is taken in by one line here; a program that prints its
// own figures by `program(name, about, ['bench/its-file.ts'])`.

import { calls } from './cases/calls.ts'
import { durable } from './cases/durable.ts'
import { idle, memory } from './cases/idle.ts'
import { reads } from './cases/reads.ts'
import { recovery, restore } from './cases/recovery.ts'
import { activation, spawn } from './cases/spawn.ts'
import type { Case } from './harness/case.ts'
import { program } from './harness/program.ts'
import { peersCalls } from './peers/calls.ts'
import { peersDurable } from './peers/durable.ts'
import { peersRecovery } from './peers/recovery.ts'

export const CASES: readonly Case[] = [
  calls,
  durable,
  reads,
  spawn,
  activation,
  recovery,
  restore,
  idle,
  memory,
  program('large-state', 'a state of 100 MB: event loops, latency and memory in each step of its life', [
    'bench/large-state.ts',
  ]),
  peersCalls,
  peersDurable,
  peersRecovery,
]
