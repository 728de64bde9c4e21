// What a testnet in the background is asked, and answers: routes on a local socket.

export interface BackgroundPeer {
  readonly index: number
  readonly name: string
  /** Missing while it has no process. */
  readonly pid?: number
  /** `running`, `frozen`, or why it stopped, such as `SIGKILL`. */
  readonly process: string
  readonly peerId?: string
  readonly dataDir: string
  /** The rest is its own account; missing when it does not answer. */
  readonly isHead?: boolean
  readonly actors?: number
  /** Members that it sees, itself included. */
  readonly sees?: number
}

export interface BackgroundStatus {
  readonly dir: string
  /** Of the supervisor. */
  readonly pid: number
  readonly peers: readonly BackgroundPeer[]
  /** Directions in which nothing gets through. */
  readonly cuts: readonly { readonly from: number; readonly to: number }[]
}

export interface BackgroundMethods {
  'GET /v1/testnet': { readonly request: undefined; readonly response: BackgroundStatus }
  'POST /v1/kill': { readonly request: { readonly peer: number }; readonly response: Done }
  'POST /v1/freeze': { readonly request: { readonly peer: number }; readonly response: Done }
  'POST /v1/thaw': { readonly request: { readonly peer: number }; readonly response: Done }
  /** Answers when the peer takes part again. */
  'POST /v1/start': {
    readonly request: { readonly peer: number; readonly wipe: boolean }
    readonly response: Done
  }
  /** Nothing gets from `from` to `to` any more, and nothing back, unless `oneWay`. */
  'POST /v1/cut': {
    readonly request: { readonly from: number; readonly to: number; readonly oneWay: boolean }
    readonly response: Done
  }
  'POST /v1/heal': { readonly request: undefined; readonly response: Done }
  /** Answers when every process has ended and every file is removed. */
  'POST /v1/down': { readonly request: undefined; readonly response: Done }
}
export type Done = Readonly<Record<string, never>>
export type BackgroundRoute = keyof BackgroundMethods

/** What the process that starts a supervisor tells it over IPC, once. */
export interface UpRequest {
  readonly dir: string
  readonly peers: number
  /** URL of the module with the actors. */
  readonly actors: string
}
/** And what it hears: at last one of these. */
export type UpAnswer =
  | { readonly kind: 'up' }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
