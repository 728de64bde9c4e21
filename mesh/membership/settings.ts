// The membership's time-outs and limits, each with its unit and its reason. None of them can make anything unsafe
// (R8): they trade detection time against false alarms, traffic and memory.

import type { MembershipSettings } from './types.ts'

/**
 * How long until a peer that fell silent (SIGSTOP, cable pulled) is dead in everybody's view, with n peers, T =
 * probeIntervalMs, P = probeTimeoutMs:
 *
 *   first probe   everybody probes one member per T in a shuffled round, so a member is probed once per T on average.
 *                 99 % of silences are met by a probe within (n-1)·T·(1 - 0.01^(1/(n-1))): 2.7 T with n = 5, 4.1 T with
 *                 n = 20, never more than 4.6 T however large the mesh.
 *   that probe    P directly + INDIRECT_WAIT·P through others                                        = 2.5 P
 *   suspicion     a suspicion makes about four others probe at once; they confirm it one probe (2.5 P) later, and then
 *                 it lasts suspicionMinMs from its beginning                                          = max(2.5 P, min)
 *
 * With T = 200, P = 280 and min = 1000: 0.55 + 0.7 + 1.0 = 2.3 s (n = 5), 0.82 + 0.7 + 1.0 = 2.5 s (n = 20); 25 ms
 * ticks and gossip add about 0.1 s. The other way round: a peer is declared dead only after 2.5 P + min = 1.7 s in
 * which neither itself answered anybody nor its refutation got out, several times the stalls of several hundred
 * milliseconds that a busy two-core machine shows; and a peer that stalls itself judges nobody (health.ts).
 * Nobody can confirm in a mesh of two, where a death could not be recovered from anyway: max, 2 s, applies.
 *
 * Traffic: 5 pings and 5 pongs a second sent per peer, in any size of mesh.
 */
export const defaultMembershipSettings: MembershipSettings = {
  probeIntervalMs: 200,
  probeTimeoutMs: 280,
  indirectProbes: 3,
  suspicionMinMs: 1000,
  suspicionMaxMs: 2000,
  // Gossip is seconds old at most, a partition minutes; whoever was away longer comes back through a new connection.
  forgetAfterMs: 600_000,
}

/** An indirect probe travels four hops instead of two, through a peer that waits `probeTimeoutMs` itself. */
export const INDIRECT_WAIT = 1.5

/** Confirmations of a suspicion that bring it to its minimum: two others, with their own paths, failed as well. */
export const CONFIRMATIONS = 2

/** Of those who hear of a suspicion, about this many probe the suspect at once, in any size of mesh. */
export const PROMPT_PROBERS = 4

/**
 * Rumours in one ping or pong, beside the sender's own fact: at about 400 bytes each a message stays within two
 * network packets, and a change still reaches a 100-peer mesh in a few rounds should all gossip be lost.
 */
export const RUMOURS_PER_MESSAGE = 4

/** A rumour is told this many times log2(mesh size): SWIM's bound for reaching everybody with high probability. */
export const RUMOUR_REPEATS = 3

/** Rumours kept for telling; beyond it the oldest go, and anti-entropy carries them. */
export const MAX_RUMOURS = 256

/**
 * Members in one table. Every peer keeps a connection to every other, which ends far below this; at about 1.3 KB a
 * member a flood of invented peers costs 26 MB and then nothing more.
 */
export const MAX_MEMBERS = 20_000

/** Probes made for others at a time. Each lives for one probe time-out: more than this is abuse, and is not answered. */
export const MAX_RELAYS = 1000

/** Facts in one view message: about 400 KB, so that a view never sits in front of a ping for long. */
export const FACTS_PER_VIEW = 1000

/** Senders of which the first parts of a long view are kept: they follow each other at once, and few compare at a time. */
export const MAX_PARTIAL_VIEWS = 8

/** Whole views are compared with one random peer this often: heals what gossip lost. */
export const ANTI_ENTROPY_MS = 30_000

/** One member that is connected and yet thought dead is told so this often: without it two halves never meet again. */
export const GREET_MS = 2000

/** A peer whose messages arrive while it is thought suspect or dead is told so, at most this often. */
export const NUDGE_MS = 500

/** Own facts are published at most this often: a duel between two claims to one identity costs 10 messages a second. */
export const SELF_PUBLISH_GAP_MS = 100

/** A peer that was alone publishes itself again after this: gossip needs a moment to form after the first connection. */
export const REPUBLISH_MS = 1500

/** Departed members are looked through for forgetting this often. */
export const SWEEP_MS = 5000

/**
 * Up to this many peers tell what they found at once; in larger meshes each waits a random time of up to
 * ANNOUNCE_SPREAD_MS per peer and says nothing when another was first, so that a death is published by a few.
 */
export const ANNOUNCE_AT_ONCE = 8
export const ANNOUNCE_SPREAD_MS = 5
export const ANNOUNCE_SPREAD_LIMIT_MS = 500
