// Encryption at rest on real disks: what every file of every peer has of what actors were told, and which keys are taken.

import { createReadStream, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import type { MeshNode, NodeOptions } from './api.ts'
import { Actor, createNode, type MeshError } from './index.ts'

const KEY = '5e'.repeat(32)
const OTHER_KEY = Buffer.alloc(32, 7).toString('base64')
/** No run of bytes in it that a compressing storage engine would shorten. */
const mark = (what: string): string => `kJ9-${what}-x2Qv7Rt0`

class Vault extends Actor<{ said: string[] }> {
  override state: { said: string[] }
  constructor(first = '') {
    super()
    this.state = { said: first === '' ? [] : [first] }
  }
  say(word: string): string {
    this.state.said.push(word)
    this.schedule.after(3_600_000, this.say, mark('alarm'))
    return mark('result')
  }
  said(): readonly string[] {
    return this.state.said
  }
}

const open: MeshNode[] = []
const dirs: string[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((node) => node.close()))
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true })
})
function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'encryption-'))
  dirs.push(dir)
  return dir
}
async function start(options: Partial<NodeOptions> = {}): Promise<MeshNode> {
  const node = await createNode({ dataDir: tempDir(), actors: [Vault], ...options })
  open.push(node)
  return node
}
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: MeshError) => error.code,
  )

/** Files of the directory, and all below, that have the text in them. */
async function filesWith(dir: string, text: string): Promise<string[]> {
  const found: string[] = []
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const chunks: Buffer[] = []
    for await (const chunk of createReadStream(path)) chunks.push(chunk as Buffer)
    if (Buffer.concat(chunks).includes(text)) found.push(path)
  }
  return found
}

async function meshWith(encryption: NodeOptions['encryption']): Promise<MeshNode[]> {
  const keyed = encryption === undefined ? {} : { encryption }
  const a = await start({ ...keyed, name: 'a' })
  const invite = await a.invite()
  const b = await start({ ...keyed, name: 'b', invite })
  const keeper = await start({ name: 'keeper', invite })
  return [a, b, keeper]
}
const PARTS = ['init', 'state', 'alarm', 'result', 'kv']

async function fill([a]: readonly MeshNode[]): Promise<void> {
  await a!.createActor(Vault, 'v', { init: [mark('init')] })
  for (let n = 0; n < 3; n++) await a!.actor(Vault, 'v').say(mark('state'))
  await a!.kv.put(mark('kv'), 1) // values are in base64
}
const where = async (nodes: readonly MeshNode[]): Promise<Record<string, string[]>> => {
  const found: Record<string, string[]> = {}
  for (const part of PARTS)
    for (const { name, dataDir } of nodes)
      if ((await filesWith(dataDir, mark(part))).length > 0) found[part] = [...(found[part] ?? []), name]
  return found
}

test('without a key a keeper has all of it in its files', { timeout: 60_000 }, async () => {
  const nodes = await meshWith(undefined)
  await fill(nodes)
  await vi.waitFor(
    async () => expect(Object.keys(await where([nodes[2]!])).sort()).toEqual([...PARTS].sort()),
    20_000,
  )
})

test('with one no file of any peer has any of it; the keeper has copies, and a peer with the key goes on from them', {
  timeout: 90_000,
}, async () => {
  const nodes = await meshWith({ key: KEY })
  const [a, b, keeper] = nodes as [MeshNode, MeshNode, MeshNode]
  await fill(nodes)
  await vi.waitFor(() => {
    const kept = a
      .actors()
      .find(({ name }) => name === 'v')
      ?.keepers.map(({ name }) => name)
    expect(kept).toContain('keeper')
  }, 20_000)
  expect(await where(nodes)).toEqual({})
  expect(a.actors().every(({ peer }) => peer?.name !== 'keeper')).toBe(true)
  const host = a.actors().find(({ name }) => name === 'v')!.peer!.name
  const [lost, other] = host === 'a' ? [a, b] : [b, a]
  await lost.close()
  expect(await keeper.actor(Vault, 'v').with({ timeoutMs: 45_000 }).said()).toEqual([
    mark('init'),
    ...Array.from({ length: 3 }, () => mark('state')),
  ])
  expect(other.actors().find(({ name }) => name === 'v')!.peer!.name).toBe(other.name)
  expect(await where(nodes)).toEqual({})
})

test('keys: what is none, another one than the mesh has, and another one than this directory had', {
  timeout: 60_000,
}, async () => {
  expect(await codeOf(start({ encryption: { key: 'short' } }))).toBe('BAD_INPUT')
  expect(await codeOf(start({ encryption: { key: new Uint8Array(16) } }))).toBe('BAD_INPUT')
  const a = await start({ encryption: { key: Buffer.from(KEY, 'hex') } })
  const invite = await a.invite()
  const began = performance.now()
  const refused = await start({ invite, encryption: { key: OTHER_KEY } }).catch((error: MeshError) => error)
  expect(refused).toMatchObject({ code: 'WRONG_KEY', message: expect.stringContaining('another one') })
  expect(performance.now() - began).toBeLessThan(10_000)
  const { dataDir } = a
  await vi.waitFor(() => readFileSync(join(dataDir, 'key.id')))
  await a.close()
  open.length = 0
  expect(await codeOf(start({ dataDir, encryption: { key: OTHER_KEY } }))).toBe('WRONG_KEY')
  expect(await codeOf(start({ dataDir }))).toBe('WRONG_KEY')
  const again = await start({ dataDir, encryption: { key: KEY } })
  expect(await again.actor(Vault, 'v').say('x')).toBe(mark('result'))
  const remembered = readFileSync(join(dataDir, 'key.id'), 'utf8').trim()
  expect(again.members()[0]!.keyId).toBe(remembered)
})

test('what is not the key of the mesh does not open its disk either: the id that is remembered is no secret', async () => {
  const a = await start({ encryption: { key: KEY } })
  const { dataDir } = a
  await a.actor(Vault, 'v').say(mark('state'))
  await vi.waitFor(() => readFileSync(join(dataDir, 'key.id')))
  await a.close()
  open.length = 0
  // Whoever edits the file gets as far as the registry, which knows better.
  rmSync(join(dataDir, 'key.id'))
  const told: string[] = []
  const node = await createNode({ dataDir, actors: [Vault], encryption: { key: OTHER_KEY } }).catch(
    (error: MeshError) => error,
  )
  if ('on' in node) {
    node.on('warning', ({ text }) => told.push(text))
    await node.closed
    await expect(node.actor(Vault, 'v').said()).rejects.toMatchObject({ code: 'MESH_UNAVAILABLE' })
  } else expect(node.code).toBe('WRONG_KEY')
  const again = await start({ dataDir, encryption: { key: KEY } })
  expect(await again.actor(Vault, 'v').said()).toEqual([mark('state')])
})
