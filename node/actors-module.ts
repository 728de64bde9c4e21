// Loads a module of actors given by file: finds its exported classes, and makes sure that they extend this very Actor.
//
// The module may lie anywhere. `import … from 'actor-mesh'` in it resolves to this copy of the package, so that it needs
// no node_modules of its own and there are never two Actor classes in the process.

import { registerHooks } from 'node:module'
import { remember } from './actors/modules.ts'
import type { ActorClass } from './actors/types.ts'

const PACKAGE = 'actor-mesh'
const built = !import.meta.url.endsWith('.ts')
const packageRoot = new URL(built ? '../../' : '../', import.meta.url)
const OWN_ENTRY = new URL(`./index.${built ? 'js' : 'ts'}`, import.meta.url).href
/** In a clone the sources and the build are both there: whichever a module names, it gets the one that runs. */
const ENTRIES: ReadonlySet<string> = new Set(
  ['node/index.ts', 'dist/node/index.js'].map((path) => new URL(path, packageRoot).href),
)

let hooked = false
function resolvePackageTo(entry: string): void {
  if (hooked) return
  hooked = true
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === PACKAGE) return { url: entry, shortCircuit: true }
      const resolved = next(specifier, context)
      return ENTRIES.has(resolved.url) ? { ...resolved, url: entry } : resolved
    },
  })
}

/**
 * Resolves with the module's exported actor classes, maybe none; rejects with what the module itself throws.
 * `entry`: what the package is for the module, the same at every call in one thread.
 */
export async function importActors(url: string, entry = OWN_ENTRY): Promise<readonly ActorClass[]> {
  resolvePackageTo(entry)
  const exports: Readonly<Record<string, unknown>> = await import(url)
  const classes = [...new Set(Object.values(exports).filter(extendsActor))]
  for (const type of classes) remember(type, url)
  return classes
}

/** By name along the prototype chain; createNode checks against its own Actor and says what is wrong. */
function extendsActor(value: unknown): value is ActorClass {
  if (typeof value !== 'function') return false
  for (
    let base = Object.getPrototypeOf(value);
    typeof base === 'function';
    base = Object.getPrototypeOf(base)
  ) {
    if (base.name === 'Actor') return true
  }
  return false
}
