// What the comments of a document's code claim, as checks (snippets.ts).

import { deepStrictEqual } from 'node:assert'

export function equal(line: number, found: unknown, claimed: unknown): void {
  try {
    deepStrictEqual(found, claimed)
  } catch (error) {
    throw new Error(`line ${line} says otherwise: ${error instanceof Error ? error.message : String(error)}`)
  }
}

export async function throws(line: number, run: () => Promise<void>, claimed: string): Promise<void> {
  const error: unknown = await run().then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof Error))
    throw new Error(`line ${line} says that it throws ${claimed}, and it does not`)
  const { code } = error as { readonly code?: unknown }
  if ([error.name, error.constructor.name, code].includes(claimed)) return
  throw new Error(`line ${line} says that it throws ${claimed}`, { cause: error })
}
