// A call's view of its actor's state: a draft that is thrown away or becomes patches. What the method assigns in it is
// copied into the patches' bytes, so nothing the method keeps a reference to can change the state later.

import { create, current, isDraft, type Patches } from 'mutative'
import { encode, encodeUser, memberPath } from '../../checkpoint/codec.ts'
import { StateError } from '../errors.ts'

export class Draft {
  readonly #finalize: () => readonly [object, Patches, Patches]
  #value: unknown
  readonly #draft: object

  /** `touch` sees every value of the state that is handed out. */
  constructor(base: object, touch?: (value: unknown) => void) {
    const mark = touch && ((value: unknown) => touch(value) as undefined)
    const [draft, finalize] = create(base, { enablePatches: true, ...(mark && { mark }) })
    this.#draft = draft as object
    this.#value = draft
    this.#finalize = finalize as () => readonly [object, Patches, Patches]
  }

  get state(): unknown {
    return this.#value
  }
  set state(value: unknown) {
    this.#value = value
  }

  /** Whether anything was assigned so far. */
  isChanged(base: object): boolean {
    return this.#value !== this.#draft || current(this.#draft) !== base
  }

  /** Bytes of what the method returned, drafts in it resolved. Call before {@link finish}. */
  encodeResult(result: unknown): Uint8Array {
    return encodeUser(undraft(result), 'result')
  }

  /** Ends the draft. The change as encoded patches; undefined when there is none. Throws what the state can't hold. */
  finish(base: object): Uint8Array | undefined {
    if (this.#value !== this.#draft) {
      const whole = undraft(this.#value)
      this.discard()
      return wholeState(whole)
    }
    const [next, patches] = this.#finalize()
    if (patches.length === 0) return undefined
    if (patches.some((patch) => !canApply(base, patch.path as readonly unknown[]))) return wholeState(next)
    for (const { path, value } of patches) encodeUser(value, pathText(path as readonly unknown[]))
    return encode(
      patches.map(({ op, path, value }) =>
        op === 'remove' && value === undefined ? { op, path } : { op, path, value },
      ),
    )
  }

  /** Ends the draft; who still holds a part of it gets an error from it. */
  discard(): void {
    try {
      this.#finalize()
    } catch {
      // Ended before, or not finalisable: either way nobody uses it.
    }
  }
}

function wholeState(value: unknown): Uint8Array {
  if (typeof value !== 'object' || value === null) {
    throw new StateError(`state was set to ${String(value)}: it must stay an object`)
  }
  encodeUser(value, 'state')
  return encode([{ op: 'replace', path: [], value }])
}

/** Values with drafts replaced by what they stand for. */
export function undraft(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || depth > 500) return value
  if (isDraft(value)) return current(value as object)
  const inner = (item: unknown): unknown => undraft(item, depth + 1)
  if (Array.isArray(value)) return value.some(holdsDraft) ? value.map(inner) : value
  if (value instanceof Map) {
    return holdsDraft(value) ? new Map([...value].map(([key, item]) => [inner(key), inner(item)])) : value
  }
  if (value instanceof Set) return holdsDraft(value) ? new Set([...value].map(inner)) : value
  const prototype: unknown = Object.getPrototypeOf(value)
  if ((prototype !== Object.prototype && prototype !== null) || !holdsDraft(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inner(item)]))
}

function holdsDraft(value: unknown): boolean {
  const seen = new Set<object>()
  const holds = (item: unknown): boolean => {
    if (typeof item !== 'object' || item === null || seen.has(item)) return false
    if (isDraft(item)) return true
    if (item instanceof Date || ArrayBuffer.isView(item)) return false
    seen.add(item)
    if (item instanceof Map) return [...item].some(([key, inner]) => holds(key) || holds(inner))
    if (Array.isArray(item) || item instanceof Set) return [...item].some(holds)
    return Object.values(item).some(holds)
  }
  return holds(value)
}

/**
 * Patches name places by path. A path through a Set, or through a Map's key that is not a string or number, names an
 * object that a replay has only an equal of; the few states with such places are written whole.
 */
function canApply(base: object, path: readonly unknown[]): boolean {
  let at: unknown = base
  for (const [depth, key] of path.entries()) {
    const last = depth === path.length - 1
    if (at instanceof Set) return last && !holdsObjects(at)
    if (typeof key !== 'string' && typeof key !== 'number') return false
    if (!last && (key === 'constructor' || key === 'prototype')) return false
    at = at instanceof Map ? at.get(key) : (at as Record<string | number, unknown> | undefined)?.[key]
  }
  return true
}

const holdsObjects = (set: ReadonlySet<unknown>): boolean => {
  for (const item of set) if (typeof item === 'object' && item !== null) return true
  return false
}

function pathText(path: readonly unknown[]): string {
  let text = 'state'
  for (const key of path) text = typeof key === 'number' ? `${text}[${key}]` : memberPath(text, String(key))
  return text
}
