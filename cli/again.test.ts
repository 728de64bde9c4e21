// A command that runs once more elsewhere: what it ends with, and that it ends with the one that waits for it.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, onTestFinished, test, vi } from 'vitest'
import { runAgain } from './again.ts'
import type { Io } from './io.ts'
import { tempDir } from './test-support/run-cli.ts'

interface FakeIo extends Io {
  signal: (name: string) => void
}

function ioOf(script: string, cwd = tempDir()): FakeIo {
  const io: FakeIo = {
    out: () => {},
    err: () => {},
    isTty: false,
    env: {},
    cwd,
    commandLine: [process.execPath, '-e', script],
    signal: () => {},
    onSignal: (listener) => {
      io.signal = listener
      return () => {}
    },
    exit: () => {},
  }
  return io
}

test('its exit code is the command’s', async () => {
  expect(await runAgain(ioOf('process.exitCode = 2'), ['env'], process.env)).toBe(2)
  expect(await runAgain(ioOf("process.kill(process.pid, 'SIGKILL')"), ['env'], process.env)).toBe(1)
})

test('signals are passed on', async () => {
  const io = ioOf(`
    process.on('SIGTERM', () => process.exit(130))
    require('node:fs').writeFileSync('ready', '')
    setInterval(() => {}, 1000)`)
  const ended = runAgain(io, ['env'], process.env)
  await vi.waitFor(() => expect(existsSync(join(io.cwd, 'ready'))).toBe(true), { timeout: 20_000 })
  io.signal('SIGTERM')
  expect(await ended).toBe(130)
})

test('where the one that waits is killed, the other is told and ends', async () => {
  const dir = tempDir()
  const url = (file: string): string => pathToFileURL(join(import.meta.dirname, file)).href
  const inner = join(dir, 'inner.mjs')
  writeFileSync(
    inner,
    `import { writeFileSync } from 'node:fs'
    import { processIo } from '${url('io.ts')}'
    processIo().onSignal((signal) => {
      writeFileSync('told', signal)
      process.exit()
    })
    writeFileSync('ready', '')
    setTimeout(() => {}, 30_000)`,
  )
  const outer = `
    import { runAgain } from '${url('again.ts')}'
    import { processIo } from '${url('io.ts')}'
    await runAgain({ ...processIo(), commandLine: [process.execPath, ${JSON.stringify(inner)}] }, ['env'], process.env)`
  const child: ChildProcess = spawn(process.execPath, ['--input-type=module', '-e', outer], { cwd: dir })
  onTestFinished(() => void child.kill('SIGKILL'))
  await vi.waitFor(() => expect(existsSync(join(dir, 'ready'))).toBe(true), { timeout: 20_000 })
  child.kill('SIGKILL')
  await vi.waitFor(() => expect(existsSync(join(dir, 'told'))).toBe(true), { timeout: 20_000 })
})
