// The classes of actors a runtime knows.

import { BadInputError } from '../errors.ts'
import { checkModule } from './isolation-options.ts'
import { describeType, type TypeInfo } from './type-info.ts'
import type { ActorClass } from './types.ts'

export class ActorTypes {
  readonly #types = new Map<string, TypeInfo>()

  /** Throws BadInputError for a class that is none, or a name used twice. */
  constructor(types: readonly ActorClass[], builtIn: readonly ActorClass[] = []) {
    for (const type of [...builtIn, ...types]) {
      const info = describeType(type)
      checkModule(info.name, info.isolation)
      const known = this.#types.get(info.name)
      if (known !== undefined && known.type !== type) {
        throw new BadInputError(
          `two actor classes are named ${info.name}: give one a static actorName of its own`,
        )
      }
      this.#types.set(info.name, info)
    }
  }

  get all(): readonly TypeInfo[] {
    return [...this.#types.values()]
  }
  get names(): readonly string[] {
    return [...this.#types.keys()]
  }

  /** A class that can only be called from here need not be known: it is described as it is. */
  find(type: string | ActorClass): TypeInfo | undefined {
    if (typeof type === 'string') return this.#types.get(type)
    const info = describeType(type)
    const known = this.#types.get(info.name)
    return known?.type === type ? known : info
  }
}
