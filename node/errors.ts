// The catalogue of errors. Each has a class, a code that never changes, and a message that says what to do next; errors
// of calls also say whether the method may have been executed.

import type { ErrorData } from './actors/remote-error.ts'

export type Executed = 'no' | 'unknown'

export interface MeshErrorOptions {
  readonly cause?: unknown
  /** For a generator that was lost: how many items had been handed over. */
  readonly items?: number
  /** For errors of calls: `no` means the actor's state is untouched by this call, now and later. */
  readonly executed?: Executed
}

/** Everything the mesh itself throws. */
export class MeshError extends Error {
  override name = 'MeshError'
  readonly code: string
  readonly executed?: Executed
  constructor(code: string, message: string, options: MeshErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.code = code
    if (options.executed !== undefined) this.executed = options.executed
  }
}

/** The actor will not come back: it was stopped, or given up. */
export class ActorDiedError extends MeshError {
  override name = 'ActorDiedError'
  constructor(message: string, options?: MeshErrorOptions) {
    super('ACTOR_DIED', message, options)
  }
}

/** The actor has no working home at present and may come back. */
export class ActorUnavailableError extends MeshError {
  override name = 'ActorUnavailableError'
  readonly why: string
  /** Milliseconds for which the call had seen it unavailable. */
  readonly since: number
  /** Of a generator that was lost in the middle: how many items had been handed over. */
  readonly items?: number
  constructor(message: string, why: string, since: number, options?: MeshErrorOptions) {
    super('ACTOR_UNAVAILABLE', message, options)
    this.why = why
    this.since = since
    if (options?.items !== undefined) this.items = options.items
  }
}

/** No answer came within `timeoutMs`. */
export class CallTimeoutError extends MeshError {
  override name = 'CallTimeoutError'
  constructor(message: string, options?: MeshErrorOptions) {
    super('CALL_TIMEOUT', message, options)
  }
}

/**
 * The caller had the answer of this call once, or gave it up, and the actor forgot it; or the mesh gave up the calling peer
 * while the call was under way, and somebody may have executed it.
 */
export class CallExpiredError extends MeshError {
  override name = 'CallExpiredError'
  constructor(message: string, options?: MeshErrorOptions) {
    super('CALL_EXPIRED', message, options)
  }
}

/** Its caller's `signal` was aborted. `executed: 'no'`: it was not sent; else it may have run, or still run, at its host. */
export class CallCancelledError extends MeshError {
  override name = 'CallCancelledError'
  constructor(message: string, options?: MeshErrorOptions) {
    super('CALL_CANCELLED', message, options)
  }
}

/** 10,000 calls wait for the actor: call it less often, or wait for answers. */
export class MailboxFullError extends MeshError {
  override name = 'MailboxFullError'
  constructor(message: string) {
    super('MAILBOX_FULL', message, { executed: 'no' })
  }
}

/** What the actor still has to do is more than it may put off. */
export class AgendaFullError extends MeshError {
  override name = 'AgendaFullError'
  constructor(message: string) {
    super('AGENDA_FULL', message, { executed: 'no' })
  }
}

/** The call would wait for itself. */
export class ReentrantCallError extends MeshError {
  override name = 'ReentrantCallError'
  constructor(message: string) {
    super('REENTRANT_CALL', message, { executed: 'no' })
  }
}

/** No peer that could run the actor knows its class. */
export class UnknownTypeError extends MeshError {
  override name = 'UnknownTypeError'
  constructor(message: string) {
    super('UNKNOWN_TYPE', message, { executed: 'no' })
  }
}

/** The class has no such method, or it is private; the message lists those there are. */
export class UnknownMethodError extends MeshError {
  override name = 'UnknownMethodError'
  constructor(message: string) {
    super('UNKNOWN_METHOD', message, { executed: 'no' })
  }
}

/** A state, argument or result that can't be stored; `path` leads to it. */
export class UnserialisableStateError extends MeshError {
  override name = 'UnserialisableStateError'
  readonly path: string
  constructor(message: string, path: string) {
    super('UNSERIALISABLE_STATE', message, { executed: 'no' })
    this.path = path
  }
}

/** A method changed state where it may not: in a read-only method, or in place where the mesh can't see it. */
export class StateError extends MeshError {
  override name = 'StateError'
  constructor(message: string) {
    super('BAD_STATE_CHANGE', message, { executed: 'no' })
  }
}

/** Arguments, a result or a state beyond the size limit. */
export class TooLargeError extends MeshError {
  override name = 'TooLargeError'
  constructor(message: string) {
    super('TOO_LARGE', message, { executed: 'no' })
  }
}

/** The part of the key-value store that the key belongs to has no room. */
export class KvFullError extends MeshError {
  override name = 'KvFullError'
  constructor(message: string) {
    super('KV_FULL', message, { executed: 'no' })
  }
}

/** What the actor's method threw, at home there: its class name is `name`, its stack `remoteStack`. */
export class ActorError extends MeshError {
  override name: string
  readonly className: string
  readonly remoteStack: string
  /** The thrown object's own properties, beyond name, message and stack. */
  readonly data: Readonly<Record<string, unknown>>
  constructor(thrown: ErrorData) {
    super(thrown.code ?? 'ACTOR_ERROR', thrown.message)
    this.name = thrown.name
    this.className = thrown.name
    this.remoteStack = thrown.stack
    this.data = thrown.data
  }
}

/** The head, the registry or this very node can't be reached, or the node was closed. */
export class MeshUnavailableError extends MeshError {
  override name = 'MeshUnavailableError'
  constructor(message: string, options?: MeshErrorOptions) {
    super('MESH_UNAVAILABLE', message, options)
  }
}

/** A loss was accepted where nothing needs to be lost: nothing was done. */
export class NotNeededError extends MeshError {
  override name = 'NotNeededError'
  constructor(message: string) {
    super('NOT_NEEDED', message)
  }
}

export type DataDirectoryCode = 'DATA_DIR_IN_USE' | 'DATA_DIR_UNREADABLE' | 'DATA_DIR_OTHER_MESH'

/** The data directory is in use, unreadable, or of another mesh: its code says which. */
export class DataDirectoryError extends MeshError {
  override name = 'DataDirectoryError'
  declare readonly code: DataDirectoryCode
  constructor(code: DataDirectoryCode, message: string, options?: MeshErrorOptions) {
    super(code, message, options)
  }
}

/** The mesh refused this peer. */
export class WrongSecretError extends MeshError {
  override name = 'WrongSecretError'
  constructor(message: string, options?: MeshErrorOptions) {
    super('WRONG_SECRET', message, options)
  }
}

/** The mesh, or this data directory, has another encryption key than the one given. */
export class WrongKeyError extends MeshError {
  override name = 'WrongKeyError'
  constructor(message: string, options?: MeshErrorOptions) {
    super('WRONG_KEY', message, options)
  }
}

/** Another process listens on that address. */
export class PortInUseError extends MeshError {
  override name = 'PortInUseError'
  constructor(message: string, options?: MeshErrorOptions) {
    super('PORT_IN_USE', message, options)
  }
}

/** The mesh speaks another version of the protocol: upgrade the older side. */
export class IncompatibleVersionError extends MeshError {
  override name = 'IncompatibleVersionError'
  constructor(message: string, options?: MeshErrorOptions) {
    super('INCOMPATIBLE_VERSION', message, options)
  }
}

/** Nobody to join answered, or admission took too long. */
export class JoinFailedError extends MeshError {
  override name = 'JoinFailedError'
  constructor(message: string, options?: MeshErrorOptions) {
    super('JOIN_FAILED', message, options)
  }
}

/** An option or value that can not be; nothing was done. */
export class BadInputError extends MeshError {
  override name = 'BadInputError'
  constructor(message: string, options?: MeshErrorOptions) {
    super('BAD_INPUT', message, options)
  }
}
