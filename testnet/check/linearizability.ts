// Is a history of calls to one list linearizable? Every answer says at which length of the list it was given, so no search
// is needed: there is one candidate for the order, and it is checked.
//
//  1. Answers agree on what is at each place, and nothing is twice in one life.
//  2. What was answered before another call began comes before it: a read sees it, an append follows it.
//  3. An append without an answer may have happened at any time after it began, or never. Where somebody saw it, it counts.
//  4. Nothing is seen that nobody had begun to append; places that nobody saw are filled by appends without an answer,
//     each begun before anybody saw a later place.

/** `life` tells lists of one name apart: a later one is empty again. */
export interface Place {
  readonly life: number
  /** The list's length: after an append, or as a read found it. */
  readonly size: number
}

export type ListOperation =
  | {
      readonly kind: 'append'
      readonly value: string
      readonly start: number
      /** Both missing where there was no answer. */
      readonly end?: number
      readonly place?: Place
    }
  | {
      readonly kind: 'read'
      readonly what: string
      readonly start: number
      readonly end: number
      readonly place: Place
      /** The whole list, where it was told. */
      readonly values?: readonly string[]
    }

interface Placed {
  readonly kind: 'append' | 'read'
  readonly who: string
  readonly start: number
  readonly end: number
  readonly place: Place
}

export interface Checked {
  readonly wrong: readonly string[]
  /** What is known of each life's list; places that nobody saw are holes. */
  readonly lists: ReadonlyMap<number, readonly string[]>
}

/** `complete`: every append of the history is among the operations (without that rule 4 can't be checked). */
export function checkList(operations: readonly ListOperation[], complete = true): Checked {
  const wrong: string[] = []
  const lists = listsOf(operations, wrong)
  const seenAt = placesOf(lists, wrong)
  const placed = operations.flatMap((operation) => placedOf(operation, seenAt))
  checkOrder(placed, wrong)
  if (complete) checkBegun(operations, seenAt, placed, lists, wrong)
  return { wrong, lists }
}

function listsOf(operations: readonly ListOperation[], wrong: string[]): Map<number, string[]> {
  const lists = new Map<number, string[]>()
  const claim = (life: number, position: number, value: string, who: string): void => {
    const list = lists.get(life) ?? []
    lists.set(life, list)
    const known = list[position]
    if (known === undefined) list[position] = value
    else if (known !== value) wrong.push(`${who} has ${value} at ${life}/${position}, there is ${known}`)
  }
  for (const operation of operations) {
    if (operation.place === undefined) continue
    const { life, size } = operation.place
    if (operation.kind === 'append')
      claim(life, size - 1, operation.value, `the append of ${operation.value}`)
    else operation.values?.forEach((value, at) => void claim(life, at, value, operation.what))
  }
  return lists
}

function placesOf(lists: ReadonlyMap<number, readonly string[]>, wrong: string[]): Map<string, Place> {
  const seenAt = new Map<string, Place>()
  for (const [life, list] of lists)
    list.forEach((value, at) => {
      const before = seenAt.get(value)
      if (before?.life === life)
        wrong.push(`${value} was applied twice: ${life}/${before.size} and ${at + 1}`)
      if (!before) seenAt.set(value, { life, size: at + 1 })
    })
  return seenAt
}

/** Rule 4. */
function checkBegun(
  operations: readonly ListOperation[],
  seenAt: ReadonlyMap<string, Place>,
  placed: readonly Placed[],
  lists: ReadonlyMap<number, readonly string[]>,
  wrong: string[],
): void {
  const begun = new Set(operations.flatMap((each) => (each.kind === 'append' ? [each.value] : [])))
  for (const [value, { life, size }] of seenAt)
    if (!begun.has(value)) wrong.push(`${value} is at ${life}/${size}, and nobody appended it`)
  const spare = operations
    .filter((each) => each.kind === 'append' && each.place === undefined && !seenAt.has(each.value))
    .map(({ start }) => start)
  const needed = new Map<number, number>()
  for (const { place } of placed) needed.set(place.life, Math.max(place.size, needed.get(place.life) ?? 0))
  const deadlines = [...needed].flatMap(([life, size]) =>
    Array.from({ length: size }, (_, at) => at)
      .filter((at) => lists.get(life)?.[at] === undefined)
      .map((at) =>
        Math.min(
          ...placed.filter(({ place }) => compare(place, { life, size: at + 1 }) >= 0).map(({ end }) => end),
        ),
      ),
  )
  deadlines
    .toSorted((a, b) => a - b)
    .forEach((deadline, filled) => {
      if (spare.filter((start) => start <= deadline).length <= filled)
        wrong.push(`by ${deadline.toFixed(0)} somebody saw a place that no append can have filled`)
    })
}

function placedOf(operation: ListOperation, seenAt: ReadonlyMap<string, Place>): Placed[] {
  const { kind, start } = operation
  const who = kind === 'append' ? operation.value : operation.what
  const place = operation.place ?? (kind === 'append' ? seenAt.get(operation.value) : undefined)
  return place ? [{ kind, who, start, end: operation.end ?? Number.POSITIVE_INFINITY, place }] : []
}

/** Rule 2, in one sweep: the furthest place seen by what had ended when an operation began. */
function checkOrder(placed: readonly Placed[], wrong: string[]): void {
  const byEnd = placed.toSorted((a, b) => a.end - b.end)
  let next = 0
  let furthest: Placed | undefined
  for (const operation of placed.toSorted((a, b) => a.start - b.start)) {
    for (; next < byEnd.length && byEnd[next]!.end < operation.start; next++)
      if (!furthest || compare(byEnd[next]!.place, furthest.place) > 0) furthest = byEnd[next]!
    if (!furthest) continue
    const order = compare(operation.place, furthest.place)
    if (order > 0 || (order === 0 && operation.kind === 'read')) continue
    wrong.push(
      `${text(operation)} is at ${operation.place.life}/${operation.place.size}, after ${text(furthest)} had seen ${furthest.place.life}/${furthest.place.size}`,
    )
  }
}

const compare = (a: Place, b: Place): number => a.life - b.life || a.size - b.size
const text = ({ who, start, end }: Placed): string => `${who} (${start.toFixed(0)} to ${end.toFixed(0)})`
