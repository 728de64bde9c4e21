// Short, stable names for what has long ones: `b.2` is the second boot of b, `registry#3` the registry log of term 3,
// `journal of b #1` the first journal that b opened, under whichever boot.

import { type BootId, type LogKey, type PeerId, peerOfBoot } from '../../../mesh/ids.ts'
import type { MeshMessage } from '../../../mesh/messages.ts'
import type { RegistryState } from '../../../mesh/registry/types.ts'

export class Names {
  readonly #boots = new Map<BootId, string>()
  readonly #logs = new Map<LogKey, string>()
  /** How often a name was given, by what comes before the number. */
  readonly #given = new Map<string, number>()

  boot(boot: BootId): string {
    let name = this.#boots.get(boot)
    if (name === undefined) {
      const peer: PeerId = peerOfBoot(boot)
      name = `${peer}.${this.#next(peer)}`
      this.#boots.set(boot, name)
    }
    return name
  }

  /** The boot that is called so. */
  bootOf(name: string): BootId | undefined {
    for (const [boot, given] of this.#boots) if (given === name) return boot
    return undefined
  }

  log(key: LogKey): string {
    return this.#logs.get(key) ?? this.#name(key, `log #${this.#next('log')}`)
  }

  /** Two candidates may each write a log of one term; the second one seen has its place in brackets. */
  registryLog(key: LogKey, term: number): string {
    const known = this.#logs.get(key)
    if (known !== undefined) return known
    const name = `registry#${term}`
    const count = this.#next(name)
    return this.#name(key, count === 1 ? name : `${name}(${count})`)
  }

  isRegistry(key: LogKey): boolean {
    return this.#logs.get(key)?.startsWith('registry#') === true
  }

  /** Takes names from what a peer says of logs. */
  learn(message: MeshMessage): void {
    if (message.kind === 'accept') this.registryLog(message.successor.key, message.successor.term)
    else if (message.kind === 'pointer') this.registryLog(message.pointer.key, message.pointer.term)
    else if (message.kind === 'app' && message.class === 'registry')
      this.registryLog(message.log, message.order)
  }

  learnJournals({ journals }: RegistryState): void {
    for (const { key, boot } of [...journals.values()].sort((one, two) => one.order - two.order)) {
      if (this.#logs.has(key)) continue
      const of = `journal of ${peerOfBoot(boot)}`
      this.#name(key, `${of} #${this.#next(of)}`)
    }
  }

  #name(key: LogKey, name: string): string {
    this.#logs.set(key, name)
    return name
  }

  #next(prefix: string): number {
    const count = (this.#given.get(prefix) ?? 0) + 1
    this.#given.set(prefix, count)
    return count
  }
}
