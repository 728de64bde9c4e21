// Small secret files: written whole or not at all, readable by their owner only.

import { randomBytes } from 'node:crypto'
import { chmod, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

const OWNER_ONLY = 0o600

/** Writes beside the target, syncs and renames, so that a crash leaves the old file or the new one. */
export const writePrivateFile = async (path: string, bytes: Uint8Array): Promise<void> => {
  await mkdir(dirname(path), { recursive: true })
  const temporary = `${path}.${randomBytes(4).toString('hex')}`
  const file = await open(temporary, 'wx', OWNER_ONLY)
  try {
    await file.writeFile(bytes)
    await file.sync()
    await file.close()
    await rename(temporary, path)
  } catch (error) {
    await file.close().catch(() => {})
    await rm(temporary, { force: true })
    throw error
  }
}

/**
 * Undefined when there is no such file. One that others could read is tightened and `warn` is told: refusing to start
 * would help nobody, the secret was exposed already.
 */
export const readPrivateFile = async (
  path: string,
  warn?: (text: string) => void,
): Promise<Uint8Array | undefined> => {
  try {
    const { mode } = await stat(path)
    if ((mode & 0o077) !== 0 && process.platform !== 'win32') {
      warn?.(
        `${path} was readable by other users (mode ${(mode & 0o777).toString(8)}); it is now ${OWNER_ONLY.toString(8)}`,
      )
      await chmod(path, OWNER_ONLY)
    }
    return await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
