// The directory of a testnet in the background, and whose it is.
//
//  D1 A testnet begins in an empty directory only: everything in it is its own, and may be removed.
//  D2 `testnet.json` is made exclusively, by the one supervisor whose directory it is from then on.
//  D3 What is removed is what a testnet is known to have made; what somebody else put there stays, and so does the directory.

import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { readLocation, removeLocation } from '../../node/control/location.ts'

const schema = z.object({ pid: z.number().int(), peers: z.number().int().min(1), actors: z.string() })
/** What `testnet.json` says: the supervisor's process, how many peers, the URL of their actors. */
export type TestnetFile = z.infer<typeof schema>

const fileOf = (dir: string): string => join(dir, 'testnet.json')
export const supervisorLog = (dir: string): string => join(dir, 'supervisor.log')
export const peerDir = (dir: string, index: number): string => join(dir, `peer-${index}`)
export const peerLog = (dir: string, index: number): string => join(dir, `peer-${index}.log`)

/** Undefined where no testnet is or was. */
export function readTestnet(dir: string): TestnetFile | undefined {
  try {
    return schema.parse(JSON.parse(readFileSync(fileOf(dir), 'utf8')))
  } catch {
    return undefined
  }
}

/** Names in the directory, but for the log into which a supervisor prints from its very start. */
export function strangersIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir).filter((name) => name !== 'supervisor.log')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** D2. False: somebody else has just claimed it. */
export function claim(dir: string, file: TestnetFile): boolean {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  try {
    writeFileSync(fileOf(dir), `${JSON.stringify(file)}\n`, { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** D3. Of a testnet whose supervisor is gone, or ends with this. */
export function removeTestnet(dir: string): void {
  const { peers = 0 } = readTestnet(dir) ?? {}
  for (let index = 0; index < peers; index++) {
    killFrozen(peerDir(dir, index))
    forgetSocket(peerDir(dir, index))
    rmSync(peerDir(dir, index), { recursive: true, force: true, maxRetries: 3 })
    rmSync(peerLog(dir, index), { force: true })
  }
  forgetSocket(dir)
  rmSync(supervisorLog(dir), { force: true })
  rmSync(fileOf(dir), { force: true })
  try {
    rmdirSync(dir)
  } catch {
    // Somebody else's files are in it.
  }
}

/** A peer that was frozen when its supervisor was killed did not hear of it. It is known by its open files, never by its id alone. */
function killFrozen(dir: string): void {
  const pid = readLocation(dir)?.pid
  if (pid === undefined) return
  const descriptors = `/proc/${pid}/fd`
  try {
    const isIts = readdirSync(descriptors).some((fd) =>
      readlinkSync(join(descriptors, fd)).startsWith(`${realpathSync(dir)}/`),
    )
    if (isIts) process.kill(pid, 'SIGKILL')
  } catch {
    // It is gone, or the system does not tell.
  }
}

/** One with a long path lies in a directory of its own elsewhere. */
function forgetSocket(dir: string): void {
  const socket = readLocation(dir)?.socket
  if (socket !== undefined) removeLocation(dir, socket)
}
