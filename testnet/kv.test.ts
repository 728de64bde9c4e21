// Real processes: a peer that runs no actors watches a key whose host is killed.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createNode, type KvChange } from '../node/index.ts'
import { createTestnet } from './testnet.ts'

test('the host of a watched key is killed: the watcher, which runs no actors, misses nothing that is newest', async () => {
  const net = await createTestnet(4, { teardown: onTestFinished })
  const dataDir = mkdtempSync(join(tmpdir(), 'kv-watch-'))
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }))
  const node = await createNode({
    dataDir,
    invite: await net.peer(0).request('invite', undefined),
    host: false,
    keep: false,
  })
  onTestFinished(() => node.close())
  await node.kv.put('config', { n: 0 })
  const seen: KvChange<{ n: number }>[] = []
  const watching = (async (): Promise<void> => {
    for await (const change of node.kv.watch<{ n: number }>('config')) {
      seen.push(change)
      if (change.kind === 'put' && change.value.n === 40) return
    }
  })()
  watching.catch(() => {}) // waited for at the end
  const [shard] = node.actors().filter(({ type }) => type === 'mesh:kv')
  const host = net.hostOf(await net.views(), 'mesh:kv', shard!.name)
  expect(shard!.peer!.peerId).not.toBe(node.peerId)
  for (let n = 1; n <= 40; n++) {
    if (n === 20) void net.kill(host)
    await node.kv.put('config', { n })
  }
  await watching
  const numbers = seen.map((change) => (change.kind === 'put' ? change.value.n : -1))
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
  expect(await node.kv.get('config')).toMatchObject({ value: { n: 40 }, version: seen.at(-1)!.version })
  expect(await node.kv.keys('con')).toEqual(['config'])
})
