// Floors: a bare append to a hypercore, which does not sync, and a bare write with fdatasync. What waits is written together.

import { open as openFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { drive, type Plan, payload } from '../harness/drive.ts'
import type { Measured } from '../harness/statistics.ts'
import { Group } from './group.ts'

// Untyped on purpose: checkpoint/hypercore.d.ts declares what the product calls.
const require = createRequire(import.meta.url)
const Corestore = require('corestore')

/** The file is allocated first and then overwritten: an append would pay for the file system's own log as well. */
const FILE_BYTES = 64 * 1024 * 1024

let appends: Group | undefined
let syncs: Group | undefined

export async function open(directory: string): Promise<void> {
  const log = new Corestore(join(directory, 'hypercore')).get({ name: 'bench' })
  await log.ready()
  appends = new Group((blocks) => log.append(blocks))
  const file = await openFile(join(directory, 'bare'), 'w')
  for (let at = 0; at < FILE_BYTES; at += 1024 * 1024)
    await file.write(Buffer.alloc(1024 * 1024), 0, 1024 * 1024, at)
  await file.sync()
  let position = 0
  syncs = new Group(async (blocks) => {
    const bytes = Buffer.concat(blocks)
    if (position + bytes.length > FILE_BYTES) position = 0
    await file.write(bytes, 0, bytes.length, position)
    position += bytes.length
    await file.datasync()
  })
}

export function append(plan: Plan): Promise<Measured> {
  const block = payload(plan.bytes)
  return drive(() => appends!.add(block), plan)
}

export function sync(plan: Plan): Promise<Measured> {
  const block = payload(plan.bytes)
  return drive(() => syncs!.add(block), plan)
}
