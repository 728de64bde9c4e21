import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { runCase } from './case.ts'
import { program } from './program.ts'

const options = { rounds: 1, forMs: 1, warmUpMs: 1, say: () => {} }

test.each([true, false])(
  'what a case started is ended, the last first, also when it fails: %s',
  async (fails) => {
    const ended: string[] = []
    let directory = ''
    const running = runCase(
      {
        name: 'a',
        about: '',
        run: async (bench) => {
          directory = bench.directory()
          bench.teardown(() => ended.push('first'))
          bench.teardown(async () => ended.push('second'))
          if (fails) throw new Error('no luck')
          return [{ kind: 'note', text: 'done' }]
        },
      },
      options,
    )
    if (fails) await expect(running).rejects.toThrow('no luck')
    else expect(await running).toEqual([{ kind: 'note', text: 'done' }])
    expect(ended).toEqual(['second', 'first'])
    expect(existsSync(directory)).toBe(false)
  },
)

test('a program is a case: its lines are notes, its failure is one', async () => {
  const rows = await runCase(program('p', '', ['-e', 'console.log("one\\n\\ntwo")']), options)
  expect(rows).toEqual([
    { kind: 'note', text: 'one' },
    { kind: 'note', text: 'two' },
  ])
  const failing = program('p', '', ['-e', 'console.error("why"); process.exit(3)'])
  await expect(runCase(failing, options)).rejects.toThrow('why')
})
