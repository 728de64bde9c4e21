// Replays the transcripts and says which ones would be recorded differently now; with --rewrite it records them anew,
// to be reviewed as a diff.
//
//     npm run sim:transcripts [-- [--rewrite] [name…]]

import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { pathOf, transcripts } from './transcript/files.ts'
import { replay } from './transcript/replay.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rewrite: { type: 'boolean', default: false } },
})
for (const name of positionals.length > 0 ? positionals : transcripts()) {
  const before = readFileSync(pathOf(name), 'utf8')
  const now = await replay(name, before)
  if (now !== before && values.rewrite) writeFileSync(pathOf(name), now)
  process.stdout.write(
    `${now === before ? 'as recorded' : values.rewrite ? 'rewritten' : 'DIFFERENT'}  ${name}\n`,
  )
  if (now !== before && !values.rewrite) process.exitCode = 1
}
