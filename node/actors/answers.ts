// Answers on their way to the calls that wait for them, and the frames of other peers' calls on their way to the host.

import type { PeerId } from '../../mesh/ids.ts'
import type { MeshHandle } from '../mesh-handle.ts'
import { Recent } from './cancelling.ts'
import {
  type Answer,
  CALL_SERVICE,
  type CallFrame,
  type CancelFrame,
  type CreateFrame,
  type MoreFrame,
  readFrame,
} from './frames.ts'
import type { Reply } from './jobs.ts'
import { Tokens } from './tokens.ts'

export interface CallServer {
  receive(frame: CallFrame, reply: Reply): void
  cancel(frame: CancelFrame): void
  more(frame: MoreFrame, reply: Reply): void
  /** Creates an actor of a type known here; resolves with why it could not, or the empty string. */
  create(frame: CreateFrame): Promise<string>
}

/** What takes a slow link longer than the pause after which a caller asks again. */
const LARGE_BYTES = 4 * 1024 * 1024
/** More of them are not under way at once. */
const MAX_LARGE = 1000

export class Exchange {
  readonly #mesh: MeshHandle
  readonly #server: CallServer
  readonly #waiting = new Map<string, (answer: Answer) => void>()
  readonly #creating = new Map<string, (why: string) => void>()
  readonly #tokens: Tokens
  /** Attempts that were answered with many bytes. */
  readonly #large = new Recent(MAX_LARGE)

  constructor(mesh: MeshHandle, server: CallServer) {
    this.#mesh = mesh
    this.#tokens = new Tokens(mesh.boot)
    this.#server = server
    mesh.onService(CALL_SERVICE, (from, _boot, body) => this.#receive(from, body))
  }

  token(): string {
    return this.#tokens.next()
  }

  /** Hears the answers to frames with this token until the returned function is called. */
  listen(token: string, listener: (answer: Answer) => void): () => void {
    this.#waiting.set(token, listener)
    return () => this.#waiting.delete(token)
  }

  /** False when there is no stream to that peer. A call to this very peer takes the same way without the network. */
  send(to: PeerId, frame: CallFrame): boolean {
    if (to !== this.#mesh.self) return this.#mesh.sendService(to, { service: CALL_SERVICE, body: frame })
    this.#server.receive(frame, (answer) => this.#waiting.get(frame.token)?.(answer))
    return true
  }

  /** Of a series that the host knows nothing of the answer is `retry`. */
  more(to: PeerId, frame: MoreFrame): void {
    if (to === this.#mesh.self) this.#server.more(frame, (answer) => this.#waiting.get(frame.token)?.(answer))
    else this.#mesh.sendService(to, { service: CALL_SERVICE, body: frame })
  }

  /** Best effort: a host that is not told finishes the call for nobody. */
  cancel(to: PeerId, frame: CancelFrame): void {
    if (to === this.#mesh.self) this.#server.cancel(frame)
    else this.#mesh.sendService(to, { service: CALL_SERVICE, body: frame })
  }

  /** Asks a peer that knows the type to create the actor. Undefined when it is not connected. */
  create(
    to: PeerId,
    type: string,
    name: string,
    init: Uint8Array,
  ): { why: Promise<string>; end: () => void } | undefined {
    const token = this.token()
    const frame: CreateFrame = { t: 'create', token, type, name, init }
    const why = new Promise<string>((resolve) => this.#creating.set(token, resolve))
    const end = (): void => void this.#creating.delete(token)
    if (this.#mesh.sendService(to, { service: CALL_SERVICE, body: frame })) return { why, end }
    end()
    return undefined
  }

  #receive(from: PeerId, body: unknown): void {
    const frame = readFrame(body)
    if (frame === undefined) return
    const answer = (reply: object): void => {
      this.#mesh.sendService(from, { service: CALL_SERVICE, body: { ...reply, token: frame.token } })
    }
    if (frame.t === 'call') {
      // Its answer is still on its way: another copy would only come after it, and make it later for everybody.
      if (this.#large.has(frame.token) && this.#mesh.queued(from) > 0) return
      this.#server.receive(frame, (reply) => {
        if (reply.kind === 'result' && reply.result.length > LARGE_BYTES) this.#large.add(frame.token)
        answer({ t: 'answer', answer: reply })
      })
    } else if (frame.t === 'cancel') this.#server.cancel(frame)
    else if (frame.t === 'more') this.#server.more(frame, (reply) => answer({ t: 'answer', answer: reply }))
    else if (frame.t === 'answer') this.#waiting.get(frame.token)?.(frame.answer)
    else if (frame.t === 'created') this.#creating.get(frame.token)?.(frame.why)
    else void this.#server.create(frame).then((why) => answer({ t: 'created', why }))
  }
}
