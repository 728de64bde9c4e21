// A network namespace of a program's own, in which packets may be lost.
//
//  N1 The machine's own network is never touched: a rule is set only where this process is in another namespace than the one
//     that it was started from, and where nothing but the loopback is up.
//  N2 Nothing is left: a namespace goes with its last process, and its rules with it.

import { spawnSync } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { ADD_HOOK, addRule } from './rule.ts'

/** Names the namespace outside to a program inside of another. */
export const OUTSIDE_VARIABLE = 'MESH_NETNS_OUTSIDE'

/** Runs a program to its end: undefined, or in words why that failed. */
export type TryOut = (program: string, args: readonly string[]) => string | undefined

/** `tc` and `ip` are in places that only root looks at, but anyone may use them. */
export const withSystemPath = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...env,
  PATH: `${env['PATH'] ?? ''}:/usr/sbin:/sbin`,
})

const PACKAGES = { unshare: 'util-linux', ip: 'iproute2', tc: 'iproute2' } as const
const UP_AND_RUN = 'ip link set lo up && exec "$@"'
const quoted = (args: readonly string[]): string => args.map((arg) => `'${arg}'`).join(' ')
const DROP_SOMETHING = `tc ${quoted(ADD_HOOK)} && tc ${quoted(addRule({ there: 9, back: 9 }, 1))}`

/** What to put before a program for it to run in a namespace of its own; or in words what is missing here. */
export function netnsCommand(
  tryOut: TryOut = reallyTry,
  platform: string = process.platform,
): { readonly command: readonly string[] } | { readonly missing: string } {
  if (platform !== 'linux') return { missing: `network namespaces are Linux's, and this is ${platform}` }
  for (const [program, from] of Object.entries(PACKAGES)) {
    const wrong = tryOut(program, ['-V'])
    if (wrong !== undefined) return { missing: `${program} does not run (package ${from}): ${wrong}` }
  }
  const refused: string[] = []
  for (const flags of [['--net'], ['--user', '--map-root-user', '--net']]) {
    const wrong = tryOut('unshare', [...flags, 'true'])
    if (wrong !== undefined) {
      refused.push(wrong)
      continue
    }
    const command = ['unshare', ...flags, 'sh', '-c', UP_AND_RUN, 'sh']
    const unable = tryOut(command[0]!, [...command.slice(1), 'sh', '-c', DROP_SOMETHING])
    if (unable === undefined) return { command }
    return { missing: `the kernel needs CONFIG_NET_SCH_INGRESS and CONFIG_NET_CLS_BPF: ${unable}` }
  }
  return { missing: `neither root nor a user may make a network namespace here: ${refused.join('; ')}` }
}

/** The environment of a program behind {@link netnsCommand}. */
export const netnsEnvironment = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...withSystemPath(env),
  [OUTSIDE_VARIABLE]: ownNamespace(),
})

const ownNamespace = (): string => readlinkSync('/proc/self/ns/net')

/** This process is in a network namespace of its own, where the kernel may be told to lose packets (N1). */
export function canLosePackets(): boolean {
  const outside = process.env[OUTSIDE_VARIABLE]
  if (outside === undefined || process.platform !== 'linux' || ownNamespace() === outside) return false
  return Object.values(networkInterfaces()).every((addresses) => addresses?.every(({ internal }) => internal))
}

function reallyTry(program: string, args: readonly string[]): string | undefined {
  const { error, status, stderr } = spawnSync(program, args, {
    env: withSystemPath(process.env),
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  if (error !== undefined) return error.message
  return status === 0 ? undefined : stderr.trim().replace(/\s*\n\s*/g, ' ') || `it ended with ${status}`
}
