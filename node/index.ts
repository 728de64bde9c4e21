// actor-mesh: actors that outlive the machine they run on.
//
//   import { Actor, createNode } from 'actor-mesh'
//
//   class Counter extends Actor<{ count: number }> {
//     override state = { count: 0 }
//     increment(by = 1) {
//       this.state.count += by
//       return this.state.count
//     }
//   }
//
//   const node = await createNode({ dataDir: './data', actors: [Counter] })
//   await node.actor(Counter, 'visits').increment()   // resolves when the new count is on a majority of its keepers

export type { Report } from '../mesh/registry/types.ts'
export { defaultMeshSettings, type MeshSettings } from '../mesh/settings.ts'
export { Actor } from './actors/actor.ts'
export type {
  ActorClass,
  ActorContext,
  ActorOptionsInput,
  ActorRef,
  AnyRef,
  AnySendRef,
  CreateOptions,
  DeactivateReason,
  InstanceOptions,
  Schedule,
  ScheduledCall,
  ScheduleOptions,
  SendRef,
} from './actors/types.ts'
export { type Waited, type WaitOptions, wait } from './actors/wait.ts'
export type {
  ActorHere,
  ActorName,
  ActorRecovered,
  ActorStatus,
  AlarmOutcome,
  CallOptions,
  MemberStatus,
  MeshNode,
  NodeEvents,
  NodeOptions,
  NodeSettings,
  NodeStatus,
  PeerRef,
  RecoverOutcome,
  RescueOutcome,
  ResourceStatus,
  SendOutcome,
} from './api.ts'
export { createNode } from './create-node.ts'
export {
  ActorDiedError,
  ActorError,
  ActorUnavailableError,
  AgendaFullError,
  BadInputError,
  CallCancelledError,
  CallExpiredError,
  CallTimeoutError,
  DataDirectoryError,
  IncompatibleVersionError,
  JoinFailedError,
  MailboxFullError,
  MeshError,
  MeshUnavailableError,
  NotNeededError,
  PortInUseError,
  ReentrantCallError,
  StateError,
  TooLargeError,
  UnknownMethodError,
  UnknownTypeError,
  UnserialisableStateError,
  WrongSecretError,
} from './errors.ts'
