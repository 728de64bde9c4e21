// Founding a mesh: explicit, by one peer, in an empty store (PROTOCOL.md section 4).

import type { Env } from './env.ts'
import type { Pointer } from './log-types.ts'
import type { KeptLogs } from './logs/kept-logs.ts'
import { snapshotBlocks } from './registry/blocks.ts'
import { emptyRegistry } from './registry/state.ts'

/** The founder's log 0 has one keeper: itself. Its key is the identity of the mesh. */
export function foundMesh(
  env: Env,
  logs: KeptLogs,
  addresses: Pointer['addresses'],
  then: (pointer: Pointer, length: number) => void,
): void {
  env.createLog((key) => {
    const blocks = snapshotBlocks(emptyRegistry(key), env.codec)
    const keepers = [{ peer: env.self, store: env.store }]
    const pointer: Pointer = {
      term: 0,
      writer: env.boot,
      key,
      keepers,
      parent: null,
      meshId: key,
      rescues: [],
      addresses,
    }
    // On disk before the pointer is: a founder that comes back must find what its pointer names.
    logs.hold(key, 'registry', 0, () => {
      for (const [index, block] of blocks.entries())
        env.append(key, block, ({ length }) => {
          if (index < blocks.length - 1) return
          logs.wrote(key, length)
          then(pointer, length)
        })
    })
  })
}
