// References to actors as values: what is kept of one is which actor it means. Making one usable again is the reader's
// affair, so whoever decodes hands in a function for it.

import { addExtension } from 'cbor-x'

/** Which actor is meant, and the encoded arguments of its constructor, in case that the first call comes by this reference. */
export interface Referent {
  readonly type: string
  readonly name: string
  readonly init: Uint8Array
}

export type MakeRef = (referent: Referent) => unknown

/** Of the first-come part of the CBOR tags. On disk and on the wire: never changes. */
const TAG = 43_121
const REFERENT = Symbol('referent')
const INSPECT = Symbol.for('nodejs.util.inspect.custom')

/** What references are instances of, whatever they look like: the codec and drafts take them for one value. */
export class Reference {
  readonly [REFERENT]!: Referent

  constructor(referent: Referent) {
    Object.defineProperty(this, REFERENT, { value: referent })
    Object.freeze(this)
  }

  [INSPECT](): string {
    return `[actor ${this[REFERENT].type}/${this[REFERENT].name}]`
  }
}

/** The reader of the moment. Decoding is synchronous, and cbor-x calls its extensions without a word on who decodes. */
let reader: MakeRef | undefined

/** Runs a decoding in which references become what `makeRef` makes of them. Without one, bytes that hold any are refused. */
export function reading<T>(makeRef: MakeRef | undefined, decode: () => T): T {
  const outer = reader
  reader = makeRef
  try {
    return decode()
  } finally {
    reader = outer
  }
}

addExtension({
  Class: Reference,
  tag: TAG,
  encode: (reference: Reference, encode: (value: unknown) => Uint8Array): Uint8Array => {
    const { type, name, init } = reference[REFERENT]
    return encode(init.length === 0 ? [type, name] : [type, name, init])
  },
  decode: (value: unknown): unknown => {
    const [type, name, init = new Uint8Array()] = Array.isArray(value) ? (value as unknown[]) : []
    if (typeof type !== 'string' || typeof name !== 'string' || !(init instanceof Uint8Array))
      throw new Error('a reference to an actor that names none')
    if (reader === undefined) throw new Error(`a reference to ${type}/${name} where none belongs`)
    return reader({ type, name, init })
  },
})
