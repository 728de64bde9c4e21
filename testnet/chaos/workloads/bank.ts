// The bank: accounts that send each other money, and auditors that look at them all while it is on its way. Each account keeps
// a book, which is a list, so each is judged as a list; what is between them has rules of its own.
//
//  M1 A balance is the sum of the book up to where it was seen, and never negative.
//  M2 What came was sent: whoever looks at the sender after the money was seen at its receiver sees that it went.
//  M3 In the end everything that went has come, once, and the money is what it was at the beginning.

import { checkList, type ListOperation } from '../../check/linearizability.ts'
import type { Draw, Operation, Problem, Recorded, Workload } from '../workload.ts'
import { type Audited, type Balance, type BookEntry, OPENING_BALANCE } from './actors.ts'
import { promiseOf } from './lists.ts'

const ACCOUNTS = Array.from({ length: 8 }, (_, i) => `account-${i}`)
const AUDITORS = ['auditor-0', 'auditor-1']
/** So much that accounts are empty now and then. */
const MOST_SENT = 60

interface Book extends Balance {
  readonly entries: readonly BookEntry[]
}

/** Somebody saw, or made, the first `size` entries of an account's book. */
interface Look extends Balance {
  readonly account: string
  readonly who: string
  readonly start: number
  readonly end: number
}

/** Where a transfer is in the two books; counted from 1, missing where it is not. */
interface Moved {
  readonly id: string
  readonly from: string
  readonly to: string
  readonly wentAt?: number
  readonly cameAt?: number
}

export const bank: Workload = {
  name: 'bank',
  next,
  final: () => ACCOUNTS.map((name) => ({ type: 'ChaosAccount', name, method: 'book', args: [] })),
  rested: (ends) => {
    const books = booksOf(ends)
    const moves = movesOf(books)
    return books.size === ACCOUNTS.length && moves.every(({ wentAt, cameAt }) => wentAt && cameAt)
  },
  check: (history, over) => {
    const ours = history.filter(({ type }) => type === 'ChaosAccount' || type === 'ChaosAuditor')
    const books = booksOf(ours)
    const moves = movesOf(books)
    const looks = ours.flatMap(looksOf)
    return [
      ...checkBooks(ours),
      ...checkBalances(looks, books),
      ...checkSent(looks, moves),
      ...checkAudits(ours, moves),
      ...(over ? checkEnd(books, moves) : []),
    ]
  },
}

function next(draw: Draw): Operation {
  const pick = (from: readonly string[]): string => from[Math.floor(draw.random() * from.length)]!
  const kind = draw.random()
  if (kind < 0.06) {
    const begin = Math.floor(draw.random() * ACCOUNTS.length)
    const names = [...ACCOUNTS.slice(begin), ...ACCOUNTS.slice(0, begin)]
    return { type: 'ChaosAuditor', name: pick(AUDITORS), method: 'audit', args: [names] }
  }
  const name = pick(ACCOUNTS)
  if (kind < 0.08) return { type: 'ChaosAccount', name, method: 'book', args: [] }
  if (kind < 0.2) return { type: 'ChaosAccount', name, method: 'look', args: [] }
  const other = pick(ACCOUNTS.filter((each) => each !== name))
  const amount = 1 + Math.floor(draw.random() * MOST_SENT)
  return { type: 'ChaosAccount', name, method: 'transfer', args: [draw.id, other, amount] }
}

const answered = ({ outcome, end }: Recorded): boolean => outcome === 'ok' && end !== undefined

/** The longest of each account: as nothing is ever taken out of one, the last. */
function booksOf(history: readonly Recorded[]): ReadonlyMap<string, Book> {
  const books = new Map<string, Book>()
  for (const operation of history) {
    if (operation.method !== 'book' || !answered(operation)) continue
    const book = operation.result as Book
    if (book.size >= (books.get(operation.name)?.size ?? 0)) books.set(operation.name, book)
  }
  return books
}

/** Where a book has a transfer twice, its first place; that it is there twice is found by {@link checkBooks}. */
function movesOf(books: ReadonlyMap<string, Book>): readonly Moved[] {
  const moves = new Map<string, Moved>()
  for (const [account, { entries }] of books)
    for (const [i, { id, other, amount }] of entries.entries()) {
      const at = i + 1
      const [from, to] = amount < 0 ? [account, other] : [other, account]
      const key = `${id} ${from} ${to} ${Math.abs(amount)}`
      moves.set(key, { id, from, to, ...(amount < 0 ? { wentAt: at } : { cameAt: at }), ...moves.get(key) })
    }
  return [...moves.values()]
}

function looksOf(operation: Recorded): readonly Look[] {
  const { name, id, start, end, result } = operation
  if (!answered(operation)) return []
  const seen =
    operation.method === 'audit' ? (result as readonly Audited[]) : [{ ...(result as Balance), name }]
  return seen.map(({ name: account, size, balance }) => ({
    account,
    size,
    balance,
    who: id,
    start,
    end: end!,
  }))
}

/** Each book is a list to which a transfer appends here, and its deposit there, at some time after it began. */
function checkBooks(history: readonly Recorded[]): readonly Problem[] {
  const lists = new Map(ACCOUNTS.map((name) => [name, [] as ListOperation[]]))
  const add = (name: string, operation: ListOperation): void => void lists.get(name)?.push(operation)
  for (const operation of history) {
    const { id, name, method, args, start, end, outcome, result } = operation
    const done = outcome === 'ok' ? (result as { readonly done?: boolean }).done : outcome === 'unknown'
    if (method === 'transfer' && done) {
      const place = answered(operation) ? { place: placeOf(result as Balance), end: end! } : {}
      add(name, { kind: 'append', value: `${id} went`, start, ...place })
      add(args[1] as string, { kind: 'append', value: `${id} came`, start })
    } else if (method === 'book' && answered(operation)) {
      const { entries, ...balance } = result as Book
      const values = entries.map((entry) => `${entry.id} ${entry.amount < 0 ? 'went' : 'came'}`)
      add(name, { kind: 'read', what: id, start, end: end!, place: placeOf(balance), values })
    } else
      for (const look of looksOf(operation))
        add(look.account, { kind: 'read', what: id, start, end: look.end, place: placeOf(look) })
  }
  return [...lists].flatMap(([name, operations]) =>
    checkList(operations).wrong.map(
      (text): Problem => ({ promise: promiseOf(text), text: `ChaosAccount/${name}: ${text}` }),
    ),
  )
}

const placeOf = ({ size }: Balance) => ({ life: 0, size })

/** M1. */
function checkBalances(looks: readonly Look[], books: ReadonlyMap<string, Book>): readonly Problem[] {
  const sums = new Map([...books].map(([account, { entries }]) => [account, runningSums(entries)]))
  return looks.flatMap(({ account, who, size, balance }): Problem[] => {
    const sum = sums.get(account)?.[size]
    const wrong = balance < 0 || (sum !== undefined && sum !== balance)
    if (!wrong) return []
    const text = `${who} saw ${balance} in ${account} at ${size}, where its book says ${sum ?? 'nothing'}`
    return [{ promise: 'conserved', text }]
  })
}

function runningSums(entries: readonly BookEntry[]): readonly number[] {
  const sums = [OPENING_BALANCE]
  for (const { amount } of entries) sums.push(sums.at(-1)! + amount)
  return sums
}

/** M2, between any two answers. */
function checkSent(looks: readonly Look[], moves: readonly Moved[]): readonly Problem[] {
  const bounds = new Map(
    ACCOUNTS.map((name) => [name, boundsOf(looks.filter(({ account }) => account === name))]),
  )
  return moves.flatMap(({ id, from, to, wentAt, cameAt }): Problem[] => {
    if (cameAt === undefined) return []
    const seen = bounds.get(to)?.earliestWith(cameAt)
    const missed = bounds.get(from)?.latestWithout(wentAt ?? Number.POSITIVE_INFINITY)
    if (seen === undefined || missed === undefined || missed.start <= seen.end) return []
    return [leaked(id, seen.who, to, missed.who, from)]
  })
}

const leaked = (id: string, seenBy: string, to: string, missedBy: string, from: string): Problem => ({
  promise: 'conserved',
  text: `${seenBy} saw the money of ${id} in ${to}, and ${missedBy}, later, that it had not left ${from}`,
})

interface Bounds {
  /** Of the looks that saw this entry, the one that ended first. */
  earliestWith(entry: number): Look | undefined
  /** Of those that did not see it, the one that began last. */
  latestWithout(entry: number): Look | undefined
}

function boundsOf(looks: readonly Look[]): Bounds {
  const bySize = looks.toSorted((a, b) => a.size - b.size)
  const latest: Look[] = []
  for (const look of bySize) {
    const before = latest.at(-1)
    latest.push(before && before.start > look.start ? before : look)
  }
  const earliest: Look[] = []
  for (const look of bySize.toReversed()) {
    const before = earliest.at(-1)
    earliest.push(before && before.end < look.end ? before : look)
  }
  earliest.reverse()
  /** How many looks saw less than this entry. */
  const without = (entry: number): number => {
    let [low, high] = [0, bySize.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (bySize[middle]!.size < entry) low = middle + 1
      else high = middle
    }
    return low
  }
  return {
    earliestWith: (entry) => earliest[without(entry)],
    latestWithout: (entry) => latest[without(entry) - 1],
  }
}

/** M2, within an audit: it looks at one account after the other. */
function checkAudits(history: readonly Recorded[], moves: readonly Moved[]): readonly Problem[] {
  return history.flatMap((operation) => {
    if (operation.method !== 'audit' || !answered(operation)) return []
    const seen = new Map(
      (operation.result as readonly Audited[]).map((look, at) => [look.name, { ...look, at }]),
    )
    return moves.flatMap(({ id, from, to, wentAt, cameAt }): Problem[] => {
      const [source, target] = [seen.get(from), seen.get(to)]
      if (!source || !target || source.at < target.at || cameAt === undefined) return []
      const came = cameAt <= target.size
      const went = wentAt !== undefined && wentAt <= source.size
      return came && !went ? [leaked(id, operation.id, to, 'the same', from)] : []
    })
  })
}

/** M3. Accounts that could not be read are told elsewhere, and nothing is known about what they have. */
function checkEnd(books: ReadonlyMap<string, Book>, moves: readonly Moved[]): readonly Problem[] {
  const known = ({ from, to }: Moved): boolean => books.has(from) && books.has(to)
  const open = moves.filter(known).flatMap(({ id, from, to, wentAt, cameAt }): Problem[] => {
    if (cameAt === undefined) return [{ promise: 'lost', text: `${id} left ${from} and never came to ${to}` }]
    if (wentAt === undefined)
      return [{ promise: 'conserved', text: `${id} came to ${to} and never left ${from}` }]
    return []
  })
  const money = [...books.values()].reduce((sum, { balance }) => sum + balance, 0)
  const opened = books.size * OPENING_BALANCE
  if (books.size < ACCOUNTS.length || money === opened) return open
  return [...open, { promise: 'conserved', text: `${opened} in all accounts at first, ${money} at last` }]
}
