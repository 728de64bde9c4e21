// Knows how much of each WAL a sync has made safe, and cuts WALs down to that, as a power failure does.

import { readdir, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { RealWalDisk } from '../wal-sync.ts'

export class WatchedDisk extends RealWalDisk {
  /** Bytes by path. */
  readonly safe = new Map<string, number>()
  onSynced: (path: string, bytes: number) => void = () => {}
  failing = false

  override async sync(path: string): Promise<boolean> {
    if (this.failing) throw new Error('EIO: i/o error, fdatasync')
    const size = await sizeOf(path)
    const found = await super.sync(path)
    this.safe.set(path, size)
    this.onSynced(path, size)
    return found
  }
}

/** The WALs of a store, oldest first. */
export async function walsOf(directory: string): Promise<string[]> {
  const db = join(directory, 'logs', 'db')
  const names = (await readdir(db)).filter((name) => /^\d+\.log$/.test(name))
  return names
    .sort((one, two) => Number.parseInt(one, 10) - Number.parseInt(two, 10))
    .map((name) => join(db, name))
}

export const sizeOf = async (path: string): Promise<number> =>
  (await stat(path).catch(() => undefined))?.size ?? 0

/** The power fails: of the bytes that are not safe only the oldest part `survives`, from 0 for none to 1 for all. */
export async function losePower(
  directory: string,
  safe: (path: string) => number,
  survives: number,
): Promise<void> {
  const wals = await walsOf(directory)
  const sizes = await Promise.all(wals.map(sizeOf))
  const unsafe = wals.map((path, i) => Math.max(0, (sizes[i] ?? 0) - safe(path)))
  let left = Math.floor(survives * unsafe.reduce((sum, bytes) => sum + bytes, 0))
  for (const [i, path] of wals.entries()) {
    const kept = Math.min(left, unsafe[i] ?? 0)
    left -= kept
    await truncate(path, (sizes[i] ?? 0) - (unsafe[i] ?? 0) + kept)
  }
}
