// What can go wrong at the edge of the network, as codes a caller can switch on. The messages are for the person who
// must do something about it, so each says what to do next.

export type TransportErrorCode =
  | 'PORT_IN_USE'
  | 'BAD_ADDRESS'
  | 'BAD_INVITE'
  | 'BAD_SECRET'
  | 'IDENTITY_UNREADABLE'
  | 'SECRET_UNREADABLE'
  | 'WRONG_SECRET'
  | 'OTHER_MESH'
  | 'INCOMPATIBLE_VERSION'
  | 'NOT_A_MESH_PEER'
  | 'UNREACHABLE'
  | 'STOPPED'

export class TransportError extends Error {
  override name = 'TransportError'
  readonly code: TransportErrorCode
  constructor(code: TransportErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The reasons for which a peer is turned away; both sides are told. */
export type RefusalCode = 'WRONG_SECRET' | 'OTHER_MESH' | 'INCOMPATIBLE_VERSION'

/** One sentence per refusal, the same on both sides. */
export const refusalText: Readonly<Record<RefusalCode, string>> = {
  WRONG_SECRET:
    'the two peers have different mesh secrets; join with a fresh invite from a member of the mesh',
  OTHER_MESH:
    'the two peers belong to different meshes; a data directory stays with the mesh it first joined',
  INCOMPATIBLE_VERSION: 'the two peers speak different versions of the protocol; upgrade the older one',
}

/** How an attempt that was cut off by a time-out is told. */
export const NO_ANSWER = 'no answer'

/** The message of anything that was thrown, on one line. */
export const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message || error.name : String(error)).split('\n')[0] ?? ''
