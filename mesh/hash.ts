// A small pure hash for placement: the same on every machine, well mixed, not cryptographic (a peer that chooses its own
// store ID could steer it; members trust each other that far).
//
// Two 32-bit lanes take each UTF-16 code unit by multiply and xor, then murmur3's finalizer spreads every input bit over
// both lanes; 53 bits of the two make one exact integer.

/** 0 ≤ hash < 2^53. */
export function hash53(text: string, seed = 0): number {
  let high = 0xdeadbeef ^ seed
  let low = 0x41c6ce57 ^ seed
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    high = Math.imul(high ^ unit, 0x9e3779b1)
    low = Math.imul(low ^ unit, 0x5f356495)
    // Multiplication carries upwards only; the rotation brings high bits back down.
    high = (high << 13) | (high >>> 19)
    low = (low << 11) | (low >>> 21)
  }
  high = finalize(high ^ low)
  low = finalize(low ^ Math.imul(high, 0x85ebca6b))
  return (high >>> 11) * 0x1_0000_0000 + (low >>> 0)
}

/** murmur3's 32-bit finalizer. */
function finalize(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}

/**
 * Weighted rendezvous hashing: for a key, the candidate with the highest score wins. Over many keys each candidate wins
 * in proportion to its weight, and when one goes only its own keys move.
 */
export function rendezvousScore(key: string, candidate: string, weight = 1): number {
  const unit = (Math.floor(hash53(`${key}\u0000${candidate}`) / 2) + 0.5) / 2 ** 52 // strictly within (0, 1)
  return -weight / Math.log(unit)
}
