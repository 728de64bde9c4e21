// The head and the host of an actor are killed at the same moment, again and again on one mesh; both come back between.

import { createTestnet, type Testnet } from '../../testnet/testnet.ts'
import { addToAll, mistakes, NAMES, type Outcome, round, spread, survivesBoth, type Trial } from './trial.ts'

interface Round {
  /** Until the mesh could survive the loss of both: registry and journals on enough peers. */
  readonly readyMs: number
  /** From the kill until the first survivor held either for lost. */
  readonly detectedMs: number
  /** From the kill until the next call of the host's actor was acknowledged, and until that of every actor was. */
  readonly answeredMs: number
  readonly allAnsweredMs: number
  readonly error?: string
}

export async function headAndHost({ times, peers, say, teardown }: Trial): Promise<Outcome> {
  let onLost = (): void => {}
  const net = await createTestnet(peers, {
    teardown,
    onEvent: (_, { event }) => {
      if (event === 'peer:lost') onLost()
    },
  })
  const tokens: string[] = []
  const rounds: Round[] = []
  for (let i = 0; i < times; i += 1) {
    const done = await killBoth(net, tokens, `round-${i}`, (listener) => {
      onLost = listener
    })
    rounds.push(done)
    say(
      done.error === undefined
        ? `${i + 1}/${times}: detected ${done.detectedMs} ms, answered ${done.answeredMs} ms, all ${done.allAnsweredMs} ms (ready after ${done.readyMs} ms)`
        : `${i + 1}/${times}: FAILED: ${done.error}`,
    )
    if (done.error !== undefined) break
  }
  const good = rounds.filter(({ error }) => error === undefined)
  return {
    ok: good.length === times,
    times,
    recovered: good.length,
    readyMs: spread(good.map(({ readyMs }) => readyMs)),
    detectedMs: spread(good.map(({ detectedMs }) => detectedMs)),
    answeredMs: spread(good.map(({ answeredMs }) => answeredMs)),
    allAnsweredMs: spread(good.map(({ allAnsweredMs }) => allAnsweredMs)),
    errors: rounds.flatMap(({ error }) => error ?? []),
  }
}

async function killBoth(
  net: Testnet,
  tokens: string[],
  token: string,
  listen: (onLost: () => void) => void,
): Promise<Round> {
  const since = performance.now()
  const figures = { readyMs: 0, detectedMs: 0, answeredMs: 0, allAnsweredMs: 0 }
  try {
    tokens.push(`${token}-before`)
    await addToAll(net, `${token}-before`)
    const views = await net.waitUntil('host and head may be lost together', survivesBoth, 60_000)
    figures.readyMs = round(performance.now() - since)
    const head = net.headOf(views)
    const name = NAMES.find((each) => net.hostOf(views, 'Ledger', each) !== head)
    if (name === undefined) throw new Error('the head hosts every actor')
    const host = net.hostOf(views, 'Ledger', name)

    const others = NAMES.filter((each) => each !== name)

    const killedAt = performance.now()
    const after = (): number => round(performance.now() - killedAt)
    listen(() => {
      figures.detectedMs ||= after()
    })
    await Promise.all([net.kill(head), net.kill(host)])
    tokens.push(`${token}-after`)
    await Promise.all([
      addToAll(net, `${token}-after`, [name]).then(() => {
        figures.answeredMs = after()
      }),
      addToAll(net, `${token}-after`, others),
    ])
    figures.allAnsweredMs = after()
    await Promise.all([net.start(head), net.start(host)])
    await net.settled(60_000)
    const wrong = await mistakes(net, tokens)
    if (wrong.length > 0) throw new Error(wrong.join('\n'))
    return figures
  } catch (error) {
    const views = await net.waitUntil('', () => false, 0).catch((dump: Error) => dump.message)
    return { ...figures, error: `${(error as Error).message}\n${views}` }
  }
}
