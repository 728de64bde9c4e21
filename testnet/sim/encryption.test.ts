// Encrypted actors in a simulated mesh: what lies on disks, who may run them, and what becomes of what was changed.

import { expect, test } from 'vitest'
import { Cipher } from '../../checkpoint/cipher.ts'
import { actorKey, type PeerId, peerId, peerOfBoot } from '../../mesh/ids.ts'
import type { MeshError } from '../../node/errors.ts'
import type { ActorMesh } from './actor-mesh.ts'
import { code, meshOf } from './actor-stage.ts'
import { Ledger, SyncedLedger } from './ledger.ts'

const MARKER = 'marker-3f9a7c51'
const cipher = new Cipher(new Uint8Array(32).fill(1))
const KEYLESS = ['peer-01', 'peer-03'].map(peerId)
const withKeys = (id: PeerId): Cipher | undefined => (KEYLESS.includes(id) ? undefined : cipher)

/** Says its first arguments, and fails to start with what it has where it is told to. */
class Named extends Ledger {
  static readonly actorName = 'Ledger'
  constructor(word = '') {
    super()
    if (word !== '') this.state.tokens.push(word)
  }
  protected override onActivate(): void {
    if (failing) throw new Error(`it has ${MARKER}`)
  }
}
let failing = false
const types = [Named, SyncedLedger]

/** Everything on a peer's disk in which the text is found. */
function holding(at: ActorMesh, text: string): string[] {
  const found: string[] = []
  const look = (id: PeerId, value: unknown, path: string): void => {
    if (
      typeof value === 'string' ? value.includes(text) : isBytes(value) && Buffer.from(value).includes(text)
    )
      found.push(`${id}: ${path}`)
    if (typeof value !== 'object' || value === null || isBytes(value)) return
    if (value instanceof Map || value instanceof Set) for (const item of value) look(id, item, `${path}[]`)
    else for (const [key, item] of Object.entries(value)) look(id, item, `${path}.${key}`)
  }
  for (const [id, disk] of at.mesh.disks) look(id, disk.image(), 'disk')
  return found
}
const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array

/** States, arguments, results, first arguments, sends, alarms, values of keys: all with the marker in them. */
async function fill(at: ActorMesh): Promise<void> {
  const [from] = at.ids
  const runtime = at.runtimes.get(from!)!
  const done = [
    runtime.ref(Named, 'made', `${MARKER} first`).all(),
    runtime.create(Named, 'created', { init: [`${MARKER} first`] }),
    at.send(from!, 'full', 'add', [`${MARKER} token`]),
    at.send(from!, 'full', 'arm', [`${MARKER} alarm`, 60_000]),
    at.send(from!, 'full', 'post', [`${MARKER} sent`, 'Ledger', 'other']),
    runtime.kv.put(`${MARKER} key`, 1),
  ]
  await at.mesh.await(Promise.all(done))
  await at.mesh.clock.run(3000)
}
const homes = (at: ActorMesh): string[] =>
  [...at.registry(at.live[0]!.id).actors.values()].map(({ home }) => (home ? peerOfBoot(home) : 'nowhere'))

test('without a key the disks of keepers have everything that actors store', async () => {
  const at = await meshOf(5, { types })
  await fill(at)
  expect(new Set(holding(at, MARKER).map((path) => path.split(':')[0])).size).toBe(5)
})

test('with one no disk has any of it, that of a host neither, also after moves, kills and failed starts', async () => {
  const at = await meshOf(5, { types, cipher: withKeys })
  await fill(at)
  expect(holding(at, MARKER)).toEqual([])
  const host = at.home('full')
  const boot = at.boot(host)
  at.mesh.kill(host)
  await at.recovered(boot)
  expect(await at.tokens(at.others(host)[0]!, 'full')).toContain(`${MARKER} token`)
  failing = true
  const asked = at.others(host)[0]!
  await at.mesh.await(at.runtimes.get(asked)!.kill('Ledger', 'full', true))
  const refused = at.send(asked, 'full', 'all', [], 3000)
  expect(await at.mesh.await(refused.catch(({ message }: MeshError) => message))).toContain(MARKER)
  expect(at.entry('full', asked)?.failures?.cause).toBe('onActivate failed: see the log of its host')
  failing = false
  await at.mesh.clock.run(30_000)
  expect(await at.tokens(asked, 'full')).toContain(`${MARKER} token`)
  expect(holding(at, MARKER)).toEqual([])
  // Keepers without the key have copies all the same.
  const kept = at.journals('full').flatMap(({ keepers }) => keepers.map(({ peer }) => peer))
  expect(KEYLESS.some((id) => kept.includes(id))).toBe(true)
})

test('A8 peers without the key never run an encrypted actor; they call, and have some made by others', async () => {
  const at = await meshOf(5, { types, cipher: withKeys })
  const [keyless] = KEYLESS
  for (let n = 0; n < 12; n++) await at.call(keyless!, `no-${n}`, 'add', 'token')
  await at.mesh.await(at.runtimes.get(keyless!)!.kv.put('k', 1))
  for (const id of at.others(...KEYLESS).slice(1)) {
    const boot = at.boot(id)
    at.mesh.kill(id)
    await at.recovered(boot)
    expect(homes(at).filter((home) => KEYLESS.includes(peerId(home)))).toEqual([])
    if (id !== at.others(...KEYLESS).at(-1)) await at.mesh.start(id)
  }
  expect(await code(at.mesh.await(at.runtimes.get(keyless!)!.create('Ledger', 'mine')))).toBe('BAD_INPUT')
})

test('only peers without the key are left: the actors wait, and say for whom', async () => {
  const only = peerId('peer-02')
  const at = await meshOf(3, { types, cipher: (id) => (id === only ? cipher : undefined) })
  await at.call(at.ids[0]!, 'a', 'add', 'kept')
  expect(at.home('a')).toBe(only)
  const boot = at.boot(only)
  at.mesh.kill(only)
  await at.recovered(boot)
  await at.mesh.clock.run(5000)
  const why = `no peer that is here, can run Ledger, and has the key that it is encrypted with (id ${cipher.keyId})`
  expect(at.live.map(({ driver }) => driver.whyNoHome(actorKey('Ledger', 'a')))).toEqual([why, why])
  await at.mesh.start(only)
  expect(await at.tokens(at.ids[1]!, 'a')).toEqual(['kept'])
})

test('A8 a peer with another key is refused, and says so; the mesh goes on', async () => {
  const other = new Cipher(new Uint8Array(32).fill(2))
  const stranger = peerId('peer-04')
  const at = await meshOf(4, { types, cipher: (id) => (id === stranger ? other : cipher) })
  await at.call(at.ids[0]!, 'a', 'add', 'kept')
  let fatal: Error | undefined
  at.mesh.onFatal = (_id, error) => {
    fatal = error
  }
  at.mesh.begin(stranger).catch(() => {}) // ended while it starts
  await at.mesh.until('it was refused', () => fatal !== undefined)
  expect(fatal).toMatchObject({ code: 'WRONG_KEY', message: expect.stringContaining(other.keyId) })
  expect(at.registry().peers.has(stranger)).toBe(false)
  expect(await at.tokens(at.ids[1]!, 'a')).toEqual(['kept'])
})

test('A8 a mesh that has actors is not encrypted afterwards', async () => {
  let keyed: Cipher | undefined
  const at = await meshOf(3, { types, cipher: () => keyed })
  await at.call(at.ids[0]!, 'a', 'add', 'plain')
  keyed = cipher
  let fatal: Error | undefined
  at.mesh.onFatal = (_id, error) => {
    fatal = error
  }
  at.mesh.begin(at.mesh.name(3)).catch(() => {}) // ended while it starts
  await at.mesh.until('it was refused', () => fatal !== undefined)
  expect(fatal).toMatchObject({ message: expect.stringContaining('actors that are not encrypted') })
})

test('E3 a state that can not be decrypted is waited for, and never another state', async () => {
  let garbled = false
  /** Has the key, and finds what it reads changed: as if every record had been tampered with. */
  class Garbling extends Cipher {
    override decrypt(...[place, bytes]: Parameters<Cipher['decrypt']>): Uint8Array {
      if (!garbled) return super.decrypt(place, bytes)
      const changed = Uint8Array.from(bytes)
      changed[changed.length >> 1]! ^= 1
      return super.decrypt(place, changed)
    }
  }
  const garbling = new Garbling(new Uint8Array(32).fill(1))
  const at = await meshOf(5, { types, cipher: () => garbling })
  await at.call(at.ids[0]!, 'a', 'add', 'kept')
  const host = at.home('a')
  const boot = at.boot(host)
  garbled = true
  at.mesh.kill(host)
  await at.recovered(boot)
  const from = at.others(host)[0]!
  const told = (await at.mesh.await(
    at.send(from, 'a', 'all', [], 5000).catch((error: unknown) => error),
  )) as MeshError
  expect(told).toMatchObject({ code: 'ACTOR_UNAVAILABLE', message: expect.stringContaining('was changed') })
  garbled = false
  expect(await at.tokens(from, 'a')).toEqual(['kept'])
})
