// The runs of generators that one live actor has open, by the attempts of callers that opened them.

import type { Answer, CallFrame, MoreFrame } from './frames.ts'
import { HostedSeries, type HostedSeriesInit } from './hosted-series.ts'
import { outside } from './scope.ts'

export class OpenSeries {
  readonly #open = new Map<string, HostedSeries>()

  get size(): number {
    return this.#open.size
  }

  /** False when there is no such one. */
  more({ token, taken, again }: Omit<MoreFrame, 't' | 'actor'>): boolean {
    const series = this.#open.get(token)
    series?.more(taken, again)
    return series !== undefined
  }

  run({ frame, ended, ...init }: HostedSeriesInit & { readonly frame: CallFrame }): void {
    const { token } = frame
    const over = (): void => {
      this.#open.delete(token)
      ended()
    }
    const series = new HostedSeries({ ...init, frame, ended: over })
    this.#open.set(token, series)
    void outside(() => series.run())
  }

  close(token: string): void {
    this.#open.get(token)?.close()
  }
  closeAll(answer: Answer): void {
    for (const series of this.#open.values()) series.close(answer)
  }
}
