// The key-value store over the control socket: requests like all others, and a watch, whose answer is a line of JSON for
// every change until the other end hangs up.

import type { ServerResponse } from 'node:http'
import type { KeyValueStore, KvEntry } from '../actors/kv-types.ts'
import { toReadable } from './readable.ts'
import { type ControlMethods, errorToWire, type KvWatchLine, type ReadableEntry } from './wire.ts'

type KvRoute = Extract<keyof ControlMethods, `POST /v1/kv/${string}`>
type KvHandlers = {
  readonly [R in KvRoute]: (body: Readonly<Record<string, unknown>>) => Promise<ControlMethods[R]['response']>
}

const readable = (entry: KvEntry | undefined): ReadableEntry | null =>
  entry === undefined ? null : { ...entry, value: toReadable(entry.value) ?? null }

/** What bodies contain is checked by the store itself. */
export function kvHandlers(kv: KeyValueStore): KvHandlers {
  return {
    'POST /v1/kv/get': async ({ key }) => ({ entry: readable(await kv.get(key as string)) }),
    'POST /v1/kv/put': async ({ key, value }) => ({ version: await kv.put(key as string, value) }),
    'POST /v1/kv/swap': async ({ key, expected, value }) => {
      const done = await kv.compareAndSet(key as string, (expected ?? undefined) as number | undefined, value)
      return done.ok ? done : { ok: false, current: readable(done.current) }
    },
    'POST /v1/kv/delete': async ({ key, ifVersion }) => ({
      deleted: await kv.delete(
        key as string,
        ifVersion === undefined ? {} : { ifVersion: ifVersion as number },
      ),
    }),
    'POST /v1/kv/keys': async ({ prefix }) => ({ keys: await kv.keys(prefix as string) }),
  }
}

export const KV_WATCH_ROUTE = 'POST /v1/kv/watch'

/** Ends with the watch, or when nobody listens any more. A failure is the last line. */
export async function streamWatch(
  kv: KeyValueStore,
  { key, prefix, after }: Readonly<Record<string, unknown>>,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  const tell = (line: KvWatchLine): boolean => response.write(`${JSON.stringify(line)}\n`)
  const what = prefix === undefined ? (key as string) : { prefix: prefix as string }
  const options = { signal: gone.signal, ...(after !== undefined && { after: after as number }) }
  const changes = kv.watch(what, options)
  response.writeHead(200, { 'content-type': 'application/x-ndjson', connection: 'close' })
  response.flushHeaders()
  try {
    for await (const change of changes) {
      const line = change.kind === 'put' ? { ...change, value: toReadable(change.value) ?? null } : change
      if (!tell({ change: line })) await drained(response, gone.signal)
      if (gone.signal.aborted) return
    }
  } catch (error) {
    if (!gone.signal.aborted) tell({ error: errorToWire(error) })
  }
  response.end()
}

function drained(response: ServerResponse, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    response.once('drain', resolve)
    gone.addEventListener('abort', () => resolve(), { once: true })
  })
}
