// What an actor type may ask of its home, checked where it is declared.

import type { Placement } from '../../mesh/occupancy.ts'
import { isAmount, MAX_AMOUNT } from '../../mesh/resources.ts'
import { BadInputError } from '../errors.ts'
import type { ActorOptionsInput } from './types.ts'

/** As the registry stores it; undefined where the type asks for nothing. Throws BadInputError with class and option. */
export function placementOf(type: string, input: ActorOptionsInput): Placement | undefined {
  const wrong = (option: string, value: unknown, expected: string): BadInputError =>
    new BadInputError(`${type}.options.${option} is ${JSON.stringify(value)}: ${expected}`)
  const { resources, preferLabels, spread, apartFrom, home, daemon } = input
  if (daemon !== undefined && typeof daemon !== 'boolean') throw wrong('daemon', daemon, 'true or false')
  if (daemon === true)
    for (const [option, value] of Object.entries({ home, spread, preferLabels }))
      if (value !== undefined)
        throw wrong(option, value, 'a daemon lives on every peer that can run it, so leave it out')
  if (resources !== undefined) checkResources(resources, `${type}.options.resources`)
  if (preferLabels !== undefined && !isRecordOf(preferLabels, (value) => typeof value === 'string'))
    throw wrong('preferLabels', preferLabels, "labels with their values, such as { disk: 'ssd' }")
  if (spread !== undefined && (typeof spread !== 'string' || spread === ''))
    throw wrong('spread', spread, "the name of a label, such as 'zone', or 'peer'")
  if (apartFrom !== undefined && !(Array.isArray(apartFrom) && apartFrom.every(isTypeName)))
    throw wrong('apartFrom', apartFrom, 'a list of names of actor types')
  if (home !== undefined && home !== 'head') throw wrong('home', home, "'head', or left out")
  const placement: Placement = {
    ...(resources !== undefined && { resources }),
    ...(preferLabels !== undefined && { preferLabels }),
    ...(spread !== undefined && { spread }),
    ...(apartFrom !== undefined && { apartFrom }),
    ...(home !== undefined && { home }),
  }
  return Object.keys(placement).length === 0 ? undefined : placement
}

/** Throws BadInputError; `what` says where they were given. */
export function checkResources(resources: Readonly<Record<string, number>>, what: string): void {
  if (isRecordOf(resources, isAmount)) return
  throw new BadInputError(
    `${what} is ${JSON.stringify(resources)}: amounts by name, such as { gpu: 1 }, each from 0 to ${MAX_AMOUNT} in steps of 0.001`,
  )
}

const isTypeName = (value: unknown): boolean => typeof value === 'string' && /^[^/\s]+$/.test(value)

const isRecordOf = (value: unknown, is: (item: unknown) => boolean): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(is)
