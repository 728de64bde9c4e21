// What the trials share: ledgers that know which call was applied, the state in which a fault is fair, and figures.

import type { Testnet } from '../../testnet/testnet.ts'
import { answering, type PeerView, survivesHeadAndOther } from '../../testnet/view.ts'

/** How one trial is run; `say` tells what is going on, for people. */
export interface Trial {
  readonly times: number
  readonly peers: number
  readonly minutes: number
  /** Of chaos: the first seed, runs at a time, clients per peer, and milliseconds between two operations of a client. */
  readonly first: number
  readonly parallel: number
  readonly clients: number
  readonly pace: number
  readonly say: (line: string) => void
  readonly teardown: (end: () => Promise<void>) => void
}

/** `ok` decides the exit code; the rest is for the reader. */
export interface Outcome {
  readonly ok: boolean
  readonly [figure: string]: unknown
}

export const NAMES: readonly string[] = Array.from({ length: 12 }, (_, i) => `ledger-${i}`)

export const running = (net: Testnet): readonly number[] =>
  net.peers.filter((peer) => peer.state.kind === 'running').map((peer) => peer.index)

/** Adds one token to every ledger through the running peers in turn. */
export async function addToAll(net: Testnet, token: string, names: readonly string[] = NAMES): Promise<void> {
  const through = running(net)
  await Promise.all(
    names.map((name, i) => net.call(through[i % through.length] as number, 'Ledger', name, 'add', [token])),
  )
}

/** What is wrong with the ledgers: an acknowledged token missing, doubled, or out of order. */
export async function mistakes(net: Testnet, tokens: readonly string[]): Promise<readonly string[]> {
  const [through] = running(net)
  const wrong: string[] = []
  for (const name of NAMES) {
    const held = await net.call(through as number, 'Ledger', name, 'tokens')
    if (JSON.stringify(held) !== JSON.stringify(tokens))
      wrong.push(`${name} holds ${JSON.stringify(held)} instead of ${JSON.stringify(tokens)}`)
  }
  return wrong
}

/** Before that the mesh does not promise to survive the loss of two peers at once. */
export const survivesBoth = (views: readonly PeerView[]): boolean =>
  answering(views).every(({ seen }) => survivesHeadAndOther(seen))

export const round = (value: number, digits = 0): number => Number(value.toFixed(digits))

export function spread(values: readonly number[]): { p50: number; max: number; n: number } {
  const sorted = [...values].sort((a, b) => a - b)
  return {
    p50: round(sorted[Math.floor((sorted.length - 1) / 2)] ?? 0),
    max: round(sorted.at(-1) ?? 0),
    n: sorted.length,
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
