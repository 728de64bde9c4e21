// The two handshake scripts, connected to each other without any network.

import { pipe } from 'it-pipe'
import { describe, expect, it } from 'vitest'
import { bootId, compareIds, type PeerId, peerId } from '../../mesh/ids.ts'
import {
  decodeHandshake,
  encodeHandshake,
  Handshake,
  type HandshakeMessage,
  type HandshakeSide,
  type Verdict,
} from './handshake.ts'

const [low, high] = [peerId('12D3KooWA'), peerId('12D3KooWB')]
const key = Buffer.alloc(32, 1)

const side = (
  self: PeerId,
  remote: PeerId,
  changes: Partial<HandshakeSide> & { meshId?: string } = {},
): HandshakeSide => {
  const { meshId, ...rest } = changes
  return {
    self,
    remote,
    key,
    introduce: () => ({
      boot: bootId(self, 'f'.repeat(32)),
      name: `name of ${self}`,
      addresses: [],
      ...(meshId === undefined ? {} : { meshId }),
    }),
    decide: async () => {
      expect(compareIds(self, remote)).toBe(-1) // H4
      return true
    },
    ...rest,
  }
}

/** A queue that one script writes and the other reads, through the bytes. */
const wire = (tamper: (message: HandshakeMessage) => HandshakeMessage | undefined = (message) => message) => {
  const queue: (HandshakeMessage | undefined)[] = []
  let closed = false
  let wake = (): void => {}
  return {
    source: async function* () {
      for (;;) {
        if (queue.length > 0) yield queue.shift()
        else if (closed) return
        else await new Promise<void>((resolve) => (wake = resolve))
      }
    },
    sink: async (messages: AsyncIterable<HandshakeMessage>) => {
      for await (const message of messages) {
        const changed = tamper(message)
        queue.push(changed && decodeHandshake(encodeHandshake(changed)))
        wake()
      }
      closed = true
      wake()
    },
  }
}

const meet = async (
  dialler: HandshakeSide,
  listener: HandshakeSide,
  tamper?: (message: HandshakeMessage) => HandshakeMessage | undefined,
): Promise<[Verdict, Verdict]> => {
  const [there, back] = [wire(tamper), wire()]
  const [a, b] = [new Handshake(dialler), new Handshake(listener)]
  await Promise.all([
    pipe(back.source(), (incoming) => a.dial(incoming), there.sink),
    pipe(there.source(), (incoming) => b.listen(incoming), back.sink),
  ])
  return [a.verdict, b.verdict]
}

describe.each([
  ['lower dials', low, high],
  ['higher dials', high, low],
])('handshake, the %s', (_name, dialler, listener) => {
  it('opens, and each side knows the other', async () => {
    const [a, b] = await meet(side(dialler, listener), side(listener, dialler, { meshId: 'm' }))
    expect(a).toEqual({ kind: 'open', remote: side(listener, dialler, { meshId: 'm' }).introduce() })
    expect(b).toEqual({ kind: 'open', remote: side(dialler, listener).introduce() })
  })

  it('tells both when the secrets differ: H3', async () => {
    const introduced: PeerId[] = []
    const spying = (self: PeerId, remote: PeerId, other?: Uint8Array): HandshakeSide => {
      const base = side(self, remote, other === undefined ? {} : { key: other })
      const introduce = (): ReturnType<HandshakeSide['introduce']> => {
        introduced.push(self)
        return base.introduce()
      }
      return { ...base, introduce }
    }
    const verdicts = await meet(spying(dialler, listener), spying(listener, dialler, Buffer.alloc(32, 2)))
    expect(verdicts).toEqual([
      { kind: 'refused', code: 'WRONG_SECRET', by: 'us' },
      { kind: 'refused', code: 'WRONG_SECRET', by: 'them' },
    ])
    expect(introduced).toEqual([]) // H2
  })

  it('tells both when the meshes differ', async () => {
    const verdicts = await meet(
      side(dialler, listener, { meshId: 'm' }),
      side(listener, dialler, { meshId: 'n' }),
    )
    expect(verdicts.map((verdict) => (verdict.kind === 'refused' ? verdict.code : verdict))).toEqual([
      'OTHER_MESH',
      'OTHER_MESH',
    ])
  })

  it('tells both when the versions differ', async () => {
    const verdicts = await meet(side(dialler, listener), side(listener, dialler), (message) =>
      message.kind === 'hello' ? { ...message, version: 2 } : message,
    )
    expect(verdicts).toEqual([
      { kind: 'refused', code: 'INCOMPATIBLE_VERSION', by: 'them' },
      { kind: 'refused', code: 'INCOMPATIBLE_VERSION', by: 'us' },
    ])
  })

  it('refuses a proof made for other peers, nonces or the other role: H1', async () => {
    const changed = await meet(side(dialler, listener), side(listener, dialler), (message) =>
      message.kind === 'hello' ? { ...message, nonce: '0'.repeat(64) } : message,
    )
    expect(changed[0]).toMatchObject({ kind: 'refused', code: 'WRONG_SECRET' })
    const third = await meet(side(dialler, peerId('12D3KooWC')), side(listener, dialler))
    expect(third[0]).toMatchObject({ kind: 'refused', code: 'WRONG_SECRET' })
    // A dialler without the secret that sends the listener's own proof back.
    const [there, back] = [wire(), wire()]
    const listening = new Handshake(side(listener, dialler))
    async function* mirror(): AsyncGenerator<HandshakeMessage> {
      yield { kind: 'hello', version: 1, nonce: '0'.repeat(64) }
      const challenge = (await back.source().next()).value as HandshakeMessage & { kind: 'challenge' }
      yield {
        kind: 'proof',
        proof: challenge.proof,
        self: { boot: bootId(dialler, 'f'.repeat(32)), name: '', addresses: [] },
      }
    }
    await Promise.all([
      there.sink(mirror()),
      pipe(there.source(), (incoming) => listening.listen(incoming), back.sink),
    ])
    expect(listening.verdict).toMatchObject({ kind: 'refused', code: 'WRONG_SECRET' })
  })

  it('ends for both when the lower one has another stream: H4', async () => {
    const no = { decide: async () => false }
    expect(await meet(side(dialler, listener, no), side(listener, dialler, no))).toEqual([
      { kind: 'duplicate' },
      { kind: 'duplicate' },
    ])
  })

  it('refuses a peer that introduces itself as another, and garbage', async () => {
    const liar = {
      introduce: () => ({ boot: bootId(peerId('12D3KooWC'), 'f'.repeat(32)), name: '', addresses: [] }),
    }
    expect((await meet(side(dialler, listener, liar), side(listener, dialler)))[1]).toMatchObject({
      kind: 'failed',
    })
    expect((await meet(side(dialler, listener), side(listener, dialler), () => undefined))[1]).toMatchObject({
      kind: 'failed',
    })
  })
})

it('decoding is total', () => {
  for (const text of ['', '{', 'null', '[]', '{"kind":"hello"}', '{"kind":"proof","proof":1}'])
    expect(decodeHandshake(Buffer.from(text))).toBeUndefined()
  expect(decodeHandshake(Uint8Array.of(0xff, 0xfe))).toBeUndefined()
})
