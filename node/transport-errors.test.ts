import { expect, test } from 'vitest'
import { TransportError } from './transport/index.ts'
import { meshErrorOf } from './transport-errors.ts'

test.each([
  ['PORT_IN_USE', 'PORT_IN_USE'],
  ['WRONG_SECRET', 'WRONG_SECRET'],
  ['OTHER_MESH', 'DATA_DIR_OTHER_MESH'],
  ['INCOMPATIBLE_VERSION', 'INCOMPATIBLE_VERSION'],
  ['SECRET_UNREADABLE', 'DATA_DIR_UNREADABLE'],
  ['BAD_ADDRESS', 'BAD_INPUT'],
  ['UNREACHABLE', 'JOIN_FAILED'],
] as const)('%s of the transport is %s of a node, with its message and cause', (code, expected) => {
  const cause = new TransportError(code, 'why')
  expect(meshErrorOf(cause)).toMatchObject({ code: expected, message: 'why', cause })
})

test('anything else stays what it is', () => {
  const thrown = new RangeError('no')
  expect(meshErrorOf(thrown)).toBe(thrown)
})
