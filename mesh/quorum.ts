// Quorum arithmetic. Knows nothing of logs or peers.

/** The smallest number that any two sets of it, drawn from `size`, share a member. */
export function majority(size: number): number {
  return Math.floor(size / 2) + 1
}

/** The largest length that a majority of the keepers holds, given the length each of them acknowledged. */
export function majorityLength(lengths: readonly number[]): number {
  if (lengths.length === 0) return 0
  const descending = [...lengths].sort((a, b) => b - a)
  return descending[majority(lengths.length) - 1]!
}

/** How many more of `present` members of a set of `size` may be lost before it has no majority; negative when it has none. */
export function tolerance(size: number, present = size): number {
  return present - majority(size)
}
