// What `actor-mesh` is for a module of actors in a worker: all of its names, without the peer behind them. A node belongs
// into the main thread; an actor reaches others through `this.context.actor` and the references it is given.

import type { MeshNode } from '../../api.ts'
import { BadInputError } from '../../errors.ts'

export { defaultMeshSettings } from '../../../mesh/settings.ts'
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
  KvFullError,
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
  WrongKeyError,
  WrongSecretError,
} from '../../errors.ts'
export { Actor } from '../actor.ts'
export { wait } from '../wait.ts'

/** A module may start a node when it is loaded, in the main thread; an actor's worker is not the place. */
export async function createNode(): Promise<MeshNode> {
  throw new BadInputError(
    'createNode was called in the worker of an actor: put actors with isolation into a module that starts no node',
  )
}
