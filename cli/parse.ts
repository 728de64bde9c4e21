// Values of the command line, checked where they enter. Each parser throws a UsageError that shows what is expected.

import { isAmount, MAX_AMOUNT } from '../mesh/resources.ts'
import { UsageError } from './errors.ts'

/** `zone=a,disk=ssd` → labels. */
export function parseLabels(text: string): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {}
  for (const part of text.split(',').filter((each) => each.trim() !== '')) {
    const at = part.indexOf('=')
    const key = part.slice(0, at).trim()
    if (at < 1 || key === '')
      throw new UsageError(`--labels: "${part}" is not name=value; write for example zone=a,disk=ssd`)
    if (Object.hasOwn(labels, key)) throw new UsageError(`--labels: "${key}" is given twice`)
    labels[key] = part.slice(at + 1).trim()
  }
  return labels
}

/** `gpu=2,slots=10` → amounts. */
export function parseResources(text: string): Readonly<Record<string, number>> {
  const resources: Record<string, number> = {}
  for (const part of text.split(',').filter((each) => each.trim() !== '')) {
    const match = /^\s*([^\s=]+)\s*=\s*(\d+(?:\.\d+)?)\s*$/.exec(part)
    const amount = Number(match?.[2])
    if (!match || !isAmount(amount))
      throw new UsageError(
        `--resources: "${part}" is not name=amount; write for example gpu=2,slots=10, amounts up to ${MAX_AMOUNT} in steps of 0.001`,
      )
    const name = match[1]!
    if (Object.hasOwn(resources, name)) throw new UsageError(`--resources: "${name}" is given twice`)
    resources[name] = amount
  }
  return resources
}

/** A multiaddress as it is, or `host:port` (`[::1]:4001` for IPv6). The port of a peer to join cannot be 0. */
export function parseAddress(text: string, flag: '--listen' | '--join'): string {
  if (text.startsWith('/')) {
    if (/^\/(ip4|ip6|dns|dns4|dns6|dnsaddr)\/[^/]+\/tcp\/\d+(\/|$)/.test(text)) return text
    throw new UsageError(
      `${flag}: "${text}" is not a TCP multiaddress; write /ip4/192.0.2.7/tcp/4001 or 192.0.2.7:4001`,
    )
  }
  const match = /^(\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+):(\d{1,5})$/.exec(text)
  const port = Number(match?.[2])
  if (!match || port > 65_535)
    throw new UsageError(`${flag}: "${text}" is not host:port; write for example 192.0.2.7:4001`)
  if (port === 0 && flag === '--join')
    throw new UsageError(`--join: "${text}" needs the port the peer listens on`)
  return text
}

/** `<type>/<name>`; the name may contain further slashes. */
export function parseActor(text: string): { readonly type: string; readonly name: string } {
  const at = text.indexOf('/')
  if (at < 1 || at === text.length - 1)
    throw new UsageError(`"${text}" is not an actor; write <type>/<name>, for example Counter/visits`)
  return { type: text.slice(0, at), name: text.slice(at + 1) }
}

/** JSON; a bare word that neither is JSON nor starts like it is a string, so that names need no second quotes. */
export function parseArgument(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    if (/^\s*[{["]/.test(text) || text.trim() === '')
      throw new UsageError(
        `argument ${JSON.stringify(text)} is not valid JSON; quote it for the shell, for example '{"n": 1}'`,
      )
    return text
  }
}

const UNITS: Readonly<Record<string, number>> = { '': 1, ms: 1, s: 1000, m: 60_000 }

/** `1500`, `1500ms`, `5s`, `2m` → milliseconds. */
export function parseDuration(text: string, flag: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text)
  const ms = Number(match?.[1]) * (UNITS[match?.[2] ?? ''] ?? Number.NaN)
  if (!match || !(ms > 0) || ms > 2 ** 31 - 1)
    throw new UsageError(`${flag}: "${text}" is not a duration; write for example 500ms, 5s or 2m`)
  return ms
}

export function parseCount(text: string, flag: string, min: number, max: number): number {
  const n = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!(n >= min && n <= max))
    throw new UsageError(`${flag}: "${text}" is not a whole number from ${min} to ${max}`)
  return n
}

/** `a,b,c`, each one of these. */
export function parseNames<Name extends string>(
  text: string,
  flag: string,
  known: readonly Name[],
): readonly Name[] {
  const wanted = text.split(',').map((each) => each.trim())
  return wanted.map((each) => {
    const found = known.find((name) => name === each)
    if (found === undefined) throw new UsageError(`${flag}: "${each}" is none of ${known.join(', ')}`)
    return found
  })
}

/** `3` or `peer-3` → the peer's number in a testnet. */
export function parsePeer(text: string): number {
  const match = /^(?:peer-)?(\d{1,4})$/.exec(text)
  if (!match) throw new UsageError(`"${text}" is not a peer of a testnet; write its number, for example 3`)
  return Number(match[1])
}
