// Long work in slices: a generator that yields between them.

export type Sliced<Result> = Generator<undefined, Result>

/** All of it at once. */
export function atOnce<Result>(work: Sliced<Result>): Result {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}

/** Slice by slice, with a pause after each; `isWanted` false: it is given up there, with undefined. */
export async function inSlices<Result>(
  work: Sliced<Result>,
  pause: () => Promise<void>,
  isWanted: () => boolean = () => true,
): Promise<Result | undefined> {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
    await pause()
    if (!isWanted()) return undefined
  }
}
