// `mesh doctor`: does this machine have what a peer needs? Each check says what is wrong and what to do.

import {
  closeSync,
  existsSync,
  fdatasyncSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import type { CommandSpec } from './command.ts'
import { EXIT } from './exit-codes.ts'
import { megabytes, printable } from './output.ts'

export interface Check {
  readonly name: string
  readonly state: 'ok' | 'warning' | 'problem'
  readonly text: string
}

const MIN_NODE = [22, 18] as const
/** rocksdb-native's Linux builds need it. */
const MIN_GLIBC = 34
const MIN_FREE_BYTES = 200 * 1024 * 1024
/** A spinning disk syncs in about 10 ms; slower than this, `synced` actors feel it. */
const SLOW_SYNC_MS = 50

export const doctorCommand: CommandSpec = {
  usage: 'doctor',
  summary: 'Check that this machine has what a peer needs.',
  async run(run) {
    const dataDir = resolve(run.io.cwd, run.options().dataDir)
    const checks = [checkNode(process.versions.node), checkPlatform(), checkAddon(), ...checkDataDir(dataDir)]
    const ok = checks.every((check) => check.state !== 'problem')
    run.print({ ok, checks }, () =>
      checks.map((check) => `${MARK[check.state]}  ${check.name}: ${printable(check.text)}\n`).join(''),
    )
    return ok ? EXIT.ok : EXIT.failed
  },
}

const MARK = { ok: 'ok      ', warning: 'warning ', problem: 'PROBLEM ' } as const

export function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const ok = major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1])
  return ok
    ? { name: 'node', state: 'ok', text: version }
    : {
        name: 'node',
        state: 'problem',
        text: `${version}, but ${MIN_NODE.join('.')} or newer is needed: see https://nodejs.org`,
      }
}

function checkPlatform(): Check {
  const where = `${process.platform} ${process.arch}`
  if (process.platform !== 'linux') return { name: 'system', state: 'ok', text: where }
  const report = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }
  return checkGlibc(where, report.header.glibcVersionRuntime)
}

export function checkGlibc(where: string, version: string | undefined): Check {
  if (version === undefined)
    return {
      name: 'system',
      state: 'problem',
      text: `${where} without glibc (Alpine?): use an image such as node:24-slim`,
    }
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major < 2 || (major === 2 && minor < MIN_GLIBC))
    return {
      name: 'system',
      state: 'problem',
      text: `${where} with glibc ${version}, but 2.${MIN_GLIBC} or newer is needed: Debian 12, Ubuntu 22.04, RHEL 9 or newer`,
    }
  return { name: 'system', state: 'ok', text: `${where}, glibc ${version}` }
}

/** Loading the storage engine is the one true test of its system libraries. */
function checkAddon(): Check {
  try {
    createRequire(import.meta.url)('hypercore')
    return { name: 'storage', state: 'ok', text: 'the native storage engine loads' }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const hint =
      why.includes('libatomic') || !hasLibatomic()
        ? ' Install libatomic: apt-get install libatomic1, or dnf install libatomic.'
        : ''
    return {
      name: 'storage',
      state: 'problem',
      text: `the native storage engine does not load: ${why}.${hint}`,
    }
  }
}

function hasLibatomic(): boolean {
  if (process.platform !== 'linux') return true
  const roots = ['/lib', '/lib64', '/usr/lib', '/usr/lib64'].filter((root) => existsSync(root))
  const folders = roots.flatMap((root) => [
    root,
    ...readdirSync(root, { withFileTypes: true })
      .filter((e) => e.isDirectory() && e.name.includes('linux-gnu'))
      .map((e) => join(root, e.name)),
  ])
  return folders.some((folder) => existsSync(join(folder, 'libatomic.so.1')))
}

function checkDataDir(dataDir: string): readonly Check[] {
  let parent = dataDir
  while (!existsSync(parent)) parent = dirname(parent)
  let probe: string
  try {
    probe = mkdtempSync(join(parent, '.doctor-'))
  } catch (error) {
    return [
      {
        name: 'data directory',
        state: 'problem',
        text: `cannot write in ${parent} (${(error as NodeJS.ErrnoException).code}): change its owner, or choose another with --data-dir`,
      },
    ]
  }
  try {
    const { bavail, bsize } = statfsSync(probe)
    const free = bavail * bsize
    const room: Check =
      free < MIN_FREE_BYTES
        ? {
            name: 'data directory',
            state: 'warning',
            text: `${dataDir} is writable, but only ${megabytes(free)} are free`,
          }
        : { name: 'data directory', state: 'ok', text: `${dataDir} is writable, ${megabytes(free)} free` }
    return [room, checkSync(join(probe, 'sync'))]
  } finally {
    rmSync(probe, { recursive: true, force: true })
  }
}

function checkSync(file: string): Check {
  const fd = openSync(file, 'w')
  try {
    const times = Array.from({ length: 5 }, () => {
      writeSync(fd, 'x'.repeat(4096))
      const before = performance.now()
      fdatasyncSync(fd)
      return performance.now() - before
    })
    const ms = times.sort((a, b) => a - b)[2] ?? 0
    return ms > SLOW_SYNC_MS
      ? {
          name: 'disk',
          state: 'warning',
          text: `a sync takes ${ms.toFixed(1)} ms: "synced" actors will be slow here`,
        }
      : { name: 'disk', state: 'ok', text: `a sync takes ${ms.toFixed(1)} ms` }
  } finally {
    closeSync(fd)
  }
}
