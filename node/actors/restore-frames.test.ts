// What peers ask and answer about journals, whatever they send.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readAnswer, readQuestion } from './restore-frames.ts'

const life = { actor: 'A/x', incarnation: 1, epoch: 1 }
const questions = [
  { q: 'find', id: 'i', journal: 'j', length: 3, ...life },
  { q: 'find', id: 'i', journal: 'j', length: 3, sequence: 2, ...life },
  { q: 'blocks', id: 'i', journal: 'j', indexes: [0, 2] },
  { q: 'length', id: 'i', journal: 'j' },
  { q: 'newest', id: 'i', ...life },
  { q: 'history', id: 'i', journal: 'j', length: 3, before: 9, limit: 5, ...life },
]
const line = {
  ...{ sequence: 2, epoch: 1, kind: 'snapshot', at: 0, bytes: 9, method: 'm', caller: null },
  folded: [[2, 'm', 'b']],
}
const answers = [
  { a: 'found', id: 'i', blocks: [0] },
  { a: 'blocks', id: 'i', proofs: [new Uint8Array(1)] },
  { a: 'length', id: 'i', length: 3 },
  { a: 'newest', id: 'i', sequence: 3, journal: 'j', index: 0 },
  { a: 'history', id: 'i', lines: [line, { ...line, kind: 'delta', caller: 'b', folded: [] }] },
  { a: 'no', id: 'i', why: 'because' },
]

test('those of this release are read', () => {
  for (const question of questions) expect(readQuestion(question)).toBe(question)
  for (const answer of answers) expect(readAnswer(answer)).toBe(answer)
})

test('anything else is dropped, and nothing throws', () => {
  const mutation = fc.record({ at: fc.nat(), value: fc.anything() })
  fc.assert(
    fc.property(fc.constantFrom(...questions, ...answers), mutation, (frame, { at, value }) => {
      const keys = Object.keys(frame).filter((key) => key !== 'epoch' && key !== 'sequence')
      const changed = { ...frame, [keys[at % keys.length]!]: value }
      for (const read of [readQuestion, readAnswer]) expect([undefined, changed]).toContain(read(changed))
    }),
    { numRuns: 2000 },
  )
  const wrong = [
    { ...questions[5], limit: -1 },
    { ...questions[5], before: 1.5 },
    { ...questions[4], incarnation: null },
    { ...questions[1], sequence: 'two' },
    { ...questions[3], journal: 7 },
  ]
  for (const question of wrong) expect(readQuestion(question)).toBeUndefined()
  for (const lines of [
    [null],
    [{ ...line, kind: 'other' }],
    [{ ...line, folded: [[1]] }],
    [{ ...line, at: -1 }],
  ])
    expect(readAnswer({ a: 'history', id: 'i', lines })).toBeUndefined()
})
