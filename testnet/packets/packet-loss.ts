// Real packet loss: the kernel drops at random, and TCP has to send again. Which packets is up to the kernel; no seed decides it.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { canLosePackets, OUTSIDE_VARIABLE, withSystemPath } from './netns.ts'
import { ADD_HOOK, addRule, removeRule, SHOW_HOOKS, type Ways } from './rule.ts'

/** Of all of the namespace, since it began. */
export interface PacketCounts {
  readonly lost: number
  /** Segments that TCP sent again, and how many of them had arrived before: it also probes when an answer is late. */
  readonly retransmitted: number
  readonly spurious: number
}

interface Hook {
  readonly kind: string
  readonly drops?: number
}

/** The rules of one testnet, one for each direction that loses packets. */
export class PacketLoss {
  readonly #rules = new Map<string, Ways>()

  /** From now on a share of a direction's packets is lost, 0 to 1. */
  set(direction: string, ways: Ways, loss: number): void {
    if (!(loss >= 0 && loss <= 1)) throw new RangeError(`a loss of ${loss} is not a share from 0 to 1`)
    const before = this.#rules.get(direction)
    if (before !== undefined && (loss === 0 || before.there !== ways.there)) {
      tc(removeRule(before))
      this.#rules.delete(direction)
    }
    if (loss === 0) return
    if (!canLosePackets())
      throw new Error(
        `packets are lost only in a network namespace of the testnet's own: run it under \`unshare --net\` with ${OUTSIDE_VARIABLE} (docs/testing.md)`,
      )
    if (hook() === undefined) tc(ADD_HOOK)
    tc(addRule(ways, loss))
    this.#rules.set(direction, ways)
  }

  end(): void {
    for (const ways of this.#rules.values()) tc(removeRule(ways))
    this.#rules.clear()
  }
}

/** Where {@link canLosePackets}. */
export function packetCounts(): PacketCounts {
  return {
    lost: hook()?.drops ?? 0,
    retransmitted: counter('/proc/net/snmp', 'Tcp:', 'RetransSegs'),
    spurious: counter('/proc/net/netstat', 'TcpExt:', 'TCPDSACKRecvSegs'),
  }
}

/** Each group of counters is a line of names and a line of values. */
function counter(file: string, group: string, name: string): number {
  const [names, values] = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith(group))
    .map((line) => line.split(' '))
  return Number(values?.[names?.indexOf(name) ?? -1])
}

const tc = (args: readonly string[]): string =>
  execFileSync('tc', args, { encoding: 'utf8', env: withSystemPath(process.env), stdio: 'pipe' })

const hook = (): Hook | undefined =>
  (JSON.parse(tc(SHOW_HOOKS)) as readonly Hook[]).find(({ kind }) => kind === 'clsact')
