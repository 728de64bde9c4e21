// What the runtime knows of a class of actors: its name, its options checked, which of its methods can be called.

import type { ActorOptions } from '../../mesh/registry/types.ts'
import { BadInputError, UnknownMethodError } from '../errors.ts'
import { Actor } from './actor.ts'
import { BUILT_IN, isReserved } from './built-in.ts'
import { type RelaxedOf, relaxedOf } from './checkpoint-policy.ts'
import { type Isolation, isolationOf } from './isolation-options.ts'
import { OWN_CALLS } from './own-calls.ts'
import { placementOf } from './placement-options.ts'
import type { ActorClass, ActorOptionsInput, InstanceOptions } from './types.ts'

export interface TypeInfo {
  readonly name: string
  readonly type: ActorClass
  /** As the registry stores them. */
  readonly options: ActorOptions
  /** Of its states; 0 where it has none. */
  readonly version: number
  readonly methods: ReadonlySet<string>
  /** Which of {@link HOOKS} it has. */
  readonly hooks: ReadonlySet<string>
  readonly readOnly: ReadonlySet<string>
  /** Methods whose results are iterated over. */
  readonly generators: ReadonlySet<string>
  /** It has {@link OWN_STATE}: its state is in fields of its own. */
  readonly ownState: boolean
  readonly localReads: boolean
  /** Undefined: it runs in the peer's own thread. */
  readonly isolation: Isolation | undefined
  /** When calls of a method are written, where that is later than their answers. */
  readonly relaxed: RelaxedOf
  /** -1: until the timeout. */
  readonly maxTaskRetries: number
  /** One on each peer. */
  readonly daemon: boolean
  /** 0: never passivated. Undefined: as the runtime does by default. */
  readonly idleMs: number | undefined
}

/** What the runtime alone calls. */
const HOOKS: ReadonlySet<string> = new Set(['onActivate', 'onDeactivate'])
/** What references have beside the methods of their actors. */
const REF_MEMBERS: readonly string[] = ['with', 'status', 'history', 'restore', 'fork']
/** Both or neither. */
const OWN_STATE: readonly string[] = ['getState', 'loadState']
const DEFAULT_KEEPERS = 3
/** More copies than this slow every write down and make nothing safer in practice. */
const MAX_KEEPERS = 9

/** Throws BadInputError, naming the class and what is wrong. */
export function describeType(type: ActorClass): TypeInfo {
  if (typeof type !== 'function' || !(type.prototype instanceof Actor)) {
    throw new BadInputError(
      `${typeof type === 'function' ? type.name : String(type)} is not an actor: it must be a class that extends Actor`,
    )
  }
  const name = type.actorName ?? type.name
  if (!/^[^/\s]+$/.test(name)) {
    throw new BadInputError(
      `an actor type can't be named ${JSON.stringify(name)}: set static actorName to a name without slashes and spaces`,
    )
  }
  if (isReserved(name) && !Object.hasOwn(Object.getPrototypeOf(type) as object, BUILT_IN))
    throw new BadInputError(`${name} is a name of the mesh's own: set static actorName to another one`)
  const input = type.options ?? {}
  checkNames(name, input)
  const all = methodsOf(type)
  const methods = new Set([...all].filter((method) => !HOOKS.has(method)))
  for (const method of REF_MEMBERS)
    if (methods.has(method))
      throw new BadInputError(
        `${name}.${method} can't be called: references have a ${method} of their own. Rename it`,
      )
  const readOnly = new Set(input.readOnly ?? [])
  for (const method of readOnly) {
    if (!methods.has(method))
      throw new BadInputError(`${name}.options.readOnly names ${method}, which is not a method of ${name}`)
  }
  const generators = new Set([...methods].filter((method) => isGenerator(type, method)))
  return {
    name,
    type,
    options: registryOptions(name, input),
    version: versionOf(name, type),
    methods,
    hooks: new Set([...all].filter((method) => HOOKS.has(method))),
    readOnly,
    generators,
    ownState: hasOwnState(name, methods, generators, input),
    localReads: input.reads === 'local',
    isolation: isolationOf(name, type, input),
    relaxed: relaxedOf(name, input, methods),
    maxTaskRetries: limit(name, 'maxTaskRetries', input.maxTaskRetries ?? -1, -1),
    daemon: input.daemon === true,
    idleMs: idleMsOf(name, input),
  }
}

/** Daemons rest only where their type says so. */
function idleMsOf(name: string, { idleMs, daemon }: ActorOptionsInput): number | undefined {
  if (idleMs !== undefined) return limit(name, 'idleMs', idleMs, 0)
  return daemon === true ? 0 : undefined
}

function hasOwnState(
  name: string,
  methods: ReadonlySet<string>,
  generators: ReadonlySet<string>,
  { reads }: ActorOptionsInput,
): boolean {
  const [missing, ...more] = OWN_STATE.filter((method) => !methods.has(method))
  if (missing !== undefined) {
    if (more.length > 0) return false
    const [there] = OWN_STATE.filter((method) => method !== missing)
    throw new BadInputError(
      `${name} has ${there} and no ${missing}: a class with both keeps its state in its own fields; rename ${there} where that is not meant`,
    )
  }
  const [generator] = generators
  if (generator !== undefined)
    throw new BadInputError(
      `${name}.${generator} is a generator, and ${name} keeps its state in its own fields, which others would change while it runs: return a list`,
    )
  if (reads === 'local')
    throw new BadInputError(
      `${name}.options.reads is "local", and ${name} keeps its state in its own fields, which are never those of an earlier record: leave it out`,
    )
  return true
}

function versionOf(name: string, { version = 0, migrate }: ActorClass): number {
  if (!Number.isSafeInteger(version) || version < 0)
    throw new BadInputError(`${name}.version is ${version}: a whole number, at least 0`)
  if (migrate !== undefined && typeof migrate !== 'function')
    throw new BadInputError(`${name}.migrate is no function: static migrate(state, fromVersion) { … }`)
  if (migrate !== undefined && version === 0)
    throw new BadInputError(
      `${name} has migrate and no version: set static version, and raise it whenever the state changes its shape`,
    )
  return version
}

/** Every option, and whether one actor may have its own. */
const OPTIONS: Readonly<Record<keyof ActorOptionsInput, 'of an actor' | 'of the class'>> = {
  maxRestarts: 'of an actor',
  maxTaskRetries: 'of the class',
  keepers: 'of an actor',
  durability: 'of an actor',
  labels: 'of an actor',
  preferLabels: 'of an actor',
  resources: 'of an actor',
  spread: 'of an actor',
  apartFrom: 'of an actor',
  home: 'of an actor',
  daemon: 'of the class',
  idleMs: 'of the class',
  readOnly: 'of the class',
  isolation: 'of the class',
  reads: 'of the class',
  checkpoint: 'of the class',
  checkpointPerMethod: 'of the class',
}

/** Of one actor that is created with options of its own. Throws BadInputError. */
export function optionsOf({ name, type }: TypeInfo, own: InstanceOptions): ActorOptions {
  checkNames(name, own)
  for (const option of Object.keys(own))
    if (OPTIONS[option as keyof ActorOptionsInput] === 'of the class')
      throw new BadInputError(`${name}.options.${option} is the class's: it can't be set for one actor`)
  return registryOptions(name, { ...type.options, ...own })
}

function checkNames(type: string, options: object): void {
  for (const option of Object.keys(options))
    if (!Object.hasOwn(OPTIONS, option))
      throw new BadInputError(
        `${type}.options.${option} is no option: there are ${Object.keys(OPTIONS).sort().join(', ')}`,
      )
}

function registryOptions(name: string, input: ActorOptionsInput): ActorOptions {
  const wanted = typeof input.keepers === 'number' ? { count: input.keepers } : (input.keepers ?? {})
  const keepers = limit(name, 'keepers', wanted.count ?? DEFAULT_KEEPERS, 1)
  if (keepers > MAX_KEEPERS)
    throw new BadInputError(`${name}.options.keepers is ${keepers}: at most ${MAX_KEEPERS}`)
  const level = input.durability ?? 'replicated'
  if (level !== 'replicated' && level !== 'synced') {
    throw new BadInputError(
      `${name}.options.durability is ${JSON.stringify(level)}: 'replicated' or 'synced'`,
    )
  }
  const placement = placementOf(name, input)
  return {
    maxRestarts: limit(name, 'maxRestarts', input.maxRestarts ?? -1, -1),
    class: {
      level,
      keepers,
      ...(wanted.labels === undefined ? {} : { labels: wanted.labels }),
      ...(wanted.peers === undefined ? {} : { peers: wanted.peers }),
    },
    labels: input.labels ?? {},
    ...(placement && { placement }),
  }
}

function limit(type: string, option: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new BadInputError(`${type}.options.${option} is ${value}: a whole number, at least ${least}`)
}

/** Methods of the class and its bases below Actor; what starts with an underscore is private by convention. */
function methodsOf(type: ActorClass): ReadonlySet<string> {
  const methods = new Set<string>()
  let prototype: object = type.prototype
  while (prototype !== Actor.prototype && prototype !== Object.prototype) {
    for (const [key, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (typeof value === 'function' && key !== 'constructor' && !key.startsWith('_')) methods.add(key)
    }
    prototype = Object.getPrototypeOf(prototype) as object
  }
  return methods
}

const isGenerator = (type: ActorClass, method: string): boolean =>
  Object.prototype.toString.call((type.prototype as unknown as Record<string, unknown>)[method]) ===
  '[object AsyncGeneratorFunction]'

/** Throws UnknownMethodError, also where a generator is called as if it were none, or the other way round. */
export function checkMethod(info: TypeInfo, method: string, how: 'call' | 'series'): void {
  if (how === 'call' && OWN_CALLS.has(method)) return
  if (info.methods.has(method)) {
    const is = info.generators.has(method) ? 'series' : 'call'
    if (is === how) return
    throw new UnknownMethodError(
      is === 'series'
        ? `${info.name}.${method} is a generator: iterate over it, with for await, or by node.iterate where its class is not known`
        : `${info.name}.${method} is no generator (async *): call it, and await its result`,
    )
  }
  const known = [...info.methods].sort()
  const available = known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`
  throw new UnknownMethodError(
    `${info.name} has no method ${JSON.stringify(method)} that can be called: ${available}`,
  )
}
