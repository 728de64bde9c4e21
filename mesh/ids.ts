// Branded identifiers of the protocol. Each has one meaning (docs/glossary.md) and is made only here, so that a
// store id can never be passed where a peer id is expected.

declare const brand: unique symbol
type Brand<Base, Name extends string> = Base & { readonly [brand]: Name }

/** A peer: its libp2p peer ID in canonical string form. Ordered by code units, never by locale. */
export type PeerId = Brand<string, 'PeerId'>
/** The 128-bit identity of one disk, in hex. A wiped or copied disk gets a new one. */
export type StoreId = Brand<string, 'StoreId'>
/** One start of a peer: `<peer>/<128-bit nonce in hex>`. */
export type BootId = Brand<string, 'BootId'>
/** The public key of a hypercore log, in hex: the hash of what the log is. */
export type LogKey = Brand<string, 'LogKey'>
/** `<type>/<name>` of an actor. */
export type ActorKey = Brand<string, 'ActorKey'>
/** One incarnation of an actor, where it calls others by itself and outlives the boots that it lives on. */
export type ActorCaller = Brand<string, 'ActorCaller'>
/** Who makes a root call. */
export type CallerId = BootId | ActorCaller

export const peerId = (text: string): PeerId => text as PeerId
export const storeId = (text: string): StoreId => text as StoreId
export const logKey = (text: string): LogKey => text as LogKey
export const bootId = (peer: PeerId, nonce: string): BootId => `${peer}/${nonce}` as BootId
export const parseBootId = (text: string): BootId => text as BootId
export const peerOfBoot = (boot: BootId): PeerId => boot.slice(0, boot.indexOf('/')) as PeerId
export const actorKey = (type: string, name: string): ActorKey => `${type}/${name}` as ActorKey
export const parseActorKey = (text: string): ActorKey => text as ActorKey
export const typeOfActor = (key: ActorKey): string => key.slice(0, key.indexOf('/'))
export const nameOfActor = (key: ActorKey): string => key.slice(key.indexOf('/') + 1)

/** What an actor's agenda has it do, as a caller: `actor:<incarnation>:<key>`. No peer ID has a colon. */
export const actorCaller = (actor: ActorKey, incarnation: number): ActorCaller =>
  `actor:${incarnation}:${actor}` as ActorCaller
/** The actor and incarnation that a caller is; undefined for a boot. */
export function actorOfCaller(caller: CallerId): { actor: ActorKey; incarnation: number } | undefined {
  const [kind, incarnation, ...key] = caller.split(':')
  if (kind !== 'actor') return undefined
  return { actor: parseActorKey(key.join(':')), incarnation: Number(incarnation) }
}
export const isBoot = (caller: CallerId): caller is BootId => actorOfCaller(caller) === undefined

/** Code-unit order: the same on every machine, whatever its locale. */
export const compareIds = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
