// The way from one peer to another: whoever dials here is that one peer, and reaches that one other.

import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Condition } from './condition.ts'
import { Pipe } from './pipe.ts'
import type { Target } from './target.ts'

export interface ProxyInit {
  readonly target: Target
  /** Of what the dialling peer sends, and of what it receives. */
  readonly there: () => Condition
  readonly back: () => Condition
}

interface Tunnel {
  readonly sockets: readonly [Socket, Socket]
  readonly pipes: readonly [Pipe, Pipe]
}

/**
 * Ends a connection without a word. A socket that is ending already can't be reset: Node would neither close it nor say so,
 * and its process would never end.
 */
export function abort(socket: Socket): void {
  if (socket.writableEnded) socket.destroy()
  else socket.resetAndDestroy()
}

export class LinkProxy {
  readonly #init: ProxyInit
  readonly #tunnels = new Set<Tunnel>()
  #server: Server | undefined
  #port = 0

  constructor(init: ProxyInit) {
    this.#init = init
  }

  /** Where to dial. Another one after an {@link open} that found it taken. */
  get port(): number {
    return this.#port
  }

  /** Accepts, as the target's own port does now. */
  async open(): Promise<void> {
    if (this.#server !== undefined) return
    const server = createServer((socket) => this.#tunnel(socket))
    this.#server = server
    const listen = (port: number): Promise<void> =>
      new Promise((resolve, reject) => {
        server.once('error', reject)
        server.once('close', resolve)
        server.listen({ host: '127.0.0.1', port }, resolve)
      })
    await listen(this.#port).catch(() => listen(0))
    this.#port = (server.address() as AddressInfo | null)?.port ?? this.#port
  }

  /** Refuses, as a dead target does. What is connected stays until it ends by itself. */
  close(): void {
    this.#server?.close()
    this.#server = undefined
  }

  /** A condition changed. */
  changed(): void {
    for (const { pipes } of this.#tunnels) for (const pipe of pipes) pipe.changed()
  }

  /** Ends every connection at once, without a word. */
  reset(): void {
    for (const { sockets } of this.#tunnels) for (const socket of sockets) abort(socket)
  }

  end(): void {
    this.close()
    this.reset()
  }

  #tunnel(near: Socket): void {
    const { target, there, back } = this.#init
    const far = connect({ host: '127.0.0.1', port: target.port })
    near.setNoDelay(true)
    far.setNoDelay(true)
    const tunnel: Tunnel = {
      sockets: [near, far],
      pipes: [new Pipe(near, far, there), new Pipe(far, near, back)],
    }
    this.#tunnels.add(tunnel)
    near.on('error', () => far.destroy())
    near.on('close', () => {
      far.destroy()
      this.#tunnels.delete(tunnel)
    })
    // The target's port is looked at before the dialler hears of the end: it will try at once whether it is refused.
    far.on('error', () => {})
    far.on('close', () => void target.look().then(() => near.destroy()))
  }
}
