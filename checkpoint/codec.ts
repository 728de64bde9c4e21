// How values of users become bytes: state, patches, arguments, results. Plain data round-trips — objects, arrays, Map,
// Set, Date, BigInt, typed arrays, Buffer, undefined, references to actors —; whatever would come back as something else is refused with its
// path, before anything was written, so that nothing is lost silently at a restore.

import { Encoder } from 'cbor-x'
import { type MakeRef, Reference, reading } from './reference.ts'

/** A value that cannot be kept. `path` leads to it (`state.items[3].socket`), `what` says what is there. */
export class UnserialisableValue extends Error {
  override name = 'UnserialisableValue'
  readonly path: string
  readonly what: string
  constructor(path: string, what: string) {
    super(`${path} is ${what}`)
    this.path = path
    this.what = what
  }
}

// Records keep objects apart from Maps; tags keep Buffers apart from Uint8Arrays; copies keep a small value from
// holding the whole block it was read from.
const options = { useRecords: true, mapsAsObjects: false, tagUint8Array: true, copyBuffers: true }
const encoder = new Encoder(options)

/** Deeper nesting is a mistake far more often than a wish, and recursion must end before the stack does. */
const MAX_DEPTH = 500

const ARRAY_TYPES: ReadonlySet<unknown> = new Set([
  Uint8Array,
  Uint8ClampedArray,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  BigUint64Array,
  BigInt64Array,
  Float32Array,
  Float64Array,
  Buffer,
])

/** Bytes of a value known to be plain: the mesh's own structures. */
export const encode = (value: unknown): Uint8Array => encoder.encode(value)

/** The value of bytes made by {@link encode}. Throws on bytes that are not. */
export const decode = (bytes: Uint8Array): unknown => encoder.decode(bytes)

/** A user's value, in which references to actors become what `makeRef` gives. Throws on bytes that are not CBOR. */
export const decodeUser = (bytes: Uint8Array, makeRef: MakeRef | undefined): unknown =>
  reading(makeRef, () => encoder.decode(asBuffer(bytes)))

/** Out of a Buffer, and of nothing else, a Buffer is read back as one. */
const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Bytes of a user's value; `root` names it in the error. Throws {@link UnserialisableValue}. */
export function encodeUser(value: unknown, root: string): Uint8Array {
  checkUser(value, root)
  return encoder.encode(value)
}

/** Throws {@link UnserialisableValue} where {@link encodeUser} would. */
export const checkUser = (value: unknown, root: string): void => check(value, root, new Set())

/** Dates and binary data: values that a draft cannot watch. */
export const isOpaque = (value: unknown): value is Date | ArrayBufferView =>
  value instanceof Date || ArrayBuffer.isView(value)

function check(value: unknown, path: string, above: Set<object>): void {
  if (typeof value === 'function') {
    const name = value.name === '' ? 'a function' : `the function ${value.name}`
    throw new UnserialisableValue(path, value.prototype === undefined ? name : `${name} (or class)`)
  }
  if (typeof value === 'symbol') throw new UnserialisableValue(path, `the symbol ${String(value)}`)
  if (typeof value !== 'object' || value === null) return
  if (above.has(value)) throw new UnserialisableValue(path, 'a reference to an object that contains it')
  if (above.size > MAX_DEPTH) throw new UnserialisableValue(path, `nested more than ${MAX_DEPTH} levels deep`)
  const type: unknown = prototypeOf(value)
  if (type === Date || type === Reference || ARRAY_TYPES.has(type)) return
  above.add(value)
  if (Array.isArray(value) && type === Array) checkArray(value, path, above)
  else if (value instanceof Map && type === Map) checkMap(value, path, above)
  else if (value instanceof Set && type === Set) {
    let index = 0
    for (const item of value) check(item, `${path}{${index++}}`, above)
  } else if (type === Object || type === undefined) checkObject(value, path, above)
  else throw new UnserialisableValue(path, `an instance of ${nameOf(type)}`)
  above.delete(value)
}

function prototypeOf(value: object): unknown {
  const prototype = Object.getPrototypeOf(value) as { readonly constructor?: unknown } | null
  if (prototype === null) return undefined
  return Object.hasOwn(prototype, 'constructor') ? prototype.constructor : prototype
}

const nameOf = (type: unknown): string =>
  typeof type === 'function' && type.name !== '' ? type.name : 'an unnamed class'

function checkArray(value: readonly unknown[], path: string, above: Set<object>): void {
  for (let index = 0; index < value.length; index++) check(value[index], `${path}[${index}]`, above)
}

function checkMap(value: ReadonlyMap<unknown, unknown>, path: string, above: Set<object>): void {
  let index = 0
  for (const [key, item] of value) {
    const simple = typeof key === 'string' || typeof key === 'number'
    if (!simple) check(key, `${path}.keys()[${index}]`, above)
    check(item, simple ? `${path}.get(${JSON.stringify(key)})` : `${path}.values()[${index}]`, above)
    index++
  }
}

function checkObject(value: object, path: string, above: Set<object>): void {
  const [symbol] = Object.getOwnPropertySymbols(value)
  if (symbol !== undefined)
    throw new UnserialisableValue(path, `an object with the symbol key ${String(symbol)}`)
  for (const [key, item] of Object.entries(value)) {
    if (key === '__proto__') throw new UnserialisableValue(path, 'an object with a key __proto__')
    check(item, memberPath(path, key), above)
  }
}

/** `state.items`, `state["two words"]`. */
export const memberPath = (path: string, key: string): string =>
  /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`
