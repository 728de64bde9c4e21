// Loads the module given with --actors, with errors for people.

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ActorClass } from '../node/actors/types.ts'
import { importActors } from '../node/actors-module.ts'
import { ActorsModuleError } from './errors.ts'

/** Resolves with the exported actor classes, at least one; rejects with ActorsModuleError. */
export async function loadActors(path: string, cwd: string): Promise<readonly ActorClass[]> {
  const file = resolve(cwd, path)
  if (!existsSync(file)) throw new ActorsModuleError(`--actors: there is no file ${file}`)
  const classes = await importActors(pathToFileURL(file).href).catch((error: unknown) => {
    throw new ActorsModuleError(`--actors: ${path} fails to load: ${explain(error)}`, { cause: error })
  })
  if (classes.length === 0)
    throw new ActorsModuleError(
      `--actors: ${path} exports no class that extends Actor; write: export class Counter extends Actor { … }`,
    )
  return classes
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Syntax errors show the place in the first line of their stack, others in the first frame.
  const stack = (error.stack ?? '').replace(error.message, '')
  const place = /(?:file:\/\/|\()?([^\s()]+\.[cm]?[jt]s:\d+)/.exec(stack)?.[1]
  const what = `${error.name}: ${error.message}`
  return place === undefined ? what : `${what} (${place.replace(/^file:\/\//, '')})`
}
