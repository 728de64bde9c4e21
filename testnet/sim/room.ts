// What nobody may ever see in a committed registry: a boot whose actors use more than its peer offers, two neighbours
// of which one keeps apart from the other, or an actor elsewhere than on the peer it is bound to, or where its key is not (A6). Written to be obvious and nothing else: it sums up everything each time.

import { type BootId, peerOfBoot, typeOfActor } from '../../mesh/ids.ts'
import type { ActorEntry, RegistryState } from '../../mesh/registry/types.ts'

export function overcommitted({ actors, peers }: RegistryState): string[] {
  const wrong = [...actors.values()]
    .filter(
      ({ home, options: { placement } }) => home && placement?.peer && peerOfBoot(home) !== placement.peer,
    )
    .map(({ key, home }) => `A6 ${key} is bound to another peer than that of ${home}`)
  for (const { key, home, options } of actors.values()) {
    const peer = [...peers.values()].find(({ boot }) => boot === home)
    if (peer && options.keyId !== undefined && peer.keyId !== options.keyId)
      wrong.push(`A6 ${key} is on ${home}, which has not its key`)
  }
  for (const [home, there] of neighbours(actors.values())) {
    const sums: Record<string, number> = {}
    for (const { options } of there)
      for (const [name, amount] of Object.entries(options.placement?.resources ?? {}))
        sums[name] = (sums[name] ?? 0) + amount
    const peer = [...peers.values()].find(({ boot }) => boot === home)
    // Of a boot that was replaced nobody knows any more what it offered.
    if (peer)
      for (const [name, sum] of Object.entries(sums))
        if (sum > (peer.resources?.[name] ?? 0) + 1e-9)
          wrong.push(`A6 ${home} offers ${name}=${peer.resources?.[name] ?? 0} and its actors use ${sum}`)
    for (const one of there)
      for (const other of there)
        if (one !== other && one.options.placement?.apartFrom?.includes(typeOfActor(other.key)))
          wrong.push(`A6 ${one.key} keeps apart from ${other.key}, and both are on ${home}`)
  }
  return wrong
}

/** Actors by home, of those homes where somebody asks for anything. */
function neighbours(actors: Iterable<ActorEntry>): Map<BootId, ActorEntry[]> {
  const homes = new Map<BootId, ActorEntry[]>()
  for (const actor of actors) {
    const { home } = actor
    if (home === null) continue
    homes.set(home, [...(homes.get(home) ?? []), actor])
  }
  for (const [home, there] of homes)
    if (!there.some(({ options: { placement } }) => placement?.resources || placement?.apartFrom))
      homes.delete(home)
  return homes
}
