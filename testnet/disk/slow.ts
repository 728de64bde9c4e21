// Inside a peer's process: a slow disk. Writes go to the system's memory and are as fast as ever; what waits for the disk is a
// sync, so each takes so much longer. All syncs of a store go through these methods of node's file handles.

import { type FileHandle, open } from 'node:fs/promises'

let delayMs = 0
let installed: Promise<void> | undefined

/** Takes effect for syncs from now on; 0: as fast as the disk is. */
export async function slowDisk(ms: number): Promise<void> {
  installed ??= install()
  await installed
  delayMs = ms
}

async function install(): Promise<void> {
  const handle = await open(process.execPath)
  const methods = Object.getPrototypeOf(handle) as Pick<FileHandle, 'sync' | 'datasync'>
  await handle.close()
  for (const name of ['sync', 'datasync'] as const) {
    const original = methods[name]
    methods[name] = async function slow(this: FileHandle): Promise<void> {
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs))
      return original.call(this)
    }
  }
}
