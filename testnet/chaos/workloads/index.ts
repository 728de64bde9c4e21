// The workloads that `mesh chaos` knows by name.

import type { Draw, Workload } from '../workload.ts'
import { bank } from './bank.ts'
import { checkLists } from './lists.ts'

/** Actors per workload: few enough that clients meet, enough that every peer hosts some. */
const ACTORS = 8

const names = (prefix: string): readonly string[] =>
  Array.from({ length: ACTORS }, (_, i) => `${prefix}-${i}`)
const pick = ({ random }: Draw, from: readonly string[]): string => from[Math.floor(random() * from.length)]!

const lists = names('list')
const append: Workload = {
  name: 'append',
  next: (draw) => {
    const name = pick(draw, lists)
    return draw.random() < 0.9
      ? { type: 'ChaosList', name, method: 'append', args: [draw.id] }
      : { type: 'ChaosList', name, method: 'read', args: [] }
  },
  final: () => lists.map((name) => ({ type: 'ChaosList', name, method: 'read', args: [] })),
  check: (history) =>
    checkLists(
      history.filter(({ type }) => type === 'ChaosList'),
      ({ method, id }) => (method === 'append' ? id : undefined),
      ({ method, id, result }) => {
        if (method === 'append') return { size: result as number, appended: id }
        const values = result as readonly string[]
        return { size: values.length, values }
      },
    ),
}

const counters = names('counter')
const counter: Workload = {
  name: 'counter',
  next: (draw) => {
    const name = pick(draw, counters)
    return { type: 'ChaosCounter', name, method: draw.random() < 0.8 ? 'increment' : 'read', args: [] }
  },
  final: () => counters.map((name) => ({ type: 'ChaosCounter', name, method: 'read', args: [] })),
  check: (history) =>
    checkLists(
      history.filter(({ type }) => type === 'ChaosCounter'),
      ({ method, id }) => (method === 'increment' ? id : undefined),
      ({ method, id, result }) => ({
        size: result as number,
        ...(method === 'increment' && { appended: id }),
      }),
    ),
}

const keys = names('key')
interface Versioned {
  readonly version: number
  readonly value?: string
  readonly done?: boolean
}
/** `put` answers with the version alone. */
const versionOf = (result: unknown): Versioned =>
  typeof result === 'number' ? { version: result } : ((result ?? { version: 0 }) as Versioned)

const kv: Workload = {
  name: 'kv',
  next: (draw) => {
    const name = pick(draw, keys)
    const kind = draw.random()
    if (kind < 0.4) return { type: 'ChaosRegister', name, method: 'get', args: [] }
    if (kind < 0.7) return { type: 'ChaosRegister', name, method: 'put', args: [draw.id] }
    // Over what this client saw last: done where nobody wrote meanwhile.
    const { version } = versionOf(draw.seen('ChaosRegister', name))
    return { type: 'ChaosRegister', name, method: 'compareAndSet', args: [version, draw.id] }
  },
  final: () => keys.map((name) => ({ type: 'ChaosRegister', name, method: 'get', args: [] })),
  check: (history) =>
    checkLists(
      history.filter(({ type }) => type === 'ChaosRegister'),
      ({ method, id }) => (method === 'get' ? undefined : id),
      ({ method, id, result }) => {
        const { version, value, done } = versionOf(result)
        if (method === 'put' || done) return { size: version, appended: id }
        return { size: version, ...(value && { values: lastOf(version, value) }) }
      },
    ),
}

/** A list of which only the last value is known. */
function lastOf(size: number, value: string): readonly string[] {
  const values: string[] = []
  values[size - 1] = value
  return values
}

export const workloads: readonly Workload[] = [counter, append, kv, bank]
