// Exit codes of every `mesh` command. They are part of the interface: a number keeps its meaning for good.

export const EXIT = {
  ok: 0,
  /** The operation was carried out and failed: a method threw, an unknown actor type, a demo that lost something. */
  failed: 1,
  /** A wrong flag, argument or value. Nothing was done. */
  usage: 2,
  /** No node runs in that data directory, or no testnet in its own, or it does not answer. */
  notRunning: 3,
  /** The data directory is in use, unreadable, damaged or of another mesh. */
  dataDirectory: 4,
  /** The mesh refused this peer: wrong secret or key, or another version. */
  refused: 5,
  /** The address to listen on is in use. */
  listen: 6,
  /** None of the peers to join answered. */
  join: 7,
  /** The actors module is missing, fails to load, or exports no actor. */
  actorsModule: 8,
  /** Node is too old (bin/mesh.mjs). */
  nodeTooOld: 9,
  /** Not available now: no majority, no host, a time-out. Trying again later may work. */
  unavailable: 10,
  /** A second Ctrl-C. */
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

export const isExitCode = (code: number | null): code is ExitCode =>
  Object.values(EXIT).some((each) => each === code)

const BY_ERROR_CODE: Readonly<Record<string, ExitCode>> = {
  USAGE: EXIT.usage,
  BAD_INPUT: EXIT.usage,
  BAD_ADDRESS: EXIT.usage,
  BAD_INVITE: EXIT.usage,
  BAD_SECRET: EXIT.usage,
  NOT_RUNNING: EXIT.notRunning,
  NO_ANSWER: EXIT.notRunning,
  NOT_ALLOWED: EXIT.notRunning,
  DATA_DIR_IN_USE: EXIT.dataDirectory,
  DATA_DIR_UNREADABLE: EXIT.dataDirectory,
  DATA_DIR_OTHER_MESH: EXIT.dataDirectory,
  IDENTITY_UNREADABLE: EXIT.dataDirectory,
  SECRET_UNREADABLE: EXIT.dataDirectory,
  WRONG_SECRET: EXIT.refused,
  WRONG_KEY: EXIT.refused,
  OTHER_MESH: EXIT.refused,
  INCOMPATIBLE_VERSION: EXIT.refused,
  PORT_IN_USE: EXIT.listen,
  JOIN_FAILED: EXIT.join,
  UNREACHABLE: EXIT.join,
  NOT_A_MESH_PEER: EXIT.join,
  ACTORS_MODULE: EXIT.actorsModule,
  ACTOR_UNAVAILABLE: EXIT.unavailable,
  MESH_UNAVAILABLE: EXIT.unavailable,
  CALL_TIMEOUT: EXIT.unavailable,
  MAILBOX_FULL: EXIT.unavailable,
}

/** By an error's stable code; `thrown` when it is a method's own error, whose codes mean what its author likes. */
export const exitCodeOf = (errorCode: string, thrown = false): ExitCode =>
  thrown ? EXIT.failed : (BY_ERROR_CODE[errorCode] ?? EXIT.failed)

/** For `mesh help`. */
export const EXIT_CODE_TABLE: readonly (readonly [ExitCode, string])[] = [
  [EXIT.ok, 'done'],
  [EXIT.failed, 'the operation failed'],
  [EXIT.usage, 'wrong flag, argument or value'],
  [EXIT.notRunning, 'no node runs in the data directory (no testnet is up), or it does not answer'],
  [EXIT.dataDirectory, 'the data directory is in use, unreadable, or of another mesh'],
  [EXIT.refused, 'the mesh refused this peer: wrong secret or key, or another version'],
  [EXIT.listen, 'the address to listen on cannot be used'],
  [EXIT.join, 'none of the peers to join answered'],
  [EXIT.actorsModule, 'the actors module does not load'],
  [EXIT.nodeTooOld, 'Node is too old'],
  [EXIT.unavailable, 'not available now (no majority, no host, time-out): try again later'],
  [EXIT.interrupted, 'interrupted'],
]
