// What a link does to the bytes of one direction.

/** One direction between two peers. Bytes are never lost or reordered: a TCP stream under a bad cable is late, or cut. */
export interface Condition {
  /** Nothing gets through; what is sent meanwhile arrives when it is mended, as after a cable was pulled. */
  readonly cut: boolean
  /** Added to every byte's way, in milliseconds. */
  readonly delayMs: number
  /** Infinity: as fast as the machine. */
  readonly bytesPerSecond: number
  /** The share of packets that the kernel drops on the way, 0 to 1, where `canLosePackets()`. TCP sends them again, later and later. */
  readonly loss: number
}

export const HEALTHY: Condition = {
  cut: false,
  delayMs: 0,
  bytesPerSecond: Number.POSITIVE_INFINITY,
  loss: 0,
}
