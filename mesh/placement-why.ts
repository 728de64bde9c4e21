// Why an actor has no home, for people: each rule of placement-fit.ts (P3) that nobody meets, with who falls short by
// how much. Any peer can say it from its own copy of the registry and its own view.

import type { PeerId } from './ids.ts'
import { hasLabels } from './placement-candidates.ts'
import { type HostActor, type HostCandidate, hasRoom, isOpen } from './placement-fit.ts'
import { amountOf, fromThousandths, thousandths } from './resources.ts'

/** Peers named in one sentence: enough to see where to look, few enough to read. */
const MAX_NAMED = 3

const list = (items: readonly string[]): string => {
  const more = items.length - MAX_NAMED
  return [...items.slice(0, MAX_NAMED), ...(more > 0 ? [`${more} more alike`] : [])].join(', ')
}

/** Empty where somebody can run it: then a home is about to be given. */
export function whyNoHome(
  actor: HostActor,
  candidates: readonly HostCandidate[],
  nameOf: (peer: PeerId) => string,
): string {
  const bound = actor.placement?.peer
  if (bound !== undefined && !candidates.some((candidate) => candidate.peer === bound && isOpen(candidate)))
    return `it lives on ${nameOf(bound)} only, which is not here`
  const able = candidates.filter((candidate) => isOpen(candidate) && candidate.types.includes(actor.type))
  if (able.length === 0) return `no peer that is here can run ${actor.type}`
  const keyed = able.filter(({ keyId }) => actor.keyId === undefined || keyId === actor.keyId)
  if (keyed.length === 0)
    return `no peer that is here, can run ${actor.type}, and has the key that it is encrypted with (id ${actor.keyId})`
  const labelled = keyed.filter(({ labels }) => hasLabels(labels, actor.labels))
  const pinned = actor.placement?.home === 'head'
  const allowed = labelled.filter(
    ({ head, peer }) => (head || !pinned) && (bound === undefined || bound === peer),
  )
  if (allowed.some((candidate) => hasRoom(actor, candidate.resources, candidate.occupancy))) return ''
  const reasons = [
    ...(bound !== undefined && allowed.length === 0
      ? [`it lives on ${nameOf(bound)} only, which cannot run it`]
      : []),
    // Who has the labels is not asked of anybody where nobody has.
    ...shortages(actor, allowed.length > 0 ? allowed : keyed, nameOf),
    ...(labelled.length === 0 ? missingLabels(actor, keyed) : []),
    ...(labelled.length > 0 && allowed.length === 0 && pinned
      ? ['home: head is asked for and the head cannot run it']
      : []),
  ]
  return reasons.join('; ')
}

function missingLabels({ labels }: HostActor, able: readonly HostCandidate[]): string[] {
  const asked = Object.entries(labels)
  const text = (pairs: typeof asked): string => pairs.map(([label, value]) => `${label}=${value}`).join(', ')
  const unknown = asked.filter(
    (pair) => !able.some((each) => hasLabels(each.labels, Object.fromEntries([pair]))),
  )
  return unknown.length > 0
    ? [`${text(unknown)} is asked for and nobody has it`]
    : [`${text(asked)} are asked for and nobody has all of them`]
}

function shortages(
  { type, placement }: HostActor,
  able: readonly HostCandidate[],
  nameOf: (peer: PeerId) => string,
): string[] {
  const reasons: string[] = []
  for (const [resource, needed] of Object.entries(placement?.resources ?? {})) {
    const used: string[] = []
    const none: string[] = []
    for (const { peer, resources, occupancy } of able) {
      const offered = amountOf(resources, resource)
      const left = Math.max(0, thousandths(offered) - occupancy.used(resource))
      if (offered === 0) none.push(`${nameOf(peer)} offers none`)
      else if (left < thousandths(needed))
        used.push(`${nameOf(peer)} has ${fromThousandths(left)} of ${offered} left`)
    }
    const short = [...used, ...none]
    if (short.length > 0) reasons.push(`needs ${resource}=${needed}: ${list(short)}`)
  }
  for (const other of placement?.apartFrom ?? []) {
    const there = able.filter(({ occupancy }) => occupancy.hosts(other)).map(({ peer }) => nameOf(peer))
    if (there.length > 0) reasons.push(`keeps apart from ${other}, which is on ${list(there)}`)
  }
  const shunned = able.filter(({ occupancy }) => occupancy.shuns(type)).map(({ peer }) => nameOf(peer))
  if (shunned.length > 0) reasons.push(`actors on ${list(shunned)} keep apart from ${type}`)
  return reasons
}
