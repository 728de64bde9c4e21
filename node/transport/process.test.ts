// The fast path against real processes: killed, and frozen.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import type { BootId, PeerId } from '../../mesh/ids.ts'
import { Peers, secretOf, type TestPeer, until } from './test-peers.ts'

interface Child {
  readonly process: ChildProcess
  readonly id: PeerId
  readonly boot: BootId
  readonly addresses: readonly string[]
}

const peers = new Peers()
const children: ChildProcess[] = []
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  await peers.stop()
})

const startChild = async (): Promise<Child> => {
  const script = fileURLToPath(new URL('test-child.ts', import.meta.url))
  const child = spawn(process.execPath, [script, Buffer.from(secretOf('a')).toString('hex')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  children.push(child)
  const [line] = await once(child.stdout, 'data')
  return { process: child, ...JSON.parse(String(line)) }
}

const linkedTo = async (child: Child): Promise<TestPeer> => {
  const peer = await peers.start()
  peer.network.want(new Map([[child.id, child.addresses]]))
  await until(() => peer.of('connected').some(({ boot }) => boot === child.boot), [peer])
  return peer
}

it('a killed process is reported as refused within a second, once', async () => {
  const child = await startChild()
  const peer = await linkedTo(child)
  const began = performance.now()
  child.process.kill('SIGKILL')
  await until(() => peer.of('disconnected').some(({ refused }) => refused), [peer])
  expect(performance.now() - began).toBeLessThan(1_000)
  await new Promise((resolve) => setTimeout(resolve, 500))
  expect(peer.of('disconnected')).toEqual([
    { kind: 'disconnected', peer: child.id, boot: child.boot, refused: false },
    { kind: 'disconnected', peer: child.id, boot: child.boot, refused: true },
  ])
})

it('a frozen process is not reported as refused, and takes what was sent once it thaws', async () => {
  const child = await startChild()
  const peer = await linkedTo(child)
  child.process.kill('SIGSTOP')
  for (let seq = 0; seq < 10; seq++)
    expect(peer.network.send(child.id, { kind: 'ping', seq, facts: [] })).toBe(true)
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  expect(peer.of('disconnected')).toEqual([])
  child.process.kill('SIGCONT')
  await until(() => peer.network.queued(child.id) === 0, [peer])
})
