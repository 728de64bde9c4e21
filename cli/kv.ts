// `mesh kv`: the key-value store that all peers of the mesh share.

import type { ControlClient } from '../node/control/client.ts'
import type { KvWatchLine, ReadableEntry } from '../node/control/wire.ts'
import { argument, type CommandSpec, type CommonOptions, type Run } from './command.ts'
import { UsageError } from './errors.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { printable } from './output.ts'
import { parseArgument, parseCount } from './parse.ts'

interface Options extends CommonOptions {
  readonly ifVersion?: number
  readonly ifAbsent: boolean
  readonly prefix: boolean
  readonly after?: number
}
type Operation = (control: ControlClient, words: readonly string[], run: Run) => Promise<ExitCode | undefined>

const MOST = Number.MAX_SAFE_INTEGER

export const kvCommand: CommandSpec = {
  usage: 'kv <operation> [words...]',
  summary: 'Read and change the key-value store of the mesh.',
  details: `Operations:
  get <key>            print its value; exit code 1 where there is none
  put <key> <value>    set it; the value is JSON, a bare word is a string
  delete <key>         exit code 1 where there was none, or another version
  keys [prefix]        list keys
  watch <key>          print what is there, and every change, until Ctrl-C; an empty key with --prefix: all

Put -- before a value that starts with a dash and is no number.`,
  options: (command) => {
    command
      .option(
        '--if-version <n>',
        'put, delete: only where the key has this version (exit code 1 else)',
        (text) => parseCount(text, '--if-version', 0, MOST),
      )
      .option('--if-absent', 'put: only where there is no such key (exit code 1 else)', false)
      .option('--prefix', 'watch: all keys that begin with <key>', false)
      .option('--after <n>', 'watch: only changes after this version', (text) =>
        parseCount(text, '--after', 0, MOST),
      )
  },
  async run(run) {
    const name = argument(run, 0)
    const words = Array.isArray(run.args[1]) ? (run.args[1] as readonly string[]) : []
    if (!Object.hasOwn(OPERATIONS, name))
      throw new UsageError(`kv: "${name}" is none of ${Object.keys(OPERATIONS).join(', ')}`)
    const {
      operation,
      takes,
      most = takes.length,
      least = most,
    } = OPERATIONS[name as keyof typeof OPERATIONS]
    if (words.length < least || words.length > most)
      throw new UsageError(`kv ${name} takes ${takes.length === 0 ? 'nothing' : takes.join(' ')}`)
    return operation(run.services.control(run.options<Options>().dataDir), words, run)
  },
}

interface Described {
  readonly takes: readonly string[]
  readonly least?: number
  readonly most?: number
  readonly operation: Operation
}

const OPERATIONS = {
  get: { takes: ['<key>'], operation: get },
  put: { takes: ['<key>', '<value>'], operation: put },
  delete: { takes: ['<key>'], operation: remove },
  keys: { takes: ['[prefix]'], least: 0, operation: keys },
  watch: { takes: ['<key>'], operation: watch },
} satisfies Record<string, Described> as Record<'get' | 'put' | 'delete' | 'keys' | 'watch', Described>

async function get(control: ControlClient, [key = '']: readonly string[], run: Run) {
  const { entry } = await control.kvGet(key)
  run.print(entry, () => (entry === null ? 'no such key\n' : `${JSON.stringify(entry.value, null, 2)}\n`))
  return entry === null ? EXIT.failed : undefined
}

async function put(control: ControlClient, [key = '', text = '']: readonly string[], run: Run) {
  const { ifVersion, ifAbsent } = run.options<Options>()
  if (ifAbsent && ifVersion !== undefined)
    throw new UsageError('kv put: --if-absent and --if-version exclude each other')
  const value = parseArgument(text)
  if (!ifAbsent && ifVersion === undefined) {
    const { version } = await control.kvPut(key, value)
    run.print({ ok: true, version }, () => `version ${version}\n`)
    return undefined
  }
  const done = await control.kvSwap(key, ifVersion ?? null, value)
  run.print(done, () => (done.ok ? `version ${done.version}\n` : refused(done.current)))
  return done.ok ? undefined : EXIT.failed
}

const refused = (current: ReadableEntry | null): string =>
  current === null ? 'not put: there is no such key\n' : `not put: it has version ${current.version}\n`

async function remove(control: ControlClient, [key = '']: readonly string[], run: Run) {
  const { ifVersion } = run.options<Options>()
  const { deleted } = await control.kvDelete(key, ifVersion)
  const missing = ifVersion === undefined ? 'no such key' : 'not deleted: no such key, or another version'
  run.print({ deleted }, () => `${deleted ? 'deleted' : missing}\n`)
  return deleted ? undefined : EXIT.failed
}

async function keys(control: ControlClient, [prefix = '']: readonly string[], run: Run) {
  const found = (await control.kvKeys(prefix)).keys
  run.print(found, () => found.map((key) => `${printable(key)}\n`).join(''))
  return undefined
}

async function watch(control: ControlClient, [key = '']: readonly string[], run: Run) {
  const { prefix, after, json } = run.options<Options>()
  const over = new AbortController()
  const forget = run.io.onSignal(() => over.abort())
  try {
    const what = prefix ? { prefix: key } : { key }
    const request = after === undefined ? what : { ...what, after }
    await control.kvWatch(
      request,
      (change) => run.io.out(json ? `${JSON.stringify(change)}\n` : told(change)),
      over.signal,
    )
  } finally {
    forget()
  }
  return undefined
}

type Change = NonNullable<KvWatchLine['change']>
const told = (change: Change): string =>
  change.kind === 'put'
    ? `${printable(change.key)} ${change.version} ${JSON.stringify(change.value)}\n`
    : `${printable(change.key)} ${change.version} deleted\n`
