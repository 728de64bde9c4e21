// Workloads by module and name.

import type { Workload } from './workload.ts'

/** Rejects with a sentence that says what the module should have. */
export async function loadWorkloads(url: string, names: readonly string[]): Promise<readonly Workload[]> {
  const exported: Readonly<Record<string, unknown>> = await import(url)
  const all = [exported['workloads'] ?? exported['workload']].flat().filter(isWorkload)
  if (all.length === 0)
    throw new Error(
      `${url} has no workload: export const workload = { name, next, final, check } (docs/chaos.md)`,
    )
  const missing = names.find((name) => !all.some((each) => each.name === name))
  if (missing !== undefined)
    throw new Error(`there is no workload ${missing}: ${all.map(({ name }) => name).join(', ')}`)
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name))
}

function isWorkload(value: unknown): value is Workload {
  if (typeof value !== 'object' || value === null) return false
  const { name, next, final, check } = value as Partial<Workload>
  return typeof name === 'string' && [next, final, check].every((each) => typeof each === 'function')
}
