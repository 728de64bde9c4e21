// The handshake that opens every link: each side proves that it knows the mesh secret, then says who it is, then the peer
// with the lower ID decides whether this stream becomes the link. Both scripts are pure: messages in, messages out.
//
//   dialler  → hello      version, nonce
//   listener → challenge  version, nonce, proof of the secret
//   dialler  → proof      proof of the secret, introduction
//   listener → welcome    introduction
//   lower ID → open       this stream is the link now           (or `reject DUPLICATE`: another one is)
//
// H1 A proof covers both peer IDs (already proven by the secure channel), both nonces and the role, so that it can be
//    neither replayed nor reflected, nor used towards a third peer.
// H2 Nothing about this peer but its ID and addresses is said before the other side has proven the secret.
// H3 Who refuses says why, so that both sides can tell their people the same thing.
// H4 Only the lower ID decides between two streams; the higher one believes the newest `open`. So both keep the same one.

import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { type BootId, compareIds, type PeerId, parseBootId, peerOfBoot } from '../../mesh/ids.ts'
import type { RefusalCode } from './errors.ts'
import { MAX_ADDRESSES, MAX_TEXT } from './limits.ts'
import { mac, sameBytes } from './secret.ts'

/** `hello` and `reject` keep their shape for ever, so that peers of different versions can tell each other so. */
export const PROTOCOL_VERSION = 1

/** What a peer says of itself once it trusts the other side. */
export interface Introduction {
  readonly boot: BootId
  /** Absent while the peer has not joined a mesh yet. */
  readonly meshId?: string
  readonly name: string
  readonly addresses: readonly string[]
}

const hex32 = z.string().regex(/^[0-9a-f]{64}$/)
const introduction = z.object({
  boot: z.string().max(256),
  meshId: z.string().max(MAX_TEXT).exactOptional(),
  name: z.string().max(MAX_TEXT),
  addresses: z.array(z.string().max(MAX_TEXT)).max(MAX_ADDRESSES).readonly(),
})
const message = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('hello'), version: z.int(), nonce: hex32 }),
  z.object({ kind: z.literal('challenge'), version: z.int(), nonce: hex32, proof: hex32 }),
  z.object({ kind: z.literal('proof'), proof: hex32, self: introduction }),
  z.object({ kind: z.literal('welcome'), self: introduction }),
  z.object({ kind: z.literal('open') }),
  z.object({
    kind: z.literal('reject'),
    code: z.enum(['WRONG_SECRET', 'OTHER_MESH', 'INCOMPATIBLE_VERSION', 'DUPLICATE', 'MALFORMED']),
  }),
])
export type HandshakeMessage = z.infer<typeof message>
type RejectCode = (HandshakeMessage & { kind: 'reject' })['code']

export const encodeHandshake = (value: HandshakeMessage): Uint8Array => Buffer.from(JSON.stringify(value))
/** Total: garbage becomes undefined. JSON, because this is what a stranger's bytes meet first. */
export const decodeHandshake = (bytes: Uint8Array): HandshakeMessage | undefined => {
  try {
    return message.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8'))).data
  } catch {
    return undefined
  }
}

export interface HandshakeSide {
  readonly self: PeerId
  /** As proven by the secure channel. */
  readonly remote: PeerId
  /** Derived from the mesh secret. */
  readonly key: Uint8Array
  introduce(): Introduction
  /** Asked on the lower ID only, when the other side is trusted: is this stream to be the link? */
  decide(remote: Introduction): Promise<boolean>
}

export type Verdict =
  | { readonly kind: 'open'; readonly remote: Introduction }
  | { readonly kind: 'duplicate' }
  /** `by`: who noticed. */
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly by: 'us' | 'them' }
  | { readonly kind: 'failed'; readonly detail: string }

type Script = AsyncGenerator<HandshakeMessage, void>
type Incoming = AsyncIterable<HandshakeMessage | undefined>

/** Ends a script with a verdict, after a last message to the other side. */
class Stop extends Error {
  readonly verdict: Verdict
  readonly reply: RejectCode | undefined
  constructor(verdict: Verdict, reply?: RejectCode) {
    super(verdict.kind)
    this.verdict = verdict
    this.reply = reply
  }
}

const refuse = (code: RefusalCode): Stop => new Stop({ kind: 'refused', code, by: 'us' }, code)

/** One run of the handshake. `verdict` is set when the script has ended. */
export class Handshake {
  readonly #side: HandshakeSide
  readonly #nonce = randomBytes(32).toString('hex')
  #verdict: Verdict = { kind: 'failed', detail: 'the peer closed the stream during the handshake' }

  constructor(side: HandshakeSide) {
    this.#side = side
  }

  get verdict(): Verdict {
    return this.#verdict
  }

  dial(incoming: Incoming): Script {
    return this.#run(incoming, (next) => this.#dial(next))
  }

  listen(incoming: Incoming): Script {
    return this.#run(incoming, (next) => this.#listen(next))
  }

  async *#dial(next: Next): AsyncGenerator<HandshakeMessage, Introduction> {
    const { self, remote } = this.#side
    yield { kind: 'hello', version: PROTOCOL_VERSION, nonce: this.#nonce }
    const challenge = await next('challenge')
    if (challenge.version !== PROTOCOL_VERSION) throw refuse('INCOMPATIBLE_VERSION')
    const proof = (role: string): string => this.#proof(role, self, remote, this.#nonce, challenge.nonce)
    this.#verify(challenge.proof, proof('listener'))
    yield { kind: 'proof', proof: proof('dialler'), self: this.#introduce() }
    return this.#trust((await next('welcome')).self)
  }

  async *#listen(next: Next): AsyncGenerator<HandshakeMessage, Introduction> {
    const { self, remote } = this.#side
    const hello = await next('hello')
    if (hello.version !== PROTOCOL_VERSION) throw refuse('INCOMPATIBLE_VERSION')
    const proof = (role: string): string => this.#proof(role, remote, self, hello.nonce, this.#nonce)
    yield { kind: 'challenge', version: PROTOCOL_VERSION, nonce: this.#nonce, proof: proof('listener') }
    const answer = await next('proof')
    this.#verify(answer.proof, proof('dialler'))
    const trusted = this.#trust(answer.self)
    yield { kind: 'welcome', self: this.#introduce() } // H2
    return trusted
  }

  async *#run(
    incoming: Incoming,
    script: (next: Next) => AsyncGenerator<HandshakeMessage, Introduction>,
  ): Script {
    const next = reader(incoming)
    try {
      const remote = yield* script(next)
      if (compareIds(this.#side.self, this.#side.remote) > 0) await next('open')
      else if (!(await this.#side.decide(remote)))
        throw new Stop({ kind: 'duplicate' }, 'DUPLICATE') // H4
      else yield { kind: 'open' }
      this.#verdict = { kind: 'open', remote }
    } catch (error) {
      if (!(error instanceof Stop)) throw error
      this.#verdict = error.verdict
      if (error.reply !== undefined) yield { kind: 'reject', code: error.reply } // H3
    }
  }

  #introduce(): Introduction {
    const { boot, meshId, name, addresses } = this.#side.introduce()
    const told = { boot, name: name.slice(0, MAX_TEXT), addresses: addresses.slice(0, MAX_ADDRESSES) }
    return meshId === undefined ? told : { ...told, meshId }
  }

  // H1
  #proof(
    role: string,
    dialler: PeerId,
    listener: PeerId,
    diallerNonce: string,
    listenerNonce: string,
  ): string {
    return Buffer.from(mac(this.#side.key, role, dialler, listener, diallerNonce, listenerNonce)).toString(
      'hex',
    )
  }

  #verify(given: string, expected: string): void {
    if (!sameBytes(Buffer.from(given), Buffer.from(expected))) throw refuse('WRONG_SECRET')
  }

  #trust(told: z.infer<typeof introduction>): Introduction {
    const boot = parseBootId(told.boot)
    if (peerOfBoot(boot) !== this.#side.remote)
      throw new Stop({ kind: 'failed', detail: 'the peer introduced itself as another' }, 'MALFORMED')
    const own = this.#side.introduce().meshId
    if (own !== undefined && told.meshId !== undefined && own !== told.meshId) throw refuse('OTHER_MESH')
    return { ...told, boot }
  }
}

type Next = <Kind extends HandshakeMessage['kind']>(kind: Kind) => Promise<HandshakeMessage & { kind: Kind }>

const reader = (incoming: Incoming): Next => {
  const iterator = incoming[Symbol.asyncIterator]()
  return async <Kind extends HandshakeMessage['kind']>(
    kind: Kind,
  ): Promise<HandshakeMessage & { kind: Kind }> => {
    const { value, done } = await iterator.next()
    if (done === true)
      throw new Stop({ kind: 'failed', detail: 'the peer closed the stream during the handshake' })
    if (value === undefined)
      throw new Stop({ kind: 'failed', detail: 'the peer sent garbage instead of a handshake' }, 'MALFORMED')
    if (value.kind === 'reject') throw new Stop(rejected(value.code))
    if (value.kind !== kind)
      throw new Stop(
        { kind: 'failed', detail: `the peer sent "${value.kind}" where "${kind}" was due` },
        'MALFORMED',
      )
    return value as HandshakeMessage & { kind: Kind }
  }
}

const rejected = (code: RejectCode): Verdict => {
  if (code === 'DUPLICATE') return { kind: 'duplicate' }
  if (code === 'MALFORMED') return { kind: 'failed', detail: 'the peer could not read our handshake' }
  return { kind: 'refused', code, by: 'them' }
}
