// Disk use under a long load: three peers, one hundred actors of constant size, one million durable calls. What a data
// directory holds must follow from the state that is alive, not from the calls that were made.
//
//   node bench/disk-use.ts [--calls 1000000] [--actors 100] [--state-kib 100] [--json]
//
// Exit 1 when a peer ever held more than is promised (docs/guarantees.md).

import { parseArgs } from 'node:util'
import { runDiskUse } from '../testnet/disk-use.ts'

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '1000000' },
    actors: { type: 'string', default: '100' },
    'state-kib': { type: 'string', default: '100' },
    json: { type: 'boolean', default: false },
  },
})
const ends: (() => Promise<void>)[] = []
try {
  const outcome = await runDiskUse({
    calls: Number(values.calls),
    actors: Number(values.actors),
    stateKiB: Number(values['state-kib']),
    say: (line) => void process.stderr.write(`${line}\n`),
    teardown: (end) => void ends.push(end),
  })
  const text = values.json
    ? JSON.stringify(outcome, null, 2)
    : Object.entries(outcome)
        .map(([figure, value]) => `${figure.padEnd(22)}${JSON.stringify(value)}`)
        .join('\n')
  process.stdout.write(`${text}\n`)
  process.exitCode = outcome.ok ? 0 : 1
} finally {
  for (const end of ends) await end()
}
