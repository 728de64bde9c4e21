// Small file operations whose durability matters. A file is durable once it and its directory are synced.

import { constants } from 'node:fs'
import { type FileHandle, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0
  while (done < bytes.byteLength) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.byteLength - done, position + done)
    if (bytesWritten === 0) throw new Error('the file system took no bytes')
    done += bytesWritten
  }
}

/** Puts a whole new file in the place of `path`, durably or not at all; hands back the open new file. */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<FileHandle> {
  const next = `${path}.next`
  const handle = await open(next, 'w+', 0o600)
  try {
    await writeAll(handle, bytes, 0)
    await handle.sync()
    await rename(next, path)
    await syncDirectory(dirname(path))
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
}
