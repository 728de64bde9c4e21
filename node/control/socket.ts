// The other end of a local socket (serve.ts): one request per connection, errors as ControlError with the code of who answers.

import { request } from 'node:http'
import { resolve } from 'node:path'
import { readLocation } from './location.ts'
import { ControlError, errorFromWire } from './wire.ts'

/** Who should be there, in words. */
export interface SocketOwner {
  /** `the node in ./data`. */
  readonly what: string
  /** The whole sentence when nobody is there. */
  readonly notRunning: string
}

export class ControlSocket {
  readonly #path: string
  readonly #owner: SocketOwner

  /** `directory`: where it is served, or was. */
  constructor(directory: string, owner: SocketOwner) {
    this.#path = readLocation(directory)?.socket ?? resolve(directory, 'control.sock')
    this.#owner = owner
  }

  /** Resolves with the answer's body; rejects with ControlError: what the other end said, NOT_RUNNING, NOT_ALLOWED or NO_ANSWER. */
  send(route: string, body: unknown, waitMs: number): Promise<unknown> {
    const [method, path] = route.split(' ')
    return new Promise((done, fail) => {
      const outgoing = request({ socketPath: this.#path, method, path, agent: false }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', (error) => fail(this.#failure(error)))
        response.on('end', () => {
          clearTimeout(deadline)
          const answer = parse(Buffer.concat(chunks).toString('utf8'))
          if (response.statusCode === 200) done(answer)
          else fail(errorFromWire(answer))
        })
      })
      const deadline = setTimeout(() => {
        fail(this.#noAnswer(`did not answer within ${waitMs} ms`))
        outgoing.destroy()
      }, waitMs)
      outgoing.on('error', (error) => {
        clearTimeout(deadline)
        fail(this.#failure(error))
      })
      if (body !== undefined) outgoing.write(JSON.stringify(body))
      outgoing.end()
    })
  }

  #failure(error: NodeJS.ErrnoException): ControlError {
    switch (error.code) {
      case 'ENOENT':
      case 'ENOTDIR':
      case 'ECONNREFUSED':
        return new ControlError({ code: 'NOT_RUNNING', message: this.#owner.notRunning })
      case 'EACCES':
      case 'EPERM':
        return new ControlError({
          code: 'NOT_ALLOWED',
          message: `${this.#owner.what} belongs to another user: run this command as the user that started it`,
        })
      default:
        return this.#noAnswer(`broke off: ${error.message}`)
    }
  }

  #noAnswer(what: string): ControlError {
    return new ControlError({
      code: 'NO_ANSWER',
      message: `${this.#owner.what} ${what}; whether the request took effect is unknown`,
    })
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
