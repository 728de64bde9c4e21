// Makes what rocksdb has written survive a power failure. rocksdb writes to a log file (WAL) without syncing it, and
// begins a new one whenever it likes, so that the bytes of one write may be in any file since the last sync.
//
// W1 every WAL from the highest fully synced one up to the current one is synced, oldest first.
// W2 the directory is synced when a WAL appeared in it: a file without its name is lost.
// W3 a WAL that is gone was flushed: rocksdb syncs the tables and its manifest before it deletes one. But the current
//    one is never gone; if it seems so, we are looking in the wrong place and must not claim a sync.

import { type FileHandle, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from './errors.ts'
import { syncDirectory } from './files.ts'

/** What the sync does to the disk; tests watch it, and lose what it did not sync. */
export interface WalDisk {
  list(directory: string): Promise<readonly string[]>
  /** Syncs the data of a file; false when there is no such file. */
  sync(path: string): Promise<boolean>
  syncDirectory(directory: string): Promise<void>
  /** No file but this one will be synced again. A WAL that is held open keeps its space after rocksdb deleted it. */
  keepOnly(path?: string): Promise<void>
}

export class WalSync {
  readonly #directory: string
  readonly #currentWal: () => Promise<number>
  readonly #disk: WalDisk
  /** Everything in files below it is synced, and so is the name of this one. */
  #from = -1

  constructor(directory: string, currentWal: () => Promise<number>, disk: WalDisk = new RealWalDisk()) {
    this.#directory = directory
    this.#currentWal = currentWal
    this.#disk = disk
  }

  async sync(): Promise<void> {
    const current = await this.#currentWal()
    if (current !== this.#from) await this.#syncOlder(current)
    if (!(await this.#disk.sync(this.#path(current))) && (await this.#currentWal()) === current) {
      throw new Error(`rocksdb writes to ${this.#path(current)}, which does not exist`) // W3
    }
    if (current !== this.#from) {
      await this.#disk.syncDirectory(this.#directory) // W2
      await this.#disk.keepOnly(this.#path(current))
      this.#from = current
    }
  }

  /** W1, below the current one. */
  async #syncOlder(current: number): Promise<void> {
    const numbers = (await this.#disk.list(this.#directory))
      .map(walNumber)
      .filter((number) => number >= Math.max(0, this.#from) && number < current)
      .sort((a, b) => a - b)
    for (const number of numbers) await this.#disk.sync(this.#path(number))
  }

  async close(): Promise<void> {
    await this.#disk.keepOnly()
  }

  #path(number: number): string {
    return join(this.#directory, `${String(number).padStart(6, '0')}.log`)
  }
}

/** -1 for files that are no WAL. */
function walNumber(name: string): number {
  return /^\d+\.log$/.test(name) ? Number.parseInt(name, 10) : -1
}

/** Keeps the file open between syncs: an error of the disk in between is then reported to us, too. */
export class RealWalDisk implements WalDisk {
  readonly #open = new Map<string, FileHandle>()

  list(directory: string): Promise<readonly string[]> {
    return readdir(directory)
  }

  async sync(path: string): Promise<boolean> {
    const handle = this.#open.get(path) ?? (await openOrGone(path))
    if (handle === undefined) return false
    this.#open.set(path, handle)
    await handle.datasync()
    return true
  }

  syncDirectory(directory: string): Promise<void> {
    return syncDirectory(directory)
  }

  async keepOnly(path?: string): Promise<void> {
    for (const [name, handle] of this.#open) {
      if (name === path) continue
      this.#open.delete(name)
      await handle.close()
    }
  }
}

async function openOrGone(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
