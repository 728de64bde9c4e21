// The order in which WALs are synced, on a disk that only remembers.

import { describe, expect, it } from 'vitest'
import { type WalDisk, WalSync } from './wal-sync.ts'

class RememberingDisk implements WalDisk {
  files = new Set<string>()
  done: string[] = []
  list = async () => [...this.files, 'CURRENT', 'MANIFEST-000005', '000012.sst']
  sync = async (path: string) => {
    this.done.push(path)
    return this.files.has(path.slice('db/'.length))
  }
  syncDirectory = async () => {
    this.done.push('directory')
  }
  keepOnly = async () => {}
}

function setUp(files: readonly string[], current: number) {
  const disk = new RememberingDisk()
  disk.files = new Set(files)
  const state = { current }
  return { disk, state, wal: new WalSync('db', async () => state.current, disk) }
}

describe('syncing the WAL', () => {
  it('syncs everything there is at first, oldest first, and the directory (W1, W2)', async () => {
    const { disk, wal } = setUp(['000010.log', '000004.log', '1000000.log', '000009.log'], 10)
    await wal.sync()
    expect(disk.done).toEqual(['db/000004.log', 'db/000009.log', 'db/000010.log', 'directory'])
  })

  it('syncs only the current one while nothing rotates', async () => {
    const { disk, wal } = setUp(['000004.log'], 4)
    await wal.sync()
    disk.done = []
    await wal.sync()
    expect(disk.done).toEqual(['db/000004.log'])
  })

  it('syncs the last one again when it is not current any more: it may have grown before it rotated (W1)', async () => {
    const { disk, wal, state } = setUp(['000004.log'], 4)
    await wal.sync()
    disk.done = []
    disk.files = new Set(['000004.log', '000008.log', '000011.log'])
    state.current = 11
    await wal.sync()
    expect(disk.done).toEqual(['db/000004.log', 'db/000008.log', 'db/000011.log', 'directory'])
  })

  it('takes a WAL that is gone for flushed, but never the current one (W3)', async () => {
    const { disk, wal, state } = setUp(['000004.log'], 4)
    await wal.sync()
    disk.files = new Set(['000011.log'])
    state.current = 11
    await wal.sync()
    disk.files = new Set()
    await expect(wal.sync()).rejects.toThrow('does not exist')
  })
})
