// Choices with an injected source of randomness, `random() ∈ [0, 1)`.

export type RandomNumber = () => number

const below = (random: RandomNumber, limit: number): number =>
  Math.min(limit - 1, Math.floor(random() * limit))

/** Fisher–Yates, in place. */
export function shuffle<T>(items: T[], random: RandomNumber): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = below(random, i + 1)
    const swapped = items[i]!
    items[i] = items[j]!
    items[j] = swapped
  }
  return items
}

/** Up to `count` different items in random order. */
export const sample = <T>(items: readonly T[], count: number, random: RandomNumber): T[] =>
  shuffle([...items], random).slice(0, count)

export const pick = <T>(items: readonly T[], random: RandomNumber): T | undefined =>
  items.length === 0 ? undefined : items[below(random, items.length)]

/** Inserts at a random place. */
export function insert<T>(items: T[], item: T, random: RandomNumber): void {
  items.splice(below(random, items.length + 1), 0, item)
}
