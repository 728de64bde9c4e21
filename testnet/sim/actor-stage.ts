// What tests of actors in simulated meshes begin and end with.

import { afterEach } from 'vitest'
import { MeshError } from '../../node/errors.ts'
import { ActorMesh } from './actor-mesh.ts'

const made: ActorMesh[] = []
/** Ends with its test, which fails when anything went wrong beside what it looks at. */
export async function meshOf(...init: Parameters<typeof ActorMesh.of>): Promise<ActorMesh> {
  const at = await ActorMesh.of(...init)
  made.push(at)
  return at
}
afterEach(() => {
  for (const at of made.splice(0)) at.end()
})

/** The result as JSON, or the code of the error. */
export const code = async (promise: Promise<unknown>): Promise<string> => {
  try {
    return JSON.stringify(await promise)
  } catch (error) {
    return error instanceof MeshError ? error.code : String(error)
  }
}

/** Whether a promise has settled, as it is now. */
export function watch(promise: Promise<unknown>): { settled: boolean } {
  const seen = { settled: false }
  promise.then(
    () => {
      seen.settled = true
    },
    () => {
      seen.settled = true
    },
  )
  return seen
}
