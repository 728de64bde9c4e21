// A peer's data directory: which file is what, and errors about it in words.

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StoreError } from '../checkpoint/errors.ts'
import { openHypercoreStore } from '../checkpoint/hypercore-store.ts'
import type { LogStore } from '../checkpoint/port.ts'
import { DataDirectoryError } from './errors.ts'
import { realRandom } from './real-world.ts'

export interface DataDirectory {
  readonly path: string
  readonly identity: string
  readonly secret: string
  /** With the id of the encryption key that the peer was last admitted with. */
  readonly keyId: string
  readonly store: LogStore
  /** Ports last listened on, by the listen address they were asked for with. */
  lastPorts(): Promise<Readonly<Record<string, number>>>
  rememberPorts(ports: Readonly<Record<string, number>>): Promise<void>
}

/** Creates or opens; holds the store's lock from then on. Throws {@link DataDirectoryError}. */
export async function openDataDirectory(path: string): Promise<DataDirectory> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new DataDirectoryError(
      'DATA_DIR_UNREADABLE',
      `cannot use the data directory ${path}: ${why}. Choose another with --data-dir.`,
      { cause },
    )
  }
  const store = await openStore(path)
  const ports = join(path, 'listen.json')
  return {
    path,
    identity: join(path, 'identity.key'),
    secret: join(path, 'mesh.secret'),
    keyId: join(path, 'key.id'),
    store,
    lastPorts: async () => {
      try {
        const value: unknown = JSON.parse(await readFile(ports, 'utf8'))
        if (typeof value !== 'object' || value === null) return {}
        return Object.fromEntries(Object.entries(value).filter(([, port]) => Number.isInteger(port)))
      } catch {
        // Not there yet, or not readable as one: any free port does.
        return {}
      }
    },
    rememberPorts: (value) => writeFile(ports, `${JSON.stringify(value)}\n`),
  }
}

async function openStore(path: string): Promise<LogStore> {
  try {
    return await openHypercoreStore({ directory: join(path, 'store'), random: realRandom.id })
  } catch (cause) {
    if (!(cause instanceof StoreError)) throw cause
    const code = cause.code === 'DIRECTORY_IN_USE' ? 'DATA_DIR_IN_USE' : 'DATA_DIR_UNREADABLE'
    throw new DataDirectoryError(code, cause.message, { cause })
  }
}
