// Calls remote actors of comedy: `calls <in flight> <bytes> <milliseconds> <actors>` on a line, the figures as JSON on another.

import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { drive } from '../../harness/drive.ts'

interface ActorRef {
  createChild(definition: unknown, options: object): Promise<ActorRef>
  sendAndReceive(topic: string, data: string): Promise<unknown>
}
interface Comedy {
  createSystem(options: object): { rootActor(): Promise<ActorRef> }
}

/** What comedy sends to the other process is the source of the class. */
class Echo {
  echo(data: string) {
    return data
  }
}

const port = Number(process.argv[2])
const comedy = createRequire(import.meta.url)('comedy') as Comedy
const root = await comedy.createSystem({ test: true }).rootActor()
const actors: ActorRef[] = []

async function call(actor: ActorRef, data: string): Promise<void> {
  if ((await actor.sendAndReceive('echo', data)) !== data) throw new Error('comedy answered something else')
}

async function run(line: string): Promise<unknown> {
  const [inFlight = 0, bytes = 0, forMs = 0, count = 0] = line.split(' ').slice(1).map(Number)
  while (actors.length < count)
    actors.push(await root.createChild(Echo, { mode: 'remote', host: '127.0.0.1', port }))
  const data = 'x'.repeat(bytes)
  return drive((n) => call(actors[n % count]!, data), { inFlight, bytes, forMs })
}

const say = (what: unknown): void => void process.stdout.write(`${JSON.stringify(what)}\n`)
say({ ready: true })
for await (const line of createInterface({ input: process.stdin })) say(await run(line))
process.exit(0)
