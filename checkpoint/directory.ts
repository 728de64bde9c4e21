// A store's directory: what is in it, whether it may be used, and what a failure to open it means.
//
//     facts    the facts journal; written last when a store is made, so that a directory without it never promised anything
//     logs/    the corestore, with the lock that keeps a second process out

import { chmod, mkdir, readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  codeOf,
  DirectoryInUseError,
  DirectoryUnreadableError,
  NotAStoreError,
  reasonOf,
  StoreCopiedError,
  StoreDamagedError,
  StoreError,
  StoreFailedError,
} from './errors.ts'
import { syncDirectory, syncFile } from './files.ts'

export interface StoreDirectory {
  readonly path: string
  readonly facts: string
  readonly logs: string
  /** False for a store that is being made. */
  readonly complete: boolean
}

const OURS = new Set(['facts', 'facts.next', 'logs'])

/** Makes the directory if need be; throws when it is something else, or damaged beyond use. */
export async function prepareDirectory(path: string): Promise<StoreDirectory> {
  const directory = { path, facts: join(path, 'facts'), logs: join(path, 'logs') }
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
    const names = await readdir(path)
    const foreign = names.find((name) => !OURS.has(name))
    if (foreign !== undefined) throw new NotAStoreError(path, `it contains ${foreign}`)
    const complete = names.includes('facts')
    if (complete && !names.includes('logs'))
      throw new StoreDamagedError(`The logs of the store in ${path} are gone`)
    await chmod(path, 0o700)
    await mkdir(directory.logs, { recursive: true, mode: 0o700 })
    if (await exists(join(directory.logs, 'db', 'RECOVERING'))) throw lostLogs(path)
    return { ...directory, complete }
  } catch (error) {
    throw meaningOf(error, path)
  }
}

/**
 * Makes what corestore has just opened survive a power failure: it does not sync the file that tells a store from a copy
 * of it, nor the names of directories.
 */
export async function syncNewDirectory({ path, logs }: StoreDirectory): Promise<void> {
  await syncFile(join(logs, 'CORESTORE'))
  for (const directory of [join(logs, 'db'), logs, path, dirname(path)]) await syncDirectory(directory)
}

/** What an error while opening says about the directory. Errors of ours pass. */
export function meaningOf(error: unknown, path: string): StoreError {
  if (error instanceof StoreError) return error
  const reason = reasonOf(error)
  switch (codeOf(error)) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new DirectoryUnreadableError(path, error)
    case 'EEXIST':
    case 'ENOTDIR':
      return new NotAStoreError(path, 'it is not a directory', error)
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EIO':
      return new StoreFailedError(`Could not open the store in ${path}`, error)
    case 'DEVICE_FILE':
      return new StoreCopiedError(path, error)
  }
  if (/could not be locked|lock hold by current process|Resource temporarily unavailable/i.test(reason)) {
    return new DirectoryInUseError(path, error)
  }
  if (/permission denied|read-only file system/i.test(reason))
    return new DirectoryUnreadableError(path, error)
  if (/no space left/i.test(reason)) return new StoreFailedError(`Could not open the store in ${path}`, error)
  return new StoreDamagedError(`Could not open the store in ${path} (${reason})`, error)
}

/** hypercore-storage answers some damage by deleting rocksdb's log files, and acknowledged blocks with them. */
export function lostLogs(path: string): StoreDamagedError {
  return new StoreDamagedError(`The store in ${path} lost its last writes to a damaged file`)
}

export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}
