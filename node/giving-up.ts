// The explicit ways past a lost majority, for people: of the registry (rescue), and of the journals of one lost boot
// (recover). Both say what they would do, do nothing without `acceptLoss`, and report every actor.

import { generationOf, withinGeneration } from '../mesh/generation.ts'
import { type BootId, parseBootId, peerOfBoot } from '../mesh/ids.ts'
import { journalsOf, needsRecovery } from '../mesh/registry/recover.ts'
import type { RegistryState } from '../mesh/registry/types.ts'
import type { RecoverOutcome, RescueOutcome } from './api.ts'
import type { MeshDriver } from './driver.ts'
import { BadInputError, MeshUnavailableError, NotNeededError } from './errors.ts'
import { Deposed } from './mesh-handle.ts'
import { peerRef } from './node-status.ts'

/** Recovery without a majority first gives every keeper time to answer; after this long the rest is told by `reports`. */
const RECOVERED_WITHIN_MS = 30_000

export async function rescueMesh(driver: MeshDriver, acceptLoss: boolean): Promise<RescueOutcome> {
  const before = driver.pointer?.rescues.length ?? 0
  const result = await driver.rescue(acceptLoss)
  if (!result.ok) {
    if (result.why === 'not-needed') throw new NotNeededError(result.detail)
    throw new MeshUnavailableError(result.detail)
  }
  const { account, done } = result
  const ref = (peer: typeof account.holder) => peerRef(driver, peer)
  const outcome = {
    done,
    generation: generationOf(account.term),
    term: withinGeneration(account.term),
    records: account.records,
    holder: ref(account.holder),
    keepers: account.keepers.map(ref),
    missing: account.missing.map(ref),
  }
  if (!done) return { ...outcome, reports: [] }
  await until(
    driver,
    ({ lostOrders, boots }) =>
      lostOrders.length > before && ![...boots.values()].some(({ lossAccepted }) => lossAccepted),
  )
  const { reports } = driver.registry!
  const first = reports.findLastIndex(({ kind }) => kind === 'rescue')
  return { ...outcome, reports: reports.slice(Math.max(0, first)) }
}

export async function recoverBoot(
  driver: MeshDriver,
  target: string,
  acceptLoss: boolean,
): Promise<RecoverOutcome> {
  const state = driver.registry
  if (!state) throw new MeshUnavailableError('this peer has not read the registry yet: try again in a moment')
  const boot = findBoot(state, target)
  const outcome = {
    boot,
    peer: peerRef(driver, peerOfBoot(boot)),
    actors: actorsOf(state, boot),
    waitingFor: driver.recoveries().get(boot)?.waitingFor ?? '',
  }
  if (!acceptLoss) return { ...outcome, done: false, reports: [] }
  const known = new Set(state.reports.map(({ id }) => id))
  const result = await driver.command({ kind: 'acceptLoss', boot, refusal: null }).catch((error: unknown) => {
    throw error instanceof Deposed ? maybeGivenUp(boot) : error
  })
  if (!result.ok) throw new NotNeededError(`${boot} is not given up: ${result.detail}`)
  await until(driver, ({ boots }) => boots.get(boot)?.lossAccepted !== true)
  const reports = driver.registry!.reports.filter((report) => report.boot === boot && !known.has(report.id))
  return { ...outcome, done: true, reports }
}

/** What is lost is asked for once: what there is by now may be more than what was there to lose (A5). */
const maybeGivenUp = (boot: BootId): MeshUnavailableError =>
  new MeshUnavailableError(
    `this peer was given up while it asked for it, so whether ${boot} is given up is not known: look at "mesh reports", and ask again where it is not`,
    { executed: 'unknown' },
  )

/** A boot, or the one boot of a peer (by ID or name) of which something is left to recover. */
function findBoot(state: RegistryState, target: string): BootId {
  const exact = state.boots.get(parseBootId(target))
  if (exact) return exact.boot
  const peers = [...state.peers.values()].filter(({ peer, name }) => peer === target || name === target)
  const boots = [...state.boots.values()].filter(
    (entry) =>
      peers.some(({ peer }) => peer === peerOfBoot(entry.boot)) &&
      (needsRecovery(entry) || journalsOf(state, entry.boot).length > 0),
  )
  const [only, ...others] = boots.map(({ boot }) => boot)
  if (only && others.length === 0) return only
  throw new BadInputError(
    only
      ? `${target} has several boots with something left to recover, name one: ${[only, ...others].join(', ')}`
      : `no boot or peer ${target} with something left to recover: "mesh status" and "mesh reports" name them`,
  )
}

/** Hosted by the boot, or waiting for something that only its journals hold. */
function actorsOf({ actors, journals }: RegistryState, boot: BootId): readonly string[] {
  return [...actors.values()]
    .filter(
      ({ home, sources }) =>
        home === boot || sources.some(({ journal }) => journals.get(journal)?.boot === boot),
    )
    .map(({ key }) => key)
}

/** Waits for the registry to come to it; in vain is no error, what is missing is reported later. */
async function until(driver: MeshDriver, done: (state: RegistryState) => boolean): Promise<void> {
  const deadline = performance.now() + RECOVERED_WITHIN_MS
  while (performance.now() < deadline && !(driver.registry && done(driver.registry)))
    await new Promise((resolve) => setTimeout(resolve, 50))
}
