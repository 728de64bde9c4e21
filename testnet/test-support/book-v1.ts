// The class before its upgrade to book-v2.ts.

import { Actor } from 'actor-mesh'

export class Book extends Actor<{ lines: string[] }> {
  override state = { lines: [] as string[] }
  add(line: string): readonly string[] {
    this.state.lines.push(line)
    return this.state.lines
  }
}
