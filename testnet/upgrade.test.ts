// Real processes: an upgrade peer by peer, with hosts that are killed in the middle of a migration.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createTestnet } from './testnet.ts'
import { isWhole, type PeerView } from './view.ts'

const module = (name: string): URL => new URL(`./test-support/${name}.ts`, import.meta.url)
const PLACES = ['migrate', 'onActivate'] as const

test('an upgrade peer by peer, with hosts killed while they migrate: every state is there, migrated once', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'mesh-upgrade-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  let actors = module('book-v1')
  const net = await createTestnet(3, { teardown: onTestFinished, peer: () => ({ actors: actors.href }) })
  const names = Array.from({ length: 9 }, (_, n) => `book-${n}`)
  const add = (name: string, line: string): Promise<unknown> => net.call(0, 'Book', name, 'add', [line])
  for (const line of ['first', 'second'])
    await Promise.all(names.map((name) => add(name, line === 'first' ? name : line)))

  actors = module('book-v2')
  actors.searchParams.set('dir', dir)
  for (const place of PLACES) writeFileSync(join(dir, `${place}.armed`), '')
  // One that is killed, maybe while it starts, is started again.
  const isUp = async (views: readonly PeerView[]): Promise<boolean> => {
    for (const { index, state } of net.peers)
      if (state.kind === 'stopped') await net.start(index).catch(() => {})
    return views.every(({ seen }) => seen !== undefined && isWhole(seen))
  }
  const whole = (): Promise<unknown> => net.waitUntil('all are up, and every actor has its copies', isUp)
  for (const { index } of net.peers) {
    await net.stop(index)
    await whole()
  }
  await net.waitUntil('a host was killed in each place', async (views) => {
    await isUp(views)
    return PLACES.every((place) => existsSync(join(dir, `${place}.struck`)))
  })
  await whole()
  const migrated = (name: string): readonly string[] => [`${name}!`, 'second!']
  for (const name of names) expect(await add(name, 'third')).toEqual([...migrated(name), 'third'])

  const host = net.hostOf(await net.views(), 'Book', names[0]!)
  await net.kill(host)
  const other = net.peers.find(({ index }) => index !== host)!.index
  for (const name of names)
    expect(await net.call(other, 'Book', name, 'all')).toEqual({
      lines: [...migrated(name), 'third'],
      migrations: 1,
    })
})
