// What every outgoing call needs of its runtime.

import type { MeshHandle } from '../mesh-handle.ts'
import type { Clock } from '../ports.ts'
import type { Exchange } from './answers.ts'
import type { Creation } from './creation.ts'
import type { SendFailed } from './runtime-events.ts'

export interface CallServices {
  readonly mesh: MeshHandle
  readonly clock: Clock
  readonly exchange: Exchange
  readonly creation: Creation
  readonly closed: () => boolean
  readonly sendFailed: (event: SendFailed) => void
}
