// Daemons on real disks and sockets: one on every peer, from the start, and again when the peer is back.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import type { MeshNode, NodeOptions } from './api.ts'
import { Actor, type ActorOptionsInput, createNode } from './index.ts'

class Probe extends Actor<{ starts: number }> {
  static readonly options: ActorOptionsInput = { daemon: true, readOnly: ['read'] }
  override state = { starts: 0 }
  protected override onActivate(): void {
    this.state.starts++
  }
  read(): { readonly starts: number; readonly peer: string } {
    return { starts: this.state.starts, peer: this.context.peer }
  }
}

const open: MeshNode[] = []
const dirs: string[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((node) => node.close()))
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true })
})
async function start(options: Partial<NodeOptions> = {}): Promise<MeshNode> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'daemons-'))
  dirs.push(dataDir)
  const node = await createNode({ actors: [Probe], ...options, dataDir })
  open.push(node)
  return node
}

test('a peer is lost: its daemon waits, the others go on, and it is back with its peer and its state', {
  timeout: 60_000,
}, async () => {
  const a = await start({ name: 'a' })
  const invite = await a.invite()
  const b = await start({ name: 'b', invite })
  const c = await start({ name: 'c', invite })
  const off = await start({ name: 'off', invite, host: false })
  const all = [a, b, c].map(({ peerId }) => peerId).sort()
  const listed = (node: MeshNode) => node.daemons(Probe).map(({ peer }) => peer.peerId)
  await vi.waitFor(() => {
    for (const node of [a, b, c, off]) expect(listed(node).sort()).toEqual(all)
    expect(off.actors().every(({ status }) => status === 'running')).toBe(true)
  }, 20_000)
  for (const { peer, ref } of off.daemons(Probe))
    expect(await ref.read()).toEqual({ starts: 1, peer: peer.peerId })
  const { dataDir, peerId } = c
  await c.close()
  const ofC = () => a.actors().find(({ name }) => name === peerId)!
  await vi.waitFor(() => expect(ofC()).toMatchObject({ status: 'waiting', peer: null }), 20_000)
  expect(ofC().cause).toBe('it lives on c only, which is not here')
  expect(a.status().warnings.filter((text) => text.includes('Probe'))).toEqual([])
  expect(await a.actor(Probe, b.peerId).read()).toMatchObject({ peer: b.peerId })
  const again = await start({ dataDir, name: 'c' })
  expect(await a.actor(Probe, peerId).with({ timeoutMs: 20_000 }).read()).toEqual({ starts: 2, peer: peerId })
  await expect(again.actor(Probe, 'nobody').read()).rejects.toMatchObject({ code: 'BAD_INPUT' })
})
