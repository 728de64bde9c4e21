// An invite: everything a machine needs to join, as one string to paste. It contains the mesh secret.
// `mesh1-` + base64url(CBOR payload + first 4 bytes of its SHA-256), so that a lost character is noticed before anything is dialled.

import { createHash } from 'node:crypto'
import { Encoder } from 'cbor-x'
import { z } from 'zod'
import { parseAddress } from './addresses.ts'
import { messageOf, TransportError } from './errors.ts'
import { MAX_ADDRESSES, MAX_TEXT } from './limits.ts'
import { SECRET_BYTES } from './secret.ts'

export interface Invite {
  readonly meshId: string
  readonly secret: Uint8Array
  readonly addresses: readonly string[]
}

const PREFIX = 'mesh1-'
const CHECK_BYTES = 4
/** An invite fits a terminal line or two; more is not an invite. */
const MAX_INVITE_CHARS = 16_384

const cbor = new Encoder({ useRecords: false, mapsAsObjects: true })
const payload = z.object({
  m: z.string().min(1).max(MAX_TEXT),
  s: z.instanceof(Uint8Array).refine((bytes) => bytes.length === SECRET_BYTES),
  a: z.array(z.string().max(MAX_TEXT)).max(MAX_ADDRESSES),
})

const checksum = (bytes: Uint8Array): Buffer =>
  createHash('sha256').update(bytes).digest().subarray(0, CHECK_BYTES)

export const encodeInvite = (invite: Invite): string => {
  const body = cbor.encode({ m: invite.meshId, s: invite.secret, a: [...invite.addresses] })
  return PREFIX + Buffer.concat([body, checksum(body)]).toString('base64url')
}

const bad = (why: string): TransportError =>
  new TransportError(
    'BAD_INVITE',
    `this is not a usable invite: ${why}; get one with "mesh invite" on a member of the mesh and copy it whole`,
  )

/** Throws BAD_INVITE with what is wrong; never anything else. Spaces and line breaks from copying are ignored. */
export const decodeInvite = (text: string): Invite => {
  if (text.length > MAX_INVITE_CHARS) throw bad('it is far too long')
  const compact = text.replace(/\s+/g, '')
  if (!compact.startsWith(PREFIX)) {
    throw bad(
      /^mesh\d+-/.test(compact)
        ? 'it was made by another version of actor-mesh'
        : `it does not start with "${PREFIX}"`,
    )
  }
  const encoded = compact.slice(PREFIX.length)
  if (!/^[A-Za-z0-9_-]*$/.test(encoded)) throw bad('it contains characters that no invite has')
  const bytes = Buffer.from(encoded, 'base64url')
  const body = bytes.subarray(0, -CHECK_BYTES)
  if (bytes.length <= CHECK_BYTES || !checksum(body).equals(bytes.subarray(-CHECK_BYTES)))
    throw bad('its checksum is wrong, so part of it is missing or mistyped')
  let decoded: z.infer<typeof payload>
  try {
    decoded = payload.parse(cbor.decode(body))
    for (const address of decoded.a) parseAddress(address)
  } catch (error) {
    throw bad(`its content is malformed (${messageOf(error)})`)
  }
  return { meshId: decoded.m, secret: new Uint8Array(decoded.s), addresses: decoded.a }
}
