// No peer process outlives the process that started it. A running one ends when its IPC channel closes; a frozen one
// cannot, so the parent kills what is left when it exits.

import type { ChildProcess } from 'node:child_process'

const children = new Set<ChildProcess>()

export function guardChild(child: ChildProcess): void {
  if (children.size === 0) process.once('exit', killAll)
  children.add(child)
  child.once('exit', () => {
    children.delete(child)
    if (children.size === 0) process.off('exit', killAll)
  })
}

function killAll(): void {
  for (const child of children) child.kill('SIGKILL')
}
