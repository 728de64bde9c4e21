// The parts of hypercore 11.37 and corestore 7.12 that this project calls. Both are CommonJS and come without types.
// Some of it is not their public interface: the versions are pinned, and hypercore-store.test.ts fails when it moves.

declare module 'hypercore' {
  import type { Batch, TreeNode } from 'hypercore/lib/merkle-tree.js'

  /** One rocksdb read; nothing happens before `tryFlush`. */
  interface CoreReader {
    getBlock(index: number): Promise<Buffer | null>
    /** Which blocks of that page are stored, one bit each, the lowest first. */
    getBitfieldPage(index: number): Promise<Buffer | null>
    tryFlush(): void
    /** Nothing more is asked; what was and is not read yet is rejected. */
    destroy(): void
  }
  interface CoreWriter {
    deleteHead(): void
    deleteBlockRange(start: number, end: number): void
    deleteTreeNodeRange(start: number, end: number): void
    deleteBitfieldPageRange(start: number, end: number): void
    flush(): Promise<boolean>
  }
  /** Where one core is within the store. */
  interface CorePointer {
    readonly corePointer: number
    readonly dataPointer: number
  }
  interface CoreStorage {
    readonly core: CorePointer
    /** For the fork of that number; the present one when left out. */
    read(fork?: number): CoreReader
    write(): CoreWriter
  }
  interface SessionState {
    readonly length: number
    readonly byteLength: number
    readonly fork: number
    readonly roots: readonly TreeNode[]
    readonly signature: Buffer | null
    readonly storage: CoreStorage
    createTreeBatch(): Batch
  }
  interface RocksDB {
    readonly path: string
    currentWalFile(): Promise<{ readonly number: number }>
  }
  /** One rocksdb with many cores in it, and the lock on its directory. */
  interface StoreStorage {
    readonly rocks: RocksDB
    readonly db: { flush(): Promise<void> }
    readonly deviceFile: { close(): Promise<void> } | null
    hasCore(discoveryKey: Buffer): Promise<boolean>
    getAuth(discoveryKey: Buffer): Promise<{ readonly keyPair: unknown } | null>
    deleteCore(pointer: CorePointer): Promise<void>
    createDiscoveryKeyStream(): AsyncIterable<Buffer>
    compact(): Promise<void>
    ready(): Promise<void>
    close(): Promise<void>
  }
  interface KeyPair {
    readonly publicKey: Buffer
    readonly secretKey: Buffer
  }
  interface Manifest {
    readonly version: number
    readonly signers: readonly { readonly publicKey: Buffer }[]
  }
  interface Core {
    readonly state: SessionState
    readonly header: {
      readonly hints: {
        /** Blocks before the first that is missing. */
        readonly contiguousLength: number
        readonly recovering: number
      }
    }
    /** The hints are not on the disk as they are here. */
    hintsChanged: boolean
    flushHints(): Promise<void>
    close(): Promise<void>
  }
  class Hypercore {
    static key(manifest: Manifest): Buffer
    static discoveryKey(key: Buffer): Buffer
    static defaultStorage(directory: string, options: Readonly<Record<string, unknown>>): StoreStorage
    /** Shared by all sessions of one log; closing a session leaves it open for some seconds. */
    readonly core: Core
    readonly manifest: Manifest | null
    readonly length: number
    readonly contiguousLength: number
    /** Not 0 when rocksdb's logs were thrown away at an open, and blocks with them. */
    readonly recovering: number
    ready(): Promise<void>
    /** With `signature`: of the tree after all blocks; throws INVALID_SIGNATURE and stores nothing if it is wrong. */
    append(
      blocks: Buffer | readonly Buffer[],
      by: { readonly keyPair: KeyPair } | { readonly signature: Buffer },
    ): Promise<{ length: number }>
    /** That block is stored, as far as is known from the disk. */
    has(index: number): Promise<boolean>
    treeHash(length: number): Promise<Buffer>
    close(): Promise<void>
  }

  export type { Core, KeyPair, Manifest, SessionState, StoreStorage }
  // biome-ignore lint/style/noDefaultExport: what the package exports.
  export { Hypercore as default }
}

declare module 'corestore' {
  import type { default as Hypercore, Manifest, StoreStorage } from 'hypercore'

  class Corestore {
    constructor(storage: StoreStorage, options?: { readonly suspend?: boolean })
    readonly storage: StoreStorage
    ready(): Promise<void>
    get(options: {
      readonly key: Buffer
      readonly manifest?: Manifest
      readonly createIfMissing?: boolean
      readonly active: boolean
    }): Hypercore
    close(): Promise<void>
  }

  // biome-ignore lint/style/noDefaultExport: what the package exports.
  export { Corestore as default }
}

declare module 'hypercore/lib/bitfield.js' {
  const Bitfield: { readonly BITS_PER_PAGE: number; readonly BYTES_PER_PAGE: number }

  // biome-ignore lint/style/noDefaultExport: what the package exports.
  export { Bitfield as default }
}

declare module 'hypercore/lib/merkle-tree.js' {
  import type { SessionState } from 'hypercore'

  interface TreeNode {
    readonly index: number
    readonly size: number
    readonly hash: Buffer
  }
  interface Batch {
    readonly roots: readonly TreeNode[]
    readonly length: number
    append(block: Buffer): void
    hash(): Buffer
  }
  class MerkleTreeBatch implements Batch {
    /** All it reads of a session are these fields; `append` and `hash` never touch the storage. */
    constructor(session: {
      readonly fork: number
      readonly roots: readonly TreeNode[]
      readonly length: number
      readonly byteLength: number
      readonly signature: null
      readonly prologue: null
      readonly storage: null
    })
    readonly roots: readonly TreeNode[]
    readonly length: number
    append(block: Buffer): void
    hash(): Buffer
  }
  const MerkleTree: {
    getRoots(state: SessionState, length: number): Promise<TreeNode[]>
  }

  export { type Batch, MerkleTree, MerkleTreeBatch, type TreeNode }
}

declare module 'hypercore/lib/verifier.js' {
  import type { Manifest } from 'hypercore'
  import type { Batch } from 'hypercore/lib/merkle-tree.js'

  class Verifier {
    static fromManifest(manifest: Manifest): Verifier
    verify(batch: Batch, signature: Buffer): boolean
  }

  // biome-ignore lint/style/noDefaultExport: what the package exports.
  export { Verifier as default }
}
