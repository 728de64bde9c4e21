// Promise.all is the batch: calls that start together travel together and are recorded together.

import { afterEach, expect, test } from 'vitest'
import type { ServiceFrame } from '../ports.ts'
import { ChunkReader, Lane } from '../transport/chunks.ts'
import { encodeService } from '../transport/codec.ts'
import { BATCH_BYTES } from '../transport/limits.ts'
import { Outbox } from '../transport/outbox.ts'
import { FakeMesh, hostOf } from './test-support/fake-mesh.ts'
import { Counter } from './test-support/types.ts'

const CALLS = 100
const opened: FakeMesh[] = []
afterEach(() => {
  for (const mesh of opened.splice(0)) for (const node of mesh.nodes.values()) node.runtime.close()
})

test(`${CALLS} calls of one tick leave in one write of their link, and their changes in a few blocks`, async () => {
  const mesh = new FakeMesh(1)
  opened.push(mesh)
  await mesh.start('a', [])
  for (const name of ['b', 'c', 'd']) await mesh.start(name, [Counter])
  const { runtime, peer } = mesh.node('a')
  const counter = runtime.ref(Counter, 'x')
  await mesh.clock.until(counter.increment())
  const frames: ServiceFrame[] = []
  const send = peer.sendService.bind(peer)
  peer.sendService = (to, frame) => {
    frames.push(frame)
    return send(to, frame)
  }
  const [journal] = mesh.journalsOf(hostOf(mesh, 'Counter/x'))
  const before = journal!.acknowledged
  mesh.latencyMs = 0 // as over one link: what was sent together arrives together
  const answers = await mesh.clock.until(
    Promise.all(Array.from({ length: CALLS }, () => counter.increment())),
  )
  expect(answers).toEqual(Array.from({ length: CALLS }, (_, index) => index + 2))
  expect(frames).toHaveLength(CALLS)

  // The first change goes at once; those that come while it is on its way go together.
  expect(journal!.acknowledged - before).toBeLessThanOrEqual(CALLS / 20)

  const outbox = new Outbox()
  for (const frame of frames) outbox.push(Lane.service, encodeService(frame)!)
  const write = outbox.take(BATCH_BYTES)!
  expect(outbox.empty).toBe(true)
  let arrived = 0
  expect(new ChunkReader(() => arrived++).push(write)).toBe(undefined)
  expect(arrived).toBe(CALLS)
})
