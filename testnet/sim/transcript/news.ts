// What a committed change of the registry did, in words: the difference between two states of it.

import { type ActorKey, nameOfActor, peerOfBoot } from '../../../mesh/ids.ts'
import type { ActorEntry, RegistryState } from '../../../mesh/registry/types.ts'
import type { Names } from './names.ts'
import { peersOf } from './wording.ts'

/** A state as it was: the registry's tables go on changing, their entries do not. */
export interface Remembered extends Pick<RegistryState, 'boots' | 'journals'> {
  readonly actors: ReadonlyMap<ActorKey, ActorEntry>
}
export const remember = ({ boots, journals, actors }: RegistryState): Remembered => ({
  boots: new Map(boots),
  journals: new Map(journals),
  actors: new Map(actors),
})

export function registryNews(before: Remembered | undefined, after: RegistryState, names: Names): string[] {
  names.learnJournals(after)
  return [
    ...bootNews(before, after, names),
    ...journalNews(before, after, names),
    ...actorNews(before, after, names),
  ]
}

function bootNews(before: Remembered | undefined, after: RegistryState, names: Names): string[] {
  const news: string[] = []
  for (const { boot, status } of after.boots.values()) {
    const old = before?.boots.get(boot)?.status
    if (old === status) continue
    if (status === 'live') news.push(`${names.boot(boot)} is admitted`)
    else news.push(`${names.boot(boot)} is ${status}`)
  }
  return news
}

function journalNews(before: Remembered | undefined, after: RegistryState, names: Names): string[] {
  const news: string[] = []
  for (const { key, boot, status, keepers } of after.journals.values()) {
    const old = before?.journals.get(key)
    if (!old) news.push(`${names.log(key)} is opened by ${names.boot(boot)}, kept by ${peersOf(keepers)}`)
    if (status.kind !== 'open' && old?.status.kind !== status.kind)
      news.push(`${names.log(key)} is ${status.kind} at ${status.length}`)
  }
  for (const key of before?.journals.keys() ?? [])
    if (!after.journals.has(key)) news.push(`${names.log(key)} is retired`)
  return news
}

function actorNews(before: Remembered | undefined, after: RegistryState, names: Names): string[] {
  const news: string[] = []
  for (const actor of after.actors.values()) {
    const old = before?.actors.get(actor.key)
    const name = nameOfActor(actor.key)
    if (old?.incarnation !== actor.incarnation || old.epoch !== actor.epoch)
      news.push(`${name} has epoch ${actor.epoch} and ${homeOf(actor)}${sourcesOf(actor, names)}`)
    else if (old.home !== actor.home) news.push(`${name} has ${homeOf(actor)}`)
    if (actor.status.kind !== (old?.status.kind ?? 'running')) news.push(`${name} is ${statusOf(actor)}`)
  }
  return news
}

const homeOf = ({ home }: ActorEntry): string => (home === null ? 'no home' : `home ${peerOfBoot(home)}`)

const sourcesOf = ({ sources }: ActorEntry, names: Names): string =>
  sources.length === 0
    ? ''
    : `, its state in ${sources.map(({ journal, length }) => `${names.log(journal)} below ${length}`).join(', ')}`

const statusOf = ({ status }: ActorEntry): string =>
  status.kind === 'moving' && status.to ? `moving to ${status.to}` : status.kind
