// Every time-out and limit of the protocol, with its unit and its reason. None of them can make anything unsafe (R8);
// they trade detection time against false alarms and memory.

import { defaultMembershipSettings } from './membership/settings.ts'
import type { MembershipSettings } from './membership/types.ts'

export interface MeshSettings {
  readonly membership: MembershipSettings
  /** The driver's tick. A tenth of the shortest time-out, so that a time-out is late by 10 % at most. */
  readonly tickMs: number
  /** The head's heartbeat and confirmation round. */
  readonly heartbeatMs: number
  /** Without progress of the head for this long, others try to take over: five heartbeats, so one lost packet is none. */
  readonly headTimeoutMs: number
  /** Extra wait per rank in ID order, longer than one take-over takes, so that candidates do not duel. */
  readonly candidateStaggerMs: number
  /** A keeper refuses an unforced seal while it heard the writer within this time. Below headTimeoutMs. */
  readonly stickinessMs: number
  /** Resend what was not answered. */
  readonly resendMs: number
  /** A peer without a link is asked through others after this: several re-dials, and before people wonder. */
  readonly relayAfterMs: number
  /** A joiner with a lower ID gets the head only after being alive this long, so that a flapping peer does not flap it. */
  readonly handOverAfterMs: number
  /** A keeper away this long is replaced: longer than a quick restart takes, shorter than a second failure is likely. */
  readonly keeperLostAfterMs: number
  /** After a take-over, peers in the registry that nobody has heard of are given this long to appear. */
  readonly absentPeerGraceMs: number
  /** One step of a take-over or repair that gets no answer for this long is started again differently. */
  readonly stepTimeoutMs: number
  /** The registry log is compacted by a new term beyond this many blocks, or bytes, which every peer has in memory… */
  readonly registryMaxBlocks: number
  readonly registryMaxBytes: number
  /** …and a journal goes on in a fresh one beyond this many blocks or bytes… */
  readonly journalMaxBlocks: number
  readonly journalMaxBytes: number
  /** …and beyond this many times what is alive in it: at 2, half of it is history, and a copy costs as much as was written. */
  readonly journalGrowth: number
  /** A store forgets the names of retired logs once it has this many: one sync for so many, some 200 bytes each until then. */
  readonly retiredNames: number
  /** Commands in one registry block. */
  readonly commandsPerBlock: number
  /** Bytes of blocks in one message to a peer that catches up. */
  readonly catchUpBytes: number
  /** Actors that the head moves at the same time to where they fit better; 0: only those pinned to the head move… */
  readonly rebalanceMoves: number
  /** …and it begins new moves this often at most: callers of a moving actor wait for a moment, and few should at once. */
  readonly rebalanceEveryMs: number
  /** A graceful leave hands over for at most this long. */
  readonly leaveTimeoutMs: number
}

export const defaultMeshSettings: MeshSettings = {
  membership: defaultMembershipSettings,
  tickMs: 25,
  heartbeatMs: 250,
  headTimeoutMs: 1500,
  candidateStaggerMs: 300,
  stickinessMs: 1000,
  resendMs: 250,
  relayAfterMs: 1000,
  handOverAfterMs: 3000,
  keeperLostAfterMs: 2500,
  absentPeerGraceMs: 4000,
  stepTimeoutMs: 2000,
  registryMaxBlocks: 4096,
  registryMaxBytes: 16 * 1024 * 1024,
  journalMaxBlocks: 65_536,
  journalMaxBytes: 16 * 1024 * 1024,
  journalGrowth: 2,
  retiredNames: 16,
  commandsPerBlock: 256,
  catchUpBytes: 1024 * 1024,
  rebalanceMoves: 4,
  rebalanceEveryMs: 1000,
  leaveTimeoutMs: 15_000,
}
