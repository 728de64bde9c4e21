// Limits of an actor's agenda. All of it is in every snapshot of the actor.

/** Sends that wait: a method may reach thousands of actors; a target that is away for long must not fill the journals. */
export const MAX_SENDS = 10_000
/** Bytes of their arguments. */
export const MAX_SEND_BYTES = 16 * 1024 * 1024
/** Alarms and intervals: more than that is a table of jobs, and better kept in the state behind one alarm. */
export const MAX_ALARMS = 1000
/** Bytes of one alarm's arguments. */
export const MAX_ALARM_BYTES = 64 * 1024
/** Each time costs two records at a majority of keepers: what comes more often belongs into a loop of the app. */
export const MIN_INTERVAL_MS = 1000
/** Ten years: beyond it a time is a mistake of units, and later than anybody can wait for. */
export const MAX_AHEAD_MS = 10 * 366 * 24 * 3600 * 1000
/** Of an id that the app chooses. */
export const MAX_ID_LENGTH = 256

/** An answered send is taken out by the actor's next record, or after this time by one of its own. */
export const SETTLE_MS = 200
/** Targets that one actor's sends are under way to at a time. */
export const MAX_TARGETS_AT_ONCE = 64
/**
 * How long a method that was sent to, or an alarm's, goes on calling others; a nested call ends by then. The sender asks
 * again after it, under the same number.
 */
export const EXECUTION_MS = 5 * 60_000
/** Between two attempts to bring a send to a target that nobody can reach. */
export const DELIVERY_PAUSE_FIRST_MS = 100
export const DELIVERY_PAUSE_MOST_MS = 10_000

/** Attempts of a one-shot alarm whose method throws. */
export const ALARM_ATTEMPTS = 5
/** From a failed attempt to the next, times four each time: 1, 4, 16 and 64 seconds ride out a failover of what it calls. */
export const ALARM_RETRY_MS = 1000
