// The kinds of message that a transcript can name, and those that it shows without being asked.

import type { MeshMessage } from '../../../mesh/messages.ts'

/** Messages of the protocol, and the two frames of a call. */
export type Kind = MeshMessage['kind'] | 'call' | 'answer'

const SHOWN: Readonly<Record<Kind, boolean>> = {
  // Who may write a log, and from where on: what transcripts are about.
  seal: true,
  sealed: true,
  nack: true,
  busy: true,
  accept: true,
  accepted: true,
  logSealed: true,
  unknown: true,
  fill: true,
  held: true,
  pointer: true,
  offer: true,
  roll: true,
  survey: true,
  surveyed: true,
  relay: true,
  relayed: true,
  call: true,
  answer: true,
  // Every write and every command is some of these; what comes of them is told by the registry and the answers.
  app: false,
  ack: false,
  confirm: false,
  confirmed: false,
  fetch: false,
  fetched: false,
  records: false,
  follow: false,
  cmd: false,
  done: false,
  // Opinions about who is there.
  view: false,
  ping: false,
  pong: false,
  pingReq: false,
  pingAck: false,
}

export const KINDS = Object.keys(SHOWN) as readonly Kind[]
export const SHOWN_KINDS: readonly Kind[] = KINDS.filter((kind) => SHOWN[kind])
export const isKind = (word: string | undefined): word is Kind => word !== undefined && word in SHOWN
