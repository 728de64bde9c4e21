// Which actors should move although nothing happened to their homes: a peer joined, the head changed, or a home fits
// better now. Pure; the head asks (registry/balancer.ts) and moves them one by one.
//
// B1 A move is proposed only for one of these reasons, tried in this order, and never against one before it:
//     1. the actor is pinned to the head and lives elsewhere;
//     2. it would get more of the labels it prefers;
//     3. its kind would be spread more evenly: two more of them live at its label's value than at the other one;
//     4. its home is busier than the other place by more than the margin.
// B2 No flapping: with the same peers there is an end to moves, whoever is asked and however often. Take the four numbers
//    (pinned actors off the head; labels missed; the squares of how many of a kind share a value, summed; the squares of
//    how many actors share a peer, summed). A move for reason n makes the n-th smaller and none before it larger: for 3,
//    a² + b² shrinks when one goes from a to b ≤ a - 2, and for 4 the same with a - b > margin ≥ 1. Whole numbers of at
//    least 0 in dictionary order can't shrink for ever. A placement chooses by 2 and 3 as well, so it begins no circle.
// B3 No move breaks a rule of placement (P3): resources and neighbours are counted at both homes while one is under way.

import { rendezvousScore } from './hash.ts'
import type { ActorKey, BootId } from './ids.ts'
import { type HostActor, spreadValue, unmet } from './placement-fit.ts'
import type { Place, Places } from './placement-hosts.ts'

/**
 * A home that has this many actors more than another one is no reason to move any: a move costs its callers a pause, and
 * a few more are within what a placement that prefers the holders of journals does anyway.
 */
const MARGIN_ACTORS = 4
/** The same for a full mesh, as a share of the mean. */
const MARGIN_SHARE = 0.2

/** An actor that runs, and is not about to move or to end. */
export interface Settled {
  readonly actor: HostActor
  readonly home: BootId
}

export interface Move {
  readonly actor: ActorKey
  readonly to: BootId
}

export interface RebalanceQuestion {
  /** Planned on: each move that is proposed is counted in it. */
  readonly places: Places
  readonly actors: readonly Settled[]
  /** Boots that may get actors: those there for long enough. */
  readonly steady: ReadonlySet<BootId>
  readonly most: number
  /** Only what is pinned moves. */
  readonly pinnedOnly: boolean
}

export function chooseMoves(question: RebalanceQuestion): Move[] {
  const { places, most, pinnedOnly } = question
  const moves: Move[] = []
  const moved = new Set<ActorKey>()
  while (moves.length < most) {
    const actors = question.actors.filter(({ actor, home }) => !moved.has(actor.key) && places.at(home))
    const found =
      misplaced({ ...question, actors }) ?? (pinnedOnly ? undefined : overload({ ...question, actors }))
    if (!found) break
    const { actor, home, to } = found
    places.send(actor, home, to)
    moved.add(actor.key)
    moves.push({ actor: actor.key, to })
  }
  return moves
}

type Found = (Settled & { readonly to: BootId }) | undefined

/** Reasons 1 to 3. */
function misplaced({ places, actors, steady, pinnedOnly }: RebalanceQuestion): Found {
  for (const { actor, home } of actors) {
    const { placement } = actor
    const pinned = placement?.home === 'head'
    if (pinnedOnly ? !pinned : !pinned && !placement?.preferLabels && !placement?.spread) continue
    const from = places.at(home)!
    if (pinned && from.candidate.head) continue
    const to = places.choose(actor, [], (place) => place !== from && steady.has(place.candidate.boot))
    if (to && isBetter(actor, from, to, places)) return { actor, home, to: to.candidate.boot }
  }
  return undefined
}

function isBetter(actor: HostActor, from: Place, to: Place, places: Places): boolean {
  if (actor.placement?.home === 'head') return to.candidate.head
  const fewer = unmet(actor, from.candidate) - unmet(actor, to.candidate)
  return fewer > 0 || (fewer === 0 && crowding(actor, from, to, places) >= 2)
}

/** How many more of its kind live at the one's value than at the other's. */
function crowding(actor: HostActor, from: Place, to: Place, places: Places): number {
  const [here, there] = [spreadValue(actor, from.candidate), spreadValue(actor, to.candidate)]
  return here === there ? 0 : places.alike(actor, here) - places.alike(actor, there)
}

/** Reason 4: from the busiest to the least busy, where anything can be moved between the two. */
function overload({ places, actors, steady }: RebalanceQuestion): Found {
  const open = places.open
  const total = open.reduce((sum, { occupancy }) => sum + occupancy.load, 0)
  const margin = Math.max(MARGIN_ACTORS, (MARGIN_SHARE * total) / Math.max(1, open.length))
  const byLoad = open.toSorted((a, b) => a.occupancy.load - b.occupancy.load)
  for (const from of byLoad.toReversed())
    for (const to of byLoad) {
      if (from.occupancy.load - to.occupancy.load <= margin) break
      if (!steady.has(to.candidate.boot)) continue
      const { boot } = from.candidate
      const found = nearest(
        actors.filter(({ actor, home }) => home === boot && mayGo(actor, from, to, places)),
        to,
      )
      if (found) return { ...found, to: to.candidate.boot }
    }
  return undefined
}

/** Nothing that comes first gets worse. */
function mayGo(actor: HostActor, from: Place, to: Place, places: Places): boolean {
  if (actor.placement?.home === 'head' || !places.allows(actor, to.candidate.boot)) return false
  if (unmet(actor, to.candidate) > unmet(actor, from.candidate)) return false
  const isSame = spreadValue(actor, from.candidate) === spreadValue(actor, to.candidate)
  return isSame || crowding(actor, from, to, places) >= 1
}

/** Any would do; the hash takes others for each newcomer, and the same ones whoever is asked. */
function nearest(actors: readonly Settled[], { candidate }: Place): Settled | undefined {
  let best: Settled | undefined
  let bestScore = 0
  for (const settled of actors) {
    const score = rendezvousScore(settled.actor.key, candidate.boot)
    if (score <= bestScore) continue
    best = settled
    bestScore = score
  }
  return best
}
