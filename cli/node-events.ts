// Follows a node's events and tells them as lines. Recovered actors come in crowds: they are gathered for a moment.

import type { Logger } from 'pino'
import type { ActorRecovered, MeshNode } from '../node/api.ts'
import { EVENT_TEXT, recoveredLines } from './node-text.ts'

/** Longer than the spread of one report's events, shorter than a reader's patience. */
const GATHER_MS = 250

type Telling = Pick<MeshNode, 'on' | 'status' | 'peerId'>

/** Returns the function that ends it. */
export function tellEvents(node: Telling, log: Logger): () => void {
  let told: readonly string[] = []
  const tellNewWarnings = (): void => {
    const { warnings } = node.status()
    for (const warning of warnings) if (!told.includes(warning)) log.warn(`warning: ${warning}`)
    told = warnings
  }
  tellNewWarnings()

  let gathered: ActorRecovered[] = []
  let timer: NodeJS.Timeout | undefined
  const tellGathered = (): void => {
    timer = undefined
    for (const line of recoveredLines(gathered)) log.info(line)
    gathered = []
  }

  const line = <E extends keyof typeof EVENT_TEXT>(event: E): (() => void) =>
    node.on(event, (detail) => {
      const level = event === 'warning' || event === 'deposed' ? 'warn' : 'info'
      const fields: object = { event, ...detail }
      log[level](fields, EVENT_TEXT[event](detail, node.peerId))
      if (event !== 'warning') tellNewWarnings()
    })
  const ends = [
    line('peer:joined'),
    line('peer:lost'),
    line('head:changed'),
    line('deposed'),
    line('warning'),
    node.on('actor:recovered', (actor) => {
      gathered.push(actor)
      timer ??= setTimeout(tellGathered, GATHER_MS)
    }),
  ]
  return () => {
    for (const end of ends) end()
    if (timer !== undefined) clearTimeout(timer)
    tellGathered()
  }
}
