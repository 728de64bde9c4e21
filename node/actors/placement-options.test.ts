import { expect, test } from 'vitest'
import { BadInputError } from '../errors.ts'
import { Actor } from './actor.ts'
import { describeType } from './type-info.ts'
import type { ActorOptionsInput } from './types.ts'

function described(options: ActorOptionsInput) {
  class Trainer extends Actor<object> {
    static readonly options = options
    override state = {}
  }
  return describeType(Trainer).options
}

test('what a type asks of its home goes into the registry as it is; a type that asks for nothing adds nothing', () => {
  const placement = {
    resources: { gpu: 1, slots: 0.125 },
    preferLabels: { disk: 'ssd' },
    spread: 'zone',
    apartFrom: ['Index'],
    home: 'head',
  } as const
  expect(described({ ...placement, labels: { zone: 'b' } })).toMatchObject({
    placement,
    labels: { zone: 'b' },
  })
  expect(described({ labels: { zone: 'b' } })).not.toHaveProperty('placement')
})

test.each<[keyof ActorOptionsInput, unknown]>([
  ['resources', { gpu: -1 }],
  ['resources', { gpu: 0.0001 }],
  ['resources', { gpu: Number.NaN }],
  ['resources', { gpu: '1' }],
  ['resources', ['gpu']],
  ['resources', 1],
  ['resources', { gpu: 1e13 }],
  ['preferLabels', { disk: 1 }],
  ['preferLabels', null],
  ['spread', ''],
  ['spread', ['zone']],
  ['apartFrom', 'Index'],
  ['apartFrom', ['a/b']],
  ['home', 'atlas'],
  ['daemon', 'yes'],
])('%s: %j is refused, with the class and the option', (option, value) => {
  const options = { [option]: value } as ActorOptionsInput
  expect(() => described(options)).toThrow(BadInputError)
  expect(() => described(options)).toThrow(`Trainer.options.${option} is `)
})

test.each<[keyof ActorOptionsInput, unknown]>([
  ['home', 'head'],
  ['spread', 'peer'],
  ['preferLabels', { disk: 'ssd' }],
])('a daemon with %s is refused', (option, value) => {
  const options = { daemon: true, [option]: value } as ActorOptionsInput
  expect(() => described(options)).toThrow(`Trainer.options.${option} is ${JSON.stringify(value)}: a daemon`)
})
