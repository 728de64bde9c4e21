// What a libp2p peer without the mesh secret gets: nothing. And what a member gets that sends garbage: closed.

import type { Connection, Libp2p } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bootId, peerId } from '../../mesh/ids.ts'
import { parseAddress } from './addresses.ts'
import { Lane } from './chunks.ts'
import { FramedStream } from './framed-stream.ts'
import { Gossip } from './gossip.ts'
import { createIdentity } from './identity.ts'
import { startLibp2p } from './libp2p-node.ts'
import { MAX_HELD_BYTES } from './limits.ts'
import { STREAM_PROTOCOL } from './meeting.ts'
import { deriveKeys } from './secret.ts'
import { shake } from './shake.ts'
import { factOf, Peers, secretOf, type TestPeer, until } from './test-peers.ts'

const peers = new Peers()
const heard: string[] = []
let stranger: Libp2p
let gossip: Gossip
let member: TestPeer
let connection: Connection

beforeEach(async () => {
  heard.length = 0
  // It even knows the gossip topic, as it would after reading an old member's memory.
  gossip = new Gossip({
    keys: deriveKeys(secretOf('a')),
    receive: (from) => heard.push(from),
    hopeless: () => {},
    debug: () => {},
  })
  ;({ node: stranger } = await startLibp2p({
    identity: await createIdentity(),
    listen: [parseAddress('127.0.0.1:0')],
    gossip,
  }))
  gossip.start()
  member = await peers.start()
  connection = await stranger.dial(multiaddr(member.addresses[0] as string))
})
afterEach(async () => {
  gossip.stop()
  await stranger.stop()
  await peers.stop()
})

const enter = async (): Promise<FramedStream> => {
  const framed = new FramedStream(await connection.newStream(STREAM_PROTOCOL))
  const self = peerId(stranger.peerId.toString())
  const introduction = { boot: bootId(self, 'a'.repeat(32)), name: 'stranger', addresses: [] }
  const side = {
    self,
    remote: member.id,
    key: deriveKeys(secretOf('a')).handshake,
    introduce: () => introduction,
    decide: async () => true,
  }
  const verdict = await shake(framed, 'dial', side, 5_000)
  expect(verdict.kind).toBe('open')
  framed.open(() => {})
  await until(() => member.of('connected').length > 0, [member])
  return framed
}

describe('a stranger', () => {
  it('takes no part in gossip, in either direction: G1', async () => {
    gossip.admit(connection)
    const friend = await peers.start()
    await friend.network.connectTo(member.addresses)
    for (let round = 0; round < 8; round++) {
      gossip.publish(new Uint8Array(10))
      member.network.publish([factOf(member, round)])
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    await until(() => friend.of('gossip').length > 0, [friend])
    expect(heard).toEqual([])
    expect(member.of('gossip')).toEqual([])
    expect(member.of('warning')).toEqual([])
  })

  it.each([
    ['noise', Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n')],
    ['zeroes', Buffer.alloc(1_000)],
    ['an endless handshake', Buffer.concat([Buffer.from([0, 3, 0, 0]), Buffer.alloc(200_000)])],
    ['JSON that is no handshake', Buffer.concat([Buffer.from([0x80, 0, 0, 2]), Buffer.from('{}')])],
    [
      'frames before the handshake',
      Buffer.concat(
        Array.from({ length: MAX_HELD_BYTES / 65_536 + 2 }, () =>
          Buffer.concat([Buffer.from([3, 1, 0, 0]), Buffer.alloc(65_536)]),
        ),
      ),
    ],
  ])('that sends %s is cut off, and nobody hears of it', async (_name, bytes) => {
    const stream = await connection.newStream(STREAM_PROTOCOL)
    const closed = new Promise((resolve) => stream.addEventListener('close', resolve))
    try {
      stream.send(bytes)
    } catch {
      // Cut off while sending.
    }
    await closed
    expect(member.heard).toEqual([])
  })
})

describe('a member', () => {
  it('that sends garbage loses its link, with a warning', async () => {
    const framed = await enter()
    framed.send(Lane.protocol, Uint8Array.of(0xff, 0xff))
    await until(() => member.of('disconnected').length > 0, [member])
    expect(member.of('warning')[0]?.code).toBe('GARBAGE')
  })

  it('that sends a message of no known kind is only warned about', async () => {
    const framed = await enter()
    framed.send(Lane.protocol, Uint8Array.of(0x01))
    framed.send(Lane.service, Uint8Array.of(0x01))
    await until(() => member.of('warning').length > 0, [member])
    expect(member.of('warning')[0]?.code).toBe('BAD_MESSAGE')
    expect([member.of('disconnected'), member.of('message'), member.of('service')]).toEqual([[], [], []])
  })
})
