// A snapshot of a large state, made and read in slices of work: its body is written straight into parts, and never exists
// as one array of bytes.
//
//     format (1 byte, which begins no other body) · frames: length (4 bytes, big endian) · bytes
//
// The first frame holds what is not the state; the others are the state's pieces (pieces.ts).

import { decode, encode } from './codec.ts'
import { Builder, encodePieces, PIECE_BYTES } from './pieces.ts'
import { PART_BYTES, type SnapshotBody } from './records.ts'
import type { MakeRef } from './reference.ts'

const FORMAT = 1
const LENGTH_BYTES = 4

export type LargeSnapshot = Omit<SnapshotBody, 'state'> & { readonly state: object }

/** Each step is a slice of work; returns the parts. */
export function* encodeLarge(
  { state, calls, agenda, told, version }: LargeSnapshot,
  pieceBytes = PIECE_BYTES,
  partBytes = PART_BYTES,
): Generator<undefined, readonly Uint8Array[]> {
  const writer = new PartWriter(partBytes)
  writer.write(Uint8Array.of(FORMAT))
  writer.frame(encode([calls, agenda ?? null, told ?? null, version]))
  yield undefined
  for (const piece of encodePieces(state, pieceBytes)) {
    writer.frame(piece)
    yield undefined
  }
  return writer.finish()
}

export const isLarge = (parts: readonly Uint8Array[]): boolean => parts[0]?.[0] === FORMAT

/** Each step is a slice of work. Throws on what is no such snapshot. */
export function* decodeLarge(
  parts: readonly Uint8Array[],
  makeRef: MakeRef | undefined,
): Generator<undefined, LargeSnapshot> {
  const reader = new PartReader(parts)
  reader.read(1)
  type Head = [LargeSnapshot['calls'], LargeSnapshot['agenda'] | null, LargeSnapshot['told'] | null, number]
  const [calls, agenda, told, version] = decode(reader.frame()) as Head
  const builder = new Builder(makeRef)
  while (!reader.isAtEnd) {
    yield undefined
    builder.add(reader.frame())
  }
  const state = builder.value as object
  return { state, calls, agenda: agenda ?? undefined, told: told ?? undefined, version }
}

class PartWriter {
  readonly #parts: Uint8Array[] = []
  readonly #partBytes: number
  #part: Uint8Array
  #at = 0

  constructor(partBytes: number) {
    this.#partBytes = partBytes
    this.#part = new Uint8Array(partBytes)
  }

  frame(bytes: Uint8Array): void {
    const length = new Uint8Array(LENGTH_BYTES)
    new DataView(length.buffer).setUint32(0, bytes.length)
    this.write(length)
    this.write(bytes)
  }

  write(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      const taken = bytes.subarray(from, from + this.#part.length - this.#at)
      this.#part.set(taken, this.#at)
      this.#at += taken.length
      from += taken.length
      if (this.#at < this.#part.length) continue
      this.#parts.push(this.#part)
      this.#part = new Uint8Array(this.#partBytes)
      this.#at = 0
    }
  }

  finish(): readonly Uint8Array[] {
    if (this.#at > 0) this.#parts.push(this.#part.slice(0, this.#at))
    return this.#parts
  }
}

class PartReader {
  readonly #parts: readonly Uint8Array[]
  #part = 0
  #at = 0

  constructor(parts: readonly Uint8Array[]) {
    this.#parts = parts
  }

  get isAtEnd(): boolean {
    while (this.#part < this.#parts.length && this.#at >= this.#parts[this.#part]!.length) {
      this.#part++
      this.#at = 0
    }
    return this.#part >= this.#parts.length
  }

  frame(): Uint8Array {
    const length = this.read(LENGTH_BYTES)
    return this.read(new DataView(length.buffer, length.byteOffset, LENGTH_BYTES).getUint32(0))
  }

  read(count: number): Uint8Array {
    const within = this.#parts[this.#part]?.subarray(this.#at, this.#at + count)
    if (within?.length === count) {
      this.#at += count
      return within
    }
    const bytes = new Uint8Array(count)
    for (let at = 0; at < count; ) {
      if (this.isAtEnd) throw new Error('a snapshot that ends in the middle')
      const taken = this.#parts[this.#part]!.subarray(this.#at, this.#at + count - at)
      bytes.set(taken, at)
      this.#at += taken.length
      at += taken.length
    }
    return bytes
  }
}
