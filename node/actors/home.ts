// Everything that belongs to one boot of this peer: its host and its journals. A deposed peer throws it away and makes
// another.

import type { MakeRef } from '../../checkpoint/reference.ts'
import { type BootId, nameOfActor, typeOfActor } from '../../mesh/ids.ts'
import type { ActorEntry } from '../../mesh/registry/types.ts'
import type { MeshHandle } from '../mesh-handle.ts'
import type { Clock } from '../ports.ts'
import type { ActorTypes } from './actor-types.ts'
import type { RuntimeLimits } from './home-services.ts'
import { Host } from './host.ts'
import { signalOf } from './instance.ts'
import type { JournalReader } from './journal-reader.ts'
import { JournalWriter } from './journal-writer.ts'
import type { RestoredFrom } from './restorer.ts'
import type { RuntimeEvents, RuntimeLogger } from './runtime-events.ts'
import { sleep } from './timing.ts'
import type { ActorClass, ActorContext, AnyRef } from './types.ts'

export interface HomeInit {
  readonly mesh: MeshHandle
  readonly clock: Clock
  readonly reader: JournalReader
  readonly types: ActorTypes
  readonly limits: RuntimeLimits
  readonly logger: RuntimeLogger
  readonly events: RuntimeEvents
  readonly makeRef: MakeRef
  readonly ref: (type: string | ActorClass, name: string, init: readonly unknown[]) => AnyRef
}

export interface Home {
  readonly host: Host
  readonly journals: JournalWriter
}

export function makeHome(init: HomeInit): Home {
  const { mesh, clock, logger, events } = init
  const { boot } = mesh
  const journals = new JournalWriter({
    mesh,
    clock,
    // What is in memory depends on what may be lost: nothing of this boot may be answered any more.
    failed: (cause) => {
      if (mesh.boot !== boot) return
      logger.warn({ err: cause }, 'a journal failed: the actors here stop until this peer has a new boot')
      host.stop(cause)
    },
  })
  const host: Host = new Host({
    boot,
    mesh,
    clock,
    journals,
    types: init.types,
    reader: init.reader,
    limits: init.limits,
    makeRef: init.makeRef,
    now: () => clock.now(),
    sleep: (ms) => sleep(clock, ms),
    context: (entry, restored) => contextOf(init, boot, entry, restored),
    isGone: (caller) => isGone(mesh, caller),
    reportFailed: ({ key, epoch }: ActorEntry, cause) => {
      logger.warn({ actor: key, cause }, 'an actor can not be started')
      mesh.command({ kind: 'failed', actor: key, epoch, cause }).catch(() => {}) // tried, and reported, again
    },
    reportRecovered: ({ key, epoch }: ActorEntry, { sequence, source }: RestoredFrom) => {
      logger.info({ actor: key, epoch, sequence }, 'actor restored')
      events.recovered?.({ actor: key, epoch, sequence, journal: source.journal })
    },
  })
  return { host, journals }
}

/** A boot that is dead or unknown in the committed registry is refused for ever; see call-table.ts. */
function isGone(mesh: MeshHandle, caller: BootId): boolean {
  const known = mesh.registry?.boots.get(caller)
  return known === undefined || known.status === 'dead'
}

function contextOf(
  { mesh, ref }: HomeInit,
  boot: BootId,
  entry: ActorEntry,
  restored: boolean,
): ActorContext {
  const { key, restarts, epoch } = entry
  const actor = (type: string | ActorClass, name: string, ...init: unknown[]): AnyRef => ref(type, name, init)
  const context: ActorContext = {
    key,
    type: typeOfActor(key),
    name: nameOfActor(key),
    peer: mesh.self,
    boot,
    restarts,
    restored,
    epoch,
    get signal() {
      return signalOf(context)
    },
    actor: actor as ActorContext['actor'],
  }
  return Object.freeze(context)
}
