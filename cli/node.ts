// `mesh node`: founds a mesh or joins one, and runs until it is stopped.

import { existsSync, readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ActorClass } from '../node/actors/types.ts'
import type { MeshNode, NodeOptions } from '../node/api.ts'
import { type CommandSpec, type CommonOptions, collect, type Run } from './command.ts'
import { UsageError } from './errors.ts'
import { loadActors } from './load-actors.ts'
import { tellEvents } from './node-events.ts'
import { type NodeLog, nodeLog } from './node-log.ts'
import { startText } from './node-text.ts'
import { parseAddress, parseLabels, parseResources } from './parse.ts'
import { untilStopped } from './shutdown.ts'

interface Options extends CommonOptions {
  readonly actors?: string
  readonly listen?: readonly string[]
  readonly join?: readonly string[]
  readonly invite?: string
  readonly secretFile?: string
  readonly encryptionKeyFile?: string
  readonly name?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly resources?: Readonly<Record<string, number>>
  readonly mdns: boolean
  readonly host: boolean
  readonly keep: boolean
}

export const nodeCommand: CommandSpec = {
  usage: 'node',
  summary: 'Run a peer: found a mesh, or join one.',
  details: `With an empty data directory and nothing to join, the peer founds a new mesh. With --invite or --join it joins. Started again with its data directory, it comes back to its mesh and needs neither.

Ctrl-C (or SIGTERM) hands its actors over to the other peers and leaves; the last peer just stops and keeps everything. A second Ctrl-C stops at once, as a crash would: nothing acknowledged is lost by it.`,
  options: (command) => {
    command
      .option('--actors <module>', 'a .js or .ts module; its exports that extend Actor can run here')
      .option(
        '--listen <host:port>',
        'where to listen (default: 127.0.0.1, any free port); repeatable',
        (text, before: readonly string[] | undefined) => collect(parseAddress(text, '--listen'), before),
      )
      .option(
        '--join <host:port>',
        'a peer of the mesh to join; repeatable; needs the secret too',
        (text, before: readonly string[] | undefined) => collect(parseAddress(text, '--join'), before),
      )
      .option('--invite <invite>', 'what `mesh invite` printed: addresses and secret in one')
      .option('--secret-file <file>', 'a file with the secret of the mesh')
      .option(
        '--encryption-key-file <file>',
        'a file, readable by its owner only, with the key that what actors store is encrypted with',
      )
      .option('--name <name>', 'for people (default: the host name and the end of the peer id)')
      .option('--labels <k=v,…>', 'for placement, for example zone=a,disk=ssd', parseLabels)
      .option('--resources <k=n,…>', 'what the actors here share, for example gpu=2,slots=10', parseResources)
      .option('--mdns', 'find peers of the same mesh on the local network', false)
      .option('--no-host', 'run no actors here')
      .option('--no-keep', "keep no copies of other peers' actors here")
  },
  async run(run) {
    const options = run.options<Options>()
    const types = options.actors === undefined ? [] : await loadActors(options.actors, run.io.cwd)
    const log = nodeLog(run.io, options)
    const node = await run.services.createNode(nodeOptions(options, types, log, run.io.cwd))
    await tellStart(run, options, node, types, log)
    const stopTelling = tellEvents(node, log.tell)
    try {
      return await untilStopped(node, run.io, log.tell)
    } finally {
      stopTelling()
    }
  },
}

function nodeOptions(
  options: Options,
  actors: readonly ActorClass[],
  log: NodeLog,
  cwd: string,
): NodeOptions {
  const { listen, join, invite, name, labels, resources } = options
  return {
    dataDir: options.dataDir,
    actors,
    control: true,
    logger: log.library,
    mdns: options.mdns,
    host: options.host,
    keep: options.keep,
    ...(options.secretFile !== undefined && { secret: readSecret(resolve(cwd, options.secretFile), log) }),
    ...(options.encryptionKeyFile !== undefined && {
      encryption: { key: readKey(resolve(cwd, options.encryptionKeyFile)) },
    }),
    ...(listen !== undefined && { listen }),
    ...(join !== undefined && { join }),
    ...(invite !== undefined && { invite }),
    ...(name !== undefined && { name }),
    ...(labels !== undefined && { labels }),
    ...(resources !== undefined && { resources }),
  }
}

/** A key that others can read protects nothing, so unlike the secret, which they may have by right, it is refused. */
function readKey(file: string): string {
  const key = readTextFile('--encryption-key-file', file)
  if ((statSync(file).mode & 0o077) !== 0 && process.platform !== 'win32')
    throw new UsageError(
      `--encryption-key-file: others on this machine can read ${file}: run "chmod 600 ${file}"`,
    )
  return key
}

function readTextFile(flag: string, file: string): string {
  if (!existsSync(file)) throw new UsageError(`${flag}: there is no file ${file}`)
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new UsageError(`${flag}: cannot read ${file}: ${(error as Error).message}`)
  }
  if (text === '') throw new UsageError(`${flag}: ${file} is empty`)
  return text
}

function readSecret(file: string, log: NodeLog): string {
  const secret = readTextFile('--secret-file', file)
  if ((statSync(file).mode & 0o077) !== 0)
    log.tell.warn(`others on this machine can read ${file}: run "chmod 600 ${file}"`)
  return secret
}

async function tellStart(
  run: Run,
  options: Options,
  node: MeshNode,
  types: readonly ActorClass[],
  log: NodeLog,
): Promise<void> {
  const names = types.map((type) => type.actorName ?? type.name)
  const status = node.status()
  if (options.json) {
    // No invite here: it carries the secret, and logs are collected.
    const addresses = node.members().find((member) => member.self)?.addresses ?? []
    log.tell.info(
      {
        peerId: node.peerId,
        name: node.name,
        meshId: status.meshId,
        addresses,
        types: names,
        dataDir: node.dataDir,
      },
      'up',
    )
  } else {
    const invite = run.io.isTty ? await node.invite() : undefined
    run.io.out(
      startText({
        node,
        types: names,
        env: run.io.env,
        ...(options.actors !== undefined && { actors: options.actors }),
        ...(invite !== undefined && { invite }),
      }),
    )
  }
}
