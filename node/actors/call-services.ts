// What every outgoing call needs of its runtime.

import type { MakeRef } from '../../checkpoint/reference.ts'
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
  /** Makes references in results and errors usable. */
  readonly makeRef: MakeRef
  readonly closed: () => boolean
  readonly sendFailed: (event: SendFailed) => void
}
