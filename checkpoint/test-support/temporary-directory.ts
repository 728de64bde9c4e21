// Directories for tests that need a real disk, removed when the test ends.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'actor-mesh-store-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}
