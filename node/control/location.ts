// Where a node's control socket is. Normally `control.sock` in the data directory; a Unix socket's path is limited to
// about 104 bytes, so a longer one goes into a private directory under the system's temporary directory. Either way
// `control.json` in the data directory names it, and only the owner can reach both.

import { mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

/** sun_path holds 104 bytes on macOS and 108 on Linux, with a final zero; the smaller minus that zero. */
const MAX_SOCKET_PATH_BYTES = 103

/** What `control.json` says. */
export interface ControlLocation {
  readonly socket: string
  readonly pid: number
  /** Wall-clock milliseconds at which the node started. */
  readonly startedAt: number
}

const file = (dataDir: string): string => join(dataDir, 'control.json')

/** Chooses the path for a new socket; may create the private directory it lies in. */
export function chooseSocketPath(dataDir: string): string {
  const inside = resolve(dataDir, 'control.sock')
  if (Buffer.byteLength(inside) <= MAX_SOCKET_PATH_BYTES) return inside
  return join(mkdtempSync(join(tmpdir(), 'actor-mesh-')), 'control.sock') // mkdtemp makes it 0700
}

export function writeLocation(dataDir: string, location: ControlLocation): void {
  writeFileSync(file(dataDir), `${JSON.stringify(location)}\n`, { mode: 0o600 })
}

/** The location last written, or undefined when no node ever ran there or the file is not readable as one. */
export function readLocation(dataDir: string): ControlLocation | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(file(dataDir), 'utf8'))
    if (typeof value !== 'object' || value === null) return undefined
    const { socket, pid, startedAt } = value as Record<string, unknown>
    if (typeof socket !== 'string' || typeof pid !== 'number' || typeof startedAt !== 'number')
      return undefined
    return { socket, pid, startedAt }
  } catch {
    return undefined
  }
}

/** Removes the socket, `control.json`, and the private directory if there was one. */
export function removeLocation(dataDir: string, socket: string): void {
  rmSync(socket, { force: true })
  if (readLocation(dataDir)?.socket === socket) rmSync(file(dataDir), { force: true })
  if (dirname(socket) === resolve(dataDir)) return
  try {
    rmdirSync(dirname(socket)) // never recursive: what control.json names is not checked
  } catch {
    // It is gone already, or holds something that is not ours.
  }
}
