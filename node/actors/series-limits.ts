// Limits of the items of a generator on their way to its caller: the same at both ends.

/** Items sent and not taken by the caller yet: enough to hide a round trip, few enough to forget about. */
export const SERIES_ITEMS = 64
/** Encoded bytes of them. One item may be larger (up to a frame); then it travels alone. */
export const SERIES_BYTES = 1024 * 1024
/** A caller says this often that it is still there and what it has, also when it takes nothing. */
export const SERIES_ALIVE_MS = 5_000
/** A generator whose caller was not heard for so long is ended: several lost signs of life, or a link that was given up. */
export const SERIES_SILENT_MS = 30_000
