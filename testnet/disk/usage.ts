// What a directory takes on the disk.

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

export interface FileUsage {
  readonly name: string
  /** Of its blocks on the disk; a file may be longer or shorter than that. */
  readonly bytes: number
}

/** Every file below a directory; none where there is no such directory. What goes away meanwhile is left out. */
export async function filesBelow(directory: string): Promise<readonly FileUsage[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = entries
    .filter((entry) => entry.isFile())
    .map(async ({ parentPath, name }) => {
      const found = await stat(join(parentPath, name)).catch(() => undefined)
      return found === undefined ? [] : [{ name, bytes: found.blocks * 512 }]
    })
  return (await Promise.all(files)).flat()
}
