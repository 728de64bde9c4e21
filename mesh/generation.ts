// Generations: 0 from the founding on, one more with each rescue (docs/adr/0009). Terms of the registry and opening orders
// of journals start anew far above everything that a lost majority can have used, so that a number of one generation is
// never mistaken for one of another, and "newer" is one comparison.

/** More terms, and more journals, than one generation can have: one a second for thirty years. */
export const GENERATION_SIZE = 1_000_000_000

/** The generation that a term, or the opening order of a journal, belongs to. */
export const generationOf = (number: number): number => Math.floor(number / GENERATION_SIZE)

/** How people count it: from 0 in each generation. */
export const withinGeneration = (number: number): number => number % GENERATION_SIZE

/** The first term, and the first opening order, of a generation. */
export const firstOf = (generation: number): number => generation * GENERATION_SIZE
