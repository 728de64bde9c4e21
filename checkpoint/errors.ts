// What can go wrong with a store, as classes with stable codes. Every message says what to do next.

export type StoreErrorCode =
  | 'STORE_CLOSED'
  | 'STORE_FAILED'
  | 'STORE_DAMAGED'
  | 'STORE_COPIED'
  | 'NOT_A_STORE'
  | 'DIRECTORY_IN_USE'
  | 'DIRECTORY_UNREADABLE'
  | 'INVALID_PROOF'
  | 'NOT_WRITABLE'
  | 'NOT_HELD'
  | 'BLOCK_TOO_LARGE'

export class StoreError extends Error {
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = new.target.name
    this.code = code
  }
}

export class StoreClosedError extends StoreError {
  constructor() {
    super('STORE_CLOSED', 'The store is closed. Open it again to use it.')
  }
}

/** A write or a sync failed. What is on the disk is not known any more, so the store refuses everything after it. */
export class StoreFailedError extends StoreError {
  constructor(what: string, cause: unknown) {
    super(
      'STORE_FAILED',
      `${what}: ${reasonOf(cause)}. Free disk space or repair the disk, then start again.`,
      cause,
    )
  }
}

/** Something that was acknowledged is missing. Such a store must not vote: it starts again as another one. */
export class StoreDamagedError extends StoreError {
  constructor(what: string, cause?: unknown) {
    super(
      'STORE_DAMAGED',
      `${what}. Move the directory away and start again: this peer joins with an empty disk.`,
      cause,
    )
  }
}

/** A copy or a restored backup repeats promises that its original went on from: it is a lost disk. */
export class StoreCopiedError extends StoreError {
  constructor(directory: string, cause: unknown) {
    super(
      'STORE_COPIED',
      `${directory} was copied or restored from elsewhere (${reasonOf(cause)}) and can't be used as a store. ` +
        'Remove it and start again: this peer joins with an empty disk and gets its copies from the others.',
      cause,
    )
  }
}

export class NotAStoreError extends StoreError {
  constructor(directory: string, why: string, cause?: unknown) {
    super('NOT_A_STORE', `${directory} is not a store: ${why}. Choose an empty or a new directory.`, cause)
  }
}

export class DirectoryInUseError extends StoreError {
  constructor(directory: string, cause?: unknown) {
    super(
      'DIRECTORY_IN_USE',
      `${directory} is in use by another process. Stop that one, or choose another directory.`,
      cause,
    )
  }
}

export class DirectoryUnreadableError extends StoreError {
  constructor(directory: string, cause: unknown) {
    super(
      'DIRECTORY_UNREADABLE',
      `Can't use ${directory}: ${reasonOf(cause)}. Make it readable and writable for this user.`,
      cause,
    )
  }
}

export class InvalidProofError extends StoreError {
  constructor(why: string) {
    super(
      'INVALID_PROOF',
      `A block came with a proof that does not verify: ${why}. Nothing was stored; ask another peer.`,
    )
  }
}

export class NotWritableError extends StoreError {
  constructor(log: string) {
    super(
      'NOT_WRITABLE',
      `Log ${log} was not created by this start of the store. Create a new log to append to.`,
    )
  }
}

export class NotHeldError extends StoreError {
  constructor(log: string, wanted: number, held: number) {
    super('NOT_HELD', `Log ${log} has ${held} blocks here, ${wanted} were asked for. Fetch the rest first.`)
  }
}

export class BlockTooLargeError extends StoreError {
  constructor(bytes: number, limit: number) {
    super(
      'BLOCK_TOO_LARGE',
      `A block of ${bytes} bytes is over the limit of ${limit}. Split it into several blocks.`,
    )
  }
}

export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${reasonOf(error.cause)}`
}

/** The `code` of a system error, or the empty string. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
