// A full disk without any privilege: the operating system refuses the process's writes beyond a size of file (RLIMIT_FSIZE), so
// they fail under rocksdb and everything else, as they do on a full disk; a write across the limit is done in part. What
// differs is the name of the error: EFBIG, not ENOSPC.

import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Linux, with prlimit of util-linux. */
export const canFillDisk = (): boolean =>
  process.platform === 'linux' && ['/usr/bin/prlimit', '/bin/prlimit'].some((path) => existsSync(path))

/** From now on no file of a process grows beyond what the largest log of its store has now, and so many bytes more. */
export function fillDisk(pid: number, dataDir: string, spareBytes: number): void {
  limit(pid, `${largestLog(dataDir) + spareBytes}`)
}

export const freeDisk = (pid: number): void => limit(pid, 'unlimited')

const limit = (pid: number, soft: string): void =>
  void execFileSync('prlimit', ['--pid', String(pid), `--fsize=${soft}:unlimited`])

function largestLog(dataDir: string): number {
  const logs = join(dataDir, 'store', 'logs', 'db')
  const sizes = readdirSync(logs)
    .filter((name) => name.endsWith('.log'))
    .map((name) => statSync(join(logs, name), { throwIfNoEntry: false })?.size ?? 0)
  return Math.max(0, ...sizes)
}

/** In the process itself: without it the signal that comes with the error ends the process. */
export function surviveFullDisk(): void {
  process.on('SIGXFSZ', () => {})
}
