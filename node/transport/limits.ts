// Every limit of the transport in one place, each with its unit and its reason.

/** Payload of one chunk on the wire. A ping waits behind at most one batch of chunks, not behind a snapshot. */
export const CHUNK_BYTES = 256 * 1024
/** Chunks handed to the stream in one send. Larger gains nothing: encryption dominates from about 64 KiB on. */
export const BATCH_BYTES = 256 * 1024
/** Written per turn of the event loop before other work gets its turn. */
export const TURN_BYTES = 1024 * 1024
/**
 * Frames after which a turn of the event loop writes at once, and not at its end: the peer works on these while this process
 * makes the next. Otherwise all calls of a client go to and fro as one batch, and each side waits while the other works.
 */
export const EARLY_FRAMES = 32
/**
 * So often a turn does that. Were it always, the peer's answers would arrive within the turn, and be answered in it: with a
 * thousand calls in flight a turn took 250 ms.
 */
export const EARLY_WRITES = 2
/** One frame: a state of 64 MiB and its envelope. */
export const MAX_FRAME_BYTES = 65 * 1024 * 1024
/** Waiting for one peer. Beyond it service frames are refused; a protocol frame beyond it gives the stream up. */
export const MAX_QUEUED_BYTES = 192 * 1024 * 1024
/** A handshake message is a few hundred bytes; a stranger may not make us hold more. */
export const MAX_HANDSHAKE_BYTES = 8 * 1024
/** Frames that arrive between the peer's `open` and the end of our handshake: one read of the initial stream window. */
export const MAX_HELD_BYTES = 2 * 1024 * 1024
/** A lane that waited this many chunks of more urgent lanes gets one: urgent lanes cannot starve it. */
export const PATIENCE_CHUNKS = 8

/** From the first byte of a stream to its end of handshake; four messages, so a slow link fits many times over… */
export const HANDSHAKE_TIMEOUT_MS = 5_000
/** …and as the one who was dialled: the dialler decides how patient it is, this only frees what a stranger holds. */
export const DIALLED_HANDSHAKE_TIMEOUT_MS = 10_000
/** A connection that carries no authenticated stream is closed after this. */
export const CONNECTION_GRACE_MS = 10_000
/** One dial with all the addresses of a peer… */
export const DIAL_TIMEOUT_MS = 5_000
/** …and with one of them, so that a dead first address leaves time for the next. */
export const ADDRESS_DIAL_TIMEOUT_MS = 2_500
/**
 * These time-outs are doubled up to this factor for a peer that did not answer in time. Dials that are cut off a moment
 * too soon cost as much as others and gain nothing: an overloaded machine would never get out of it.
 */
export const MAX_DIAL_PATIENCE = 4
/** Opening one stream. gossipsub opens its streams one after the other, so a frozen peer holds up the others this long. */
export const NEGOTIATION_TIMEOUT_MS = 3_000
/** How long a refused peer gets to read why, before its connection is closed. */
export const FAREWELL_MS = 1_000
/** Closing a connection in good order; after this it is reset. */
export const CLOSE_TIMEOUT_MS = 250
/** `connectTo` tries this long unless told otherwise. */
export const CONNECT_TIMEOUT_MS = 10_000
/** Peers found by mDNS are tried again this often while they are not connected. */
export const DISCOVERY_RETRY_MS = 10_000
/** mDNS asks every 10 s; a peer that missed a few answers is gone. */
export const DISCOVERY_FORGET_MS = 60_000
/** Peers on one local network. */
export const MAX_DISCOVERED = 1_000
/** A link that stays silent this long is asked for a sign of life… */
export const LINK_IDLE_MS = 5_000
/** …and given up after this. Membership judges peers much faster; this only frees the socket. */
export const LINK_DEAD_MS = 20_000
/** How often links are looked at. */
export const TICK_MS = 1_000
/** An established link answers a ping within this, or a second stream of the same peer replaces it. */
export const VERIFY_TIMEOUT_MS = 1_000

/** Bare re-dials after a stream closed. A dying process may close its listener a moment after its connections. */
export const PROBE_DELAYS_MS: readonly number[] = [0, 20, 60, 150]
/** One bare connect. On one machine or one LAN the answer takes about a millisecond. */
export const PROBE_TIMEOUT_MS = 500

export const REDIAL_FIRST_MS = 100
/** Longest pause between dials of a wanted peer in the first {@link REDIAL_EAGER_MS}… */
export const REDIAL_EAGER_CAP_MS = 2_000
/** …and after that. */
export const REDIAL_PATIENT_CAP_MS = 10_000
export const REDIAL_EAGER_MS = 60_000
/** The peer with the higher ID lets the other dial first, which saves most double dials. */
export const REDIAL_COURTESY_MS = 60

/** Facts in one gossip message: about 300 bytes each, far below gossipsub's own limit. */
export const GOSSIP_FACTS = 200
export const MAX_GOSSIP_BYTES = 512 * 1024
/** A peer without a working gossip stream in both directions: opened again after this many ticks… */
export const GOSSIP_PATIENT_TICKS = 3
/** …and its connection given up after these. Membership does not depend on gossip, so there is no hurry. */
export const GOSSIP_HOPELESS_TICKS = 15
/** The same warning about the same peer is repeated no sooner than this. */
export const WARNING_REPEAT_MS = 60_000
/** `stop()` returns within this, whatever hangs. */
export const STOP_DEADLINE_MS = 900
/** Part of it for what is still queued, and as much again for the peers to say that they have it. */
export const STOP_FLUSH_MS = 200
/** Names and addresses a peer may tell about itself. */
export const MAX_TEXT = 512
export const MAX_ADDRESSES = 64
