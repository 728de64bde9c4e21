// Where an actor is, as far as this peer's copy of the registry knows, and what a caller has to do first.

import type { ActorKey, BootId } from '../../mesh/ids.ts'
import type { ActorEntry } from '../../mesh/registry/types.ts'
import type { MeshHandle } from '../mesh-handle.ts'

export type Located =
  | { readonly kind: 'home'; readonly entry: ActorEntry; readonly home: BootId }
  | { readonly kind: 'nowhere'; readonly entry: ActorEntry | undefined; readonly why: string }
  /** Nobody has made it yet. */
  | { readonly kind: 'missing' }
  /** Stopped or dead, which is believed only after catching up with the head (C4). */
  | { readonly kind: 'over'; readonly entry: ActorEntry }

export function locate(mesh: MeshHandle, key: ActorKey): Located {
  const { registry } = mesh
  if (registry === undefined || !mesh.admitted)
    return { kind: 'nowhere', entry: undefined, why: 'this peer is not admitted to the mesh yet' }
  const entry = registry.actors.get(key)
  if (entry === undefined) return { kind: 'missing' }
  if (entry.status.kind === 'stopped' || entry.status.kind === 'dead') return { kind: 'over', entry }
  if (entry.home === null) return { kind: 'nowhere', entry, why: whyNoHome(mesh, key) }
  return { kind: 'home', entry, home: entry.home }
}

function whyNoHome(mesh: MeshHandle, key: ActorKey): string {
  const why = mesh.whyNoHome(key)
  return why === ''
    ? 'it has no home at the moment: the head is about to choose one'
    : `it has no home: ${why}`
}

/**
 * After catching up with the head: the entry when it is over indeed, undefined when this peer was behind, `unknown` when no
 * head was there to ask.
 */
export async function confirmOver(
  mesh: MeshHandle,
  entry: ActorEntry,
  timeoutMs: number,
): Promise<ActorEntry | undefined | 'unknown'> {
  try {
    await mesh.catchUp(timeoutMs)
  } catch {
    return 'unknown'
  }
  const now = mesh.registry?.actors.get(entry.key)
  return now?.incarnation === entry.incarnation && now.status.kind === entry.status.kind ? now : undefined
}
