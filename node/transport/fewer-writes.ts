// Fewer system calls than libp2p's parts make together: a small message costs more to write than to encrypt.
//
// V1 an encrypted frame is one write. noise hands its two bytes of length and its bytes on apart, and tcp writes each piece
//    by itself, which the other side reads one by one, too.
// V2 the receive window of a stream is renewed when half of it is used. yamux does so after every frame, which answers each
//    message with another one.

import type { ConnectionEncrypter, MessageStream, Stream } from '@libp2p/interface'

/** Has an encrypter hand on what it encrypted in one piece (V1). */
export function inOnePiece<Encrypter extends ConnectionEncrypter>(encrypter: Encrypter): Encrypter {
  const { secureInbound, secureOutbound } = encrypter
  encrypter.secureInbound = (stream, options) => secureInbound.call(encrypter, joining(stream), options)
  encrypter.secureOutbound = (stream, options) => secureOutbound.call(encrypter, joining(stream), options)
  return encrypter
}

function joining(stream: MessageStream): MessageStream {
  const { send } = stream
  stream.send = (data) => send.call(stream, data.subarray())
  return stream
}

/** What yamux 8 keeps of a stream; not part of its interface, so it is looked for. */
interface Windowed {
  readonly state: number
  readonly recvWindow: number
  readonly recvWindowCapacity: number
  sendWindowUpdate(): void
}

/** `StreamState.Established`: nothing but the window is told with an update then. */
const ESTABLISHED = 3

/** Renews the window of a stream when half of it is used (V2). A stream of another muxer stays as it is: false. */
export function renewWindowLate(stream: Stream): boolean {
  if (!isWindowed(stream)) return false
  const { sendWindowUpdate } = stream
  stream.sendWindowUpdate = () => {
    const { state, recvWindow, recvWindowCapacity } = stream
    if (state !== ESTABLISHED || recvWindowCapacity < recvWindow / 2) sendWindowUpdate.call(stream)
  }
  return true
}

function isWindowed(stream: object): stream is Windowed {
  const { state, recvWindow, recvWindowCapacity, sendWindowUpdate } = stream as Partial<Windowed>
  const numbers = [state, recvWindow, recvWindowCapacity]
  return numbers.every((each) => typeof each === 'number') && typeof sendWindowUpdate === 'function'
}
