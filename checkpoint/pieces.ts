// A large value in pieces, each small enough to be encoded or decoded between two turns of the event loop. Values do not
// change while that goes on: states are replaced, never changed. The pieces are steps that build the value again:
//
//     [ITEMS, values]    the next values in the container of the moment; in objects and Maps key, value, key, value…
//     [OPEN, kind]       the next value is a container with pieces of its own, up to its [CLOSE]
//     [BYTES, type, n]   the next value is a typed array of n bytes, which follow in [CHUNK, bytes]

import { decodeUser, encode } from './codec.ts'
import type { MakeRef } from './reference.ts'

const ITEMS = 0
const OPEN = 1
const CLOSE = 2
const BYTES = 3
const CHUNK = 4

type Kind = 'array' | 'object' | 'map' | 'set'
type Piece =
  | readonly [typeof ITEMS, readonly unknown[]]
  | readonly [typeof OPEN, Kind]
  | readonly [typeof CLOSE]
  | readonly [typeof BYTES, string, number]
  | readonly [typeof CHUNK, Uint8Array]

/** About so many bytes to a piece: a few milliseconds of work where they are many small objects. */
export const PIECE_BYTES = 128 * 1024

const ARRAYS: Readonly<Record<string, (bytes: Uint8Array<ArrayBuffer>) => ArrayBufferView>> = {
  Uint8Array: (bytes) => bytes,
  Buffer: ({ buffer }) => Buffer.from(buffer),
  Uint8ClampedArray: ({ buffer }) => new Uint8ClampedArray(buffer),
  Int8Array: ({ buffer }) => new Int8Array(buffer),
  Uint16Array: ({ buffer }) => new Uint16Array(buffer),
  Int16Array: ({ buffer }) => new Int16Array(buffer),
  Uint32Array: ({ buffer }) => new Uint32Array(buffer),
  Int32Array: ({ buffer }) => new Int32Array(buffer),
  BigUint64Array: ({ buffer }) => new BigUint64Array(buffer),
  BigInt64Array: ({ buffer }) => new BigInt64Array(buffer),
  Float32Array: ({ buffer }) => new Float32Array(buffer),
  Float64Array: ({ buffer }) => new Float64Array(buffer),
}

/** The pieces of a value that the codec takes, encoded, one at a time. */
export function* encodePieces(value: unknown, pieceBytes = PIECE_BYTES): Generator<Uint8Array, void> {
  let items: unknown[] = []
  let weight = 0
  function* flush(): Generator<Uint8Array, void> {
    if (items.length === 0) return
    yield encode([ITEMS, items] satisfies Piece)
    items = []
    weight = 0
  }
  function* visit(item: unknown): Generator<Uint8Array, void> {
    const bytes = weigh(item, pieceBytes)
    if (bytes > pieceBytes && isDivisible(item)) {
      yield* flush()
      if (ArrayBuffer.isView(item)) yield* chunks(item, pieceBytes)
      else yield* container(item)
      return
    }
    items.push(item)
    weight += bytes
    if (weight >= pieceBytes) yield* flush()
  }
  function* container(item: object): Generator<Uint8Array, void> {
    yield encode([OPEN, kindOf(item)] satisfies Piece)
    for (const child of childrenOf(item)) yield* visit(child)
    yield* flush()
    yield encode([CLOSE] satisfies Piece)
  }
  yield* visit(value)
  yield* flush()
}

function* chunks(view: ArrayBufferView, pieceBytes: number): Generator<Uint8Array, void> {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
  yield encode([BYTES, view.constructor.name, bytes.length] satisfies Piece)
  for (let at = 0; at < bytes.length; at += pieceBytes)
    yield encode([CHUNK, bytes.subarray(at, at + pieceBytes)] satisfies Piece)
}

/** Takes pieces in their order, and has the value when it has them all. */
export class Builder {
  readonly #makeRef: MakeRef | undefined
  readonly #open: Container[] = []
  #bytes: { readonly type: string; readonly bytes: Uint8Array<ArrayBuffer>; at: number } | undefined
  #value: { readonly value: unknown } | undefined

  constructor(makeRef: MakeRef | undefined) {
    this.#makeRef = makeRef
  }

  /** Throws on what are no pieces. */
  add(bytes: Uint8Array): void {
    const piece = decodeUser(bytes, this.#makeRef) as Piece
    if (piece[0] === ITEMS) for (const item of piece[1]) this.#put(item)
    else if (piece[0] === OPEN) {
      const opened = containerOf(piece[1])
      this.#put(opened.value)
      this.#open.push(opened)
    } else if (piece[0] === CLOSE) this.#open.pop()
    else if (piece[0] === BYTES) {
      if (!Object.hasOwn(ARRAYS, piece[1])) throw new Error(`there is no typed array ${piece[1]}`)
      this.#bytes = { type: piece[1], bytes: new Uint8Array(piece[2]), at: 0 }
      this.#chunk(new Uint8Array()) // which may be all of it
    } else this.#chunk(piece[1])
  }

  /** Throws where pieces are missing. */
  get value(): unknown {
    if (this.#value === undefined || this.#open.length > 0)
      throw new Error('a value of which pieces are missing')
    return this.#value.value
  }

  #chunk(chunk: Uint8Array): void {
    const into = this.#bytes!
    into.bytes.set(chunk, into.at)
    into.at += chunk.length
    if (into.at < into.bytes.length) return
    this.#bytes = undefined
    this.#put(ARRAYS[into.type]!(into.bytes))
  }

  #put(value: unknown): void {
    const container = this.#open.at(-1)
    if (container === undefined) this.#value = { value }
    else container.put(value)
  }
}

interface Container {
  readonly value: object
  readonly put: (child: unknown) => void
}

function containerOf(kind: Kind): Container {
  if (kind === 'array') {
    const value: unknown[] = []
    return { value, put: (child) => void value.push(child) }
  }
  if (kind === 'set') {
    const value = new Set()
    return { value, put: (child) => void value.add(child) }
  }
  if (kind === 'map') {
    const value = new Map()
    return { value, put: inPairs((key, child) => void value.set(key, child)) }
  }
  const value: Record<string, unknown> = {}
  return {
    value,
    put: inPairs((key, child) => {
      value[key as string] = child
    }),
  }
}

function inPairs(put: (key: unknown, value: unknown) => void): (child: unknown) => void {
  let key: { readonly is: unknown } | undefined
  return (child) => {
    if (key === undefined) key = { is: child }
    else {
      put(key.is, child)
      key = undefined
    }
  }
}

const isDivisible = (value: unknown): value is object =>
  typeof value === 'object' &&
  value !== null &&
  (ArrayBuffer.isView(value) ||
    Array.isArray(value) ||
    value instanceof Map ||
    value instanceof Set ||
    isPlain(value))

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

const kindOf = (value: object): Kind =>
  Array.isArray(value) ? 'array' : value instanceof Map ? 'map' : value instanceof Set ? 'set' : 'object'

function* childrenOf(value: object): Generator<unknown, void> {
  if (Array.isArray(value) || value instanceof Set) yield* value
  else if (value instanceof Map)
    for (const [key, item] of value) {
      yield key
      yield item
    }
  else
    for (const key of Object.keys(value)) {
      yield key
      yield (value as Record<string, unknown>)[key]
    }
}

/** About the bytes of the value; looks no further where they are more than `most`. */
export function weigh(value: unknown, most: number): number {
  if (typeof value === 'string') return value.length + 2
  if (typeof value !== 'object' || value === null) return 8
  if (ArrayBuffer.isView(value)) return value.byteLength + 8
  let bytes = 16
  if (Array.isArray(value) || value instanceof Set) {
    for (const item of value) {
      bytes += weigh(item, most - bytes)
      if (bytes > most) return bytes
    }
  } else if (value instanceof Map) {
    for (const [key, item] of value) {
      bytes += weigh(key, most - bytes) + weigh(item, most - bytes)
      if (bytes > most) return bytes
    }
  } else if (isPlain(value)) {
    for (const key in value) {
      bytes += 4 + weigh((value as Record<string, unknown>)[key], most - bytes)
      if (bytes > most) return bytes
    }
  }
  return bytes
}
