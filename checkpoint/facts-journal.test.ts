import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { storeId } from '../mesh/ids.ts'
import { FactsJournal } from './facts-journal.ts'
import { temporaryDirectory } from './test-support/temporary-directory.ts'

test('F1 factsNotSynced: a change is synced before anybody is told', async () => {
  const directory = await temporaryDirectory()
  const probe = await open(join(directory, 'probe'), 'w')
  await probe.close()
  const order: string[] = []
  vi.spyOn(Object.getPrototypeOf(probe), 'datasync').mockImplementation(async () => void order.push('synced'))
  const facts = { storeId: storeId('0'.repeat(32)), boots: [], logs: {}, peers: {} }
  const journal = await FactsJournal.create(join(directory, 'facts'), facts)
  order.length = 0
  await journal.append([{ boots: [] }]).then(() => order.push('told'))
  expect(order).toEqual(['synced', 'told'])
  vi.restoreAllMocks()
  await journal.close()
})
