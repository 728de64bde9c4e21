// Erlang/OTP: three nodes on this machine with an epmd of their own; a client calls gen_servers of another node.

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Bench } from '../harness/case.ts'
import type { Plan } from '../harness/drive.ts'
import type { Measured } from '../harness/statistics.ts'
import { Foreign, freePort, versionOf } from './foreign.ts'

const SOURCE = fileURLToPath(new URL('./erlang/echo.erl', import.meta.url))
export const ERLANG_HOW = 'Debian: apt-get install erlang-base'

export interface Erlang {
  readonly version: string
  calls(plan: Plan, servers: number): Promise<Measured>
  /** Kills the server's node; its counter starts from its file on another node. The server is gone afterwards. */
  restart(): Promise<Measured>
}

export async function startErlang(bench: Bench): Promise<Erlang | undefined> {
  if (
    versionOf('erlc', ['-help']) === undefined &&
    versionOf('erl', ['-noshell', '-eval', 'halt().']) === undefined
  )
    return undefined
  const directory = bench.directory()
  execFileSync('erlc', ['-o', directory, SOURCE])
  const port = `${await freePort()}`
  const file = join(directory, 'kept')
  const node = (name: string): string => `actor_mesh_${name}_${process.pid}@127.0.0.1`
  const env = {
    ERL_EPMD_PORT: port,
    ERL_EPMD_ADDRESS: '127.0.0.1',
    HOME: directory,
    KEPT_FILE: file,
    SERVER_NODE: node('server'),
    STANDBY_NODE: node('standby'),
  }
  Foreign.start(bench, 'epmd', ['-port', port, '-address', '127.0.0.1'], env)
  const start = (role: 'server' | 'standby' | 'client'): Foreign =>
    Foreign.start(
      bench,
      'erl',
      [
        ...['-noinput', '-name', node(role), '-setcookie', `bench${process.pid}`, '-pa', directory],
        ...['-kernel', 'inet_dist_use_interface', '{127,0,0,1}', '-s', 'echo', role],
      ],
      env,
    )
  const server = start('server')
  await server.answer()
  await start('standby').answer()
  const client = Foreign.start(
    bench,
    'erl',
    [
      ...['-noshell', '-name', node('client'), '-setcookie', `bench${process.pid}`, '-pa', directory],
      ...['-kernel', 'inet_dist_use_interface', '{127,0,0,1}', '-s', 'echo', 'client'],
    ],
    env,
  )
  const { otp } = await client.answer<{ readonly otp: string }>()
  return {
    version: `Erlang/OTP ${otp}`,
    calls: ({ inFlight, bytes, forMs }, servers) =>
      client.ask(`calls ${inFlight} ${bytes} ${forMs} ${servers}`),
    restart: () => client.ask(`restart ${file} ${server.pid}`),
  }
}
