import { describe, expect, it } from 'vitest'
import { describeLogStore } from './conformance.ts'
import { MemoryDisk } from './memory-disk.ts'
import { type MemoryOperation, openMemoryStore } from './memory-store.ts'

let seed = 0
const random = () => {
  seed += 1
  return seed.toString(16).padStart(32, '0')
}
const bytes = (text: string) => Buffer.from(text)

describeLogStore('memory store', {
  runs: 200,
  crashRuns: 100,
  crashableDisk: async () => {
    const disk = new MemoryDisk()
    return {
      open: () => openMemoryStore({ disk, random }),
      crash: async ({ power, survives }) =>
        disk.crash({ loseUnsynced: power, keepUnsynced: Math.round(survives * disk.unsynced()) }),
      logs: async () => disk.writtenLogs.size,
    }
  },
  disk: async () => {
    const disk = new MemoryDisk()
    return { open: () => openMemoryStore({ disk, random }) }
  },
})

/** A schedule under the test's control: operations wait until they are released, one by one. */
function heldBack() {
  const waiting: { operation: MemoryOperation; done: () => void }[] = []
  let holding = false
  return {
    waiting,
    schedule: (operation: MemoryOperation, done: () => void) => {
      if (holding) waiting.push({ operation, done })
      else queueMicrotask(done)
    },
    hold: () => {
      holding = true
    },
    release: () => {
      holding = false
      for (const { done } of waiting.splice(0)) done()
    },
  }
}

const settled = async (promise: Promise<unknown>) => {
  let result = 'pending'
  promise.then(
    () => (result = 'resolved'),
    () => (result = 'rejected'),
  )
  for (let i = 0; i < 20; i += 1) await Promise.resolve()
  return result
}

describe('memory disk: crashes', () => {
  it('keeps what was written when a process is killed, and loses what was not synced when the power fails', async () => {
    const disk = new MemoryDisk()
    const first = await openMemoryStore({ disk, random })
    const log = await first.createLog()
    await first.append(log, bytes('synced'))
    await first.sync()
    await first.append(log, bytes('written'))
    disk.crash({ loseUnsynced: false })
    const second = await openMemoryStore({ disk, random })
    expect(await second.length(log)).toBe(2)
    expect(second.systemBoot).toBe(first.systemBoot)
    disk.crash({ loseUnsynced: true })
    const third = await openMemoryStore({ disk, random })
    expect(await third.length(log)).toBe(1)
    expect(third.systemBoot).not.toBe(first.systemBoot)
  })

  it('can keep the oldest of the unsynced writes, as a disk may', async () => {
    const disk = new MemoryDisk()
    const store = await openMemoryStore({ disk, random })
    const log = await store.createLog()
    await store.sync()
    for (const text of ['a', 'b', 'c']) await store.append(log, bytes(text))
    disk.crash({ loseUnsynced: true, keepUnsynced: 2 })
    expect(await (await openMemoryStore({ disk, random })).length(log)).toBe(2)
  })

  it('makes facts durable together with every block written before them', async () => {
    const disk = new MemoryDisk()
    const store = await openMemoryStore({ disk, random })
    const log = await store.createLog()
    await store.append(log, bytes('counted by the seal'))
    await store.persist({ boots: [] })
    expect(disk.durableLength(log)).toBe(1)
  })

  it('loses or keeps writes under way, and never settles their promises', async () => {
    for (const keepInFlight of [false, true]) {
      const disk = new MemoryDisk()
      const control = heldBack()
      const store = await openMemoryStore({ disk, random, schedule: control.schedule })
      const log = await store.createLog()
      control.hold()
      const append = store.append(log, bytes('under way'))
      await settled(append)
      expect(control.waiting.map(({ operation }) => operation)).toEqual(['append'])
      disk.crash({ loseUnsynced: false, keepInFlight })
      control.release()
      expect(await settled(append)).toBe('pending')
      expect(await (await openMemoryStore({ disk, random })).length(log)).toBe(keepInFlight ? 1 : 0)
    }
  })

  it('does not count writes that end during a sync as synced', async () => {
    const disk = new MemoryDisk()
    const control = heldBack()
    const store = await openMemoryStore({ disk, random, schedule: control.schedule })
    const log = await store.createLog()
    await store.append(log, bytes('before'))
    control.hold()
    const sync = store.sync()
    await settled(sync)
    const append = store.append(log, bytes('during'))
    await settled(append)
    const [syncStep, appendStep] = control.waiting.splice(0)
    appendStep?.done()
    syncStep?.done()
    await Promise.all([sync, append])
    expect(disk.durableLength(log)).toBe(1)
  })

  it('shares one sync among those who ask while another runs', async () => {
    const disk = new MemoryDisk()
    const control = heldBack()
    const store = await openMemoryStore({ disk, random, schedule: control.schedule })
    control.hold()
    const first = store.sync()
    await settled(first)
    const later = [store.sync(), store.sync(), store.sync()]
    control.release()
    control.hold()
    await first
    await settled(Promise.all(later))
    expect(control.waiting.length).toBe(1)
    control.release()
    await Promise.all(later)
  })

  it('fails for good after a failed sync or write', async () => {
    for (const fault of ['sync', 'write'] as const) {
      const disk = new MemoryDisk()
      const store = await openMemoryStore({ disk, random })
      const log = await store.createLog()
      disk.fail(fault)
      await expect(fault === 'sync' ? store.sync() : store.append(log, bytes('x'))).rejects.toMatchObject({
        code: 'STORE_FAILED',
      })
      disk.fail('none')
      await expect(store.sync()).rejects.toMatchObject({ code: 'STORE_FAILED' })
      await expect(store.append(log, bytes('x'))).rejects.toMatchObject({ code: 'STORE_FAILED' })
      await expect(store.persist({})).rejects.toMatchObject({ code: 'STORE_FAILED' })
    }
  })

  it('is another store after a wipe', async () => {
    const disk = new MemoryDisk()
    const store = await openMemoryStore({ disk, random })
    const log = await store.createLog()
    await store.append(log, bytes('x'))
    disk.wipe()
    const next = await openMemoryStore({ disk, random })
    expect(next.facts.storeId).not.toBe(store.facts.storeId)
    expect(await next.length(log)).toBe(0)
  })
})
