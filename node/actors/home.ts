// Everything that belongs to one boot of this peer: its host and its journals. A deposed peer throws it away and makes
// another.

import type { Cipher } from '../../checkpoint/cipher.ts'
import type { MakeRef } from '../../checkpoint/reference.ts'
import type { ActorKey } from '../../mesh/ids.ts'
import { nextLife } from '../../mesh/registry/life-numbers.ts'
import type { ActorEntry, RegistryState } from '../../mesh/registry/types.ts'
import type { MeshHandle } from '../mesh-handle.ts'
import type { Clock } from '../ports.ts'
import type { ActorTypes } from './actor-types.ts'
import type { AgendaServices } from './agenda-services.ts'
import { isOver } from './callers.ts'
import { Context } from './context.ts'
import type { Target } from './creation.ts'
import type { RuntimeLimits } from './home-services.ts'
import { Host } from './host.ts'
import type { JournalReader } from './journal-reader.ts'
import { JournalWriter } from './journal-writer.ts'
import type { KeyValueStore } from './kv-types.ts'
import type { Past } from './past.ts'
import type { RuntimeEvents, RuntimeLogger } from './runtime-events.ts'
import type { OpenSeat } from './seat.ts'
import { Starts } from './starts.ts'
import { sleep, within } from './timing.ts'
import type { ActorClass, ActorContext, AnyRef } from './types.ts'
import { WakeUps } from './wake-ups.ts'

export interface HomeInit {
  readonly mesh: MeshHandle
  readonly clock: Clock
  readonly reader: JournalReader
  readonly past: Past
  readonly types: ActorTypes
  readonly limits: RuntimeLimits
  readonly pause: () => Promise<void>
  readonly logger: RuntimeLogger
  readonly events: RuntimeEvents
  /** A target by its key, with encoded arguments for its first start. */
  readonly target: (key: ActorKey, init: Uint8Array) => Target
  readonly deliver: AgendaServices['deliver']
  readonly makeRef: MakeRef
  readonly cipher: Cipher | undefined
  readonly openSeat: OpenSeat
  readonly kv: KeyValueStore
  readonly ref: (type: string | ActorClass, name: string, init: readonly unknown[]) => AnyRef
}

export interface Home {
  readonly host: Host
  readonly journals: JournalWriter
  /** For an object that only reads: of a copy of its state. */
  readonly context: (entry: ActorEntry) => ActorContext
}

export function makeHome(init: HomeInit): Home {
  const { mesh, clock, logger, events } = init
  const { boot } = mesh
  const actor = ((type: string | ActorClass, name: string, ...args: unknown[]) =>
    init.ref(type, name, args)) as ActorContext['actor']
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
  const outward = { actor, kv: init.kv }
  const context = ({ key, restarts, epoch }: ActorEntry, restored: boolean): Context =>
    new Context({ key, peer: mesh.self, boot, restarts, restored, epoch }, outward)
  const wakeUps = new WakeUps(clock, (actor) => host.wake(actor))
  const host: Host = new Host({
    boot,
    wakeUps,
    agenda: agendaServices(init, wakeUps),
    mesh,
    clock,
    journals,
    types: init.types,
    reader: init.reader,
    past: init.past,
    limits: init.limits,
    slicing: { ...init.limits, pause: init.pause },
    makeRef: init.makeRef,
    cipher: init.cipher,
    now: () => clock.now(),
    sleep: (ms) => sleep(clock, ms),
    within: (work, ms, late) => within(clock, work, ms, late),
    warn: ({ key }, text, err) => logger.warn({ actor: key, err }, text),
    context,
    openSeat: init.openSeat,
    isGone: (caller) => isOver(mesh.registry, caller),
    starts: new Starts({ mesh, clock, boot }),
    events,
    reportRecovered: ({ key, epoch }: ActorEntry, { sequence, source }) => {
      logger.info({ actor: key, epoch, sequence }, 'actor restored')
      events.recovered?.({ actor: key, epoch, sequence, journal: source.journal })
    },
  })
  return { host, journals, context: (entry) => context(entry, true) }
}

function agendaServices(
  { mesh, clock, logger, events, makeRef, target, deliver }: HomeInit,
  wakeUps: WakeUps,
): AgendaServices {
  return {
    clock,
    makeRef,
    generation: () => mesh.registry?.lostOrders.length ?? 0,
    lifeOf: ({ key }) => lifeOf(mesh.registry, key),
    target,
    deliver,
    sleep: (ms) => sleep(clock, ms),
    wakeAt: (actor, at) => wakeUps.set(actor, at),
    sendFailed: (event) => {
      logger.warn({ ...event, err: event.error }, 'a send came to nothing')
      events.sendFailed?.(event)
    },
    alarmFailed: (event) => {
      logger.warn({ ...event, err: event.error }, 'the method of an alarm threw')
      events.alarmFailed?.(event)
    },
  }
}

function lifeOf(registry: RegistryState | undefined, key: ActorKey): number {
  const entry = registry?.actors.get(key)
  if (registry === undefined) return 0
  if (entry === undefined) return 1 - nextLife(registry, key).incarnation
  const isOver = entry.status.kind === 'stopped' || entry.status.kind === 'dead'
  return isOver ? entry.incarnation + 1 : entry.incarnation
}
