import { expect, onTestFinished, test } from 'vitest'
import { Worker } from './worker.ts'

type Jobs = typeof import('./test-support/jobs.ts')

async function start(): Promise<Worker<Jobs>> {
  const worker = await Worker.start<Jobs>(new URL('./test-support/jobs.ts', import.meta.url))
  onTestFinished(() => worker.kill())
  return worker
}

test('jobs run in a process of their own and answer in their own time', async () => {
  const worker = await start()
  const slow = worker.run('later', 100)
  expect(await worker.run('pid')).toBe(worker.pid)
  expect(worker.pid).not.toBe(process.pid)
  expect(await slow).toBe(100)
  expect((await worker.stalls()).stallMs).toBeGreaterThanOrEqual(0)
})

test('a job that fails rejects with its error, one that does not exist with its name', async () => {
  const worker = await start()
  await expect(worker.run('fail')).rejects.toThrow('it broke')
  await expect((worker as unknown as Worker<{ none(): void }>).run('none')).rejects.toThrow('no job none')
})

test('a process that is killed fails what was asked of it, and what is asked later', async () => {
  const worker = await start()
  const lost = expect(worker.run('later', 60_000)).rejects.toThrow('SIGKILL')
  await worker.kill()
  await lost
  await expect(worker.run('pid')).rejects.toThrow('SIGKILL')
  await worker.kill()
})
