// Which module a class of actors was loaded from, where it was loaded by its file.

import type { ActorClass } from './types.ts'

const modules = new WeakMap<ActorClass, string>()

export const remember = (type: ActorClass, url: string): void => void modules.set(type, url)

export const moduleOf = (type: ActorClass): string | undefined => modules.get(type)
