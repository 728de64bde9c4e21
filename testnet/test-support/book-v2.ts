// The upgrade of book-v1.ts. It kills its own process in the middle of a migration, once for each file `<where>.armed` in the
// directory that its URL names, and leaves `<where>.struck` there.

import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { Actor } from 'actor-mesh'

const dir = new URL(import.meta.url).searchParams.get('dir')!
/** First lines of what was migrated here, and has no object yet. */
const migrated = new Set<string>()

function strike(where: 'migrate' | 'onActivate'): void {
  try {
    renameSync(join(dir, `${where}.armed`), join(dir, `${where}.struck`))
  } catch {
    return // it was done
  }
  process.kill(process.pid, 'SIGKILL')
}

interface Written {
  lines: string[]
  migrations: number
}

export class Book extends Actor<Written> {
  static readonly version = 1
  /** Does something else to what was migrated already. */
  static migrate(state: Partial<Written> & { lines: string[] }): Written {
    strike('migrate')
    migrated.add(state.lines[0]!)
    return { lines: state.lines.map((line) => `${line}!`), migrations: (state.migrations ?? 0) + 1 }
  }
  override state: Written = { lines: [], migrations: 0 }
  /** Of a migrated state: in the same turn, so its record is on its way at most, and acknowledged to nobody. */
  protected override onActivate(): void {
    if (migrated.delete(this.context.name)) strike('onActivate')
  }
  add(line: string): readonly string[] {
    this.state.lines.push(line)
    return this.state.lines
  }
  all(): Written {
    return this.state
  }
}
