// Whether a peer's port is open. A proxy in front of a dead process must refuse as the port itself would, because a
// refusal is how peers know that a process is gone.

import { connect } from 'node:net'

/** A starting peer is dialled by the others within this much of opening its port. */
const POLL_MS = 20

export class Target {
  readonly port: number
  readonly #changed: (open: boolean) => void
  #open = false
  #looking: Promise<boolean> | undefined
  #timer: NodeJS.Timeout | undefined
  #ended = false

  constructor(port: number, changed: (open: boolean) => void) {
    this.port = port
    this.#changed = changed
  }

  /** Looks now; while the port is closed it goes on looking by itself. */
  look(): Promise<boolean> {
    this.#looking ??= this.#probe().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  end(): void {
    this.#ended = true
    clearTimeout(this.#timer)
  }

  async #probe(): Promise<boolean> {
    clearTimeout(this.#timer)
    const open = await isOpen(this.port)
    if (this.#ended) return open
    if (open !== this.#open) {
      this.#open = open
      this.#changed(open)
    }
    if (!open) this.#timer = setTimeout(() => void this.look(), POLL_MS)
    return open
  }
}

const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
