// Values as JSON that a person can read. One way only: what actors return may hold more than JSON knows, and a command
// line prints it rather than computing with it.

import { Reference } from '../../checkpoint/reference.ts'

/** Nesting beyond this is printed as `…`: a value that deep is not read by people. */
const MAX_DEPTH = 64

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/**
 * bigint → its digits and `n`; Map → object when all keys are strings, else a list of pairs; Set → list; Date → ISO
 * string; bytes → `base64:…`; a reference → `[actor <type>/<name>]`; Error → { name, message, code? }; NaN and infinities → their names; undefined → null,
 * or left out of an object; functions and symbols → left out; cycles and extreme depth → `…`.
 */
export function toReadable(
  value: unknown,
  depth = 0,
  path: ReadonlySet<object> = new Set(),
): Json | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) ? value : String(value)
    case 'bigint':
      return `${value}n`
    case 'object':
      return value === null ? null : objectToReadable(value, depth, path)
    default:
      return undefined
  }
}

function objectToReadable(value: object, depth: number, path: ReadonlySet<object>): Json {
  if (depth >= MAX_DEPTH || path.has(value)) return '…'
  const below = new Set([...path, value])
  const inner = (item: unknown): Json => toReadable(item, depth + 1, below) ?? null
  if (value instanceof Reference) return String(value)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
  if (value instanceof Uint8Array) return `base64:${Buffer.from(value).toString('base64')}`
  if (value instanceof Error) {
    const code = (value as { code?: unknown }).code
    return { name: value.name, message: value.message, ...(typeof code === 'string' && { code }) }
  }
  if (value instanceof Set || Array.isArray(value)) return [...value].map(inner)
  const entries = value instanceof Map ? [...value] : Object.entries(value)
  if (!entries.every(([key]) => typeof key === 'string')) return entries.map((pair) => pair.map(inner))
  const out: Record<string, Json> = Object.create(null)
  for (const [key, item] of entries) {
    const readable = toReadable(item, depth + 1, below)
    if (readable !== undefined) out[key as string] = readable
  }
  return out
}
