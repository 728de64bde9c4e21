// This command once more, in a process behind a program that puts it elsewhere: into a network namespace of its own.

import { spawn } from 'node:child_process'
import { EXIT, type ExitCode, isExitCode } from './exit-codes.ts'
import type { Io } from './io.ts'

/**
 * Resolves with its exit code. It prints where this one would. Signals are passed on, once each, and it is told when this
 * process is gone, by the end of its IPC channel ({@link Io.onSignal}): `prefix` has to exec what follows.
 */
export function runAgain(io: Io, prefix: readonly string[], env: NodeJS.ProcessEnv): Promise<ExitCode> {
  const [program, ...args] = [...prefix, ...io.commandLine]
  return new Promise((resolve, reject) => {
    // Of a session of its own, so that Ctrl-C reaches it by way of this process only.
    const child = spawn(program!, args, {
      cwd: io.cwd,
      env,
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    const stopListening = io.onSignal((signal) => void child.kill(signal as NodeJS.Signals))
    child.once('error', reject)
    child.once('exit', (code) => {
      stopListening()
      resolve(isExitCode(code) ? code : EXIT.failed)
    })
  })
}
