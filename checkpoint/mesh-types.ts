// The protocol's types that checkpoint/ speaks in, gathered so that its files name one place.

export type { ActorKey, BootId, CallerId, LogKey, PeerId, StoreId } from '../mesh/ids.ts'
export type { FactsPatch, LogFacts, StoreFacts } from '../mesh/log-types.ts'
