// Which of two streams becomes the link: the table alone, with links that answer or do not.

import { describe, expect, it } from 'vitest'
import { bootId, peerId } from '../../mesh/ids.ts'
import type { StreamEnd } from './framed-stream.ts'
import type { Link } from './link.ts'
import { LinkTable } from './link-table.ts'

const peer = peerId('12D3KooWB')
const ownBoot = bootId(peerId('12D3KooWA'), '0'.repeat(32))
const boots = ['1', '2'].map((digit) => bootId(peer, digit.repeat(32)))
const introduction = (boot: number) => ({
  boot: boots[boot] as (typeof boots)[0] & string,
  name: '',
  addresses: [],
})

class FakeLink {
  readonly peer = peer
  readonly localBoot = ownBoot
  readonly boot: string
  readonly #alive: boolean
  readonly #ended = Promise.withResolvers<StreamEnd>()
  readonly stream: { end: StreamEnd | undefined; ended: Promise<StreamEnd> } = {
    end: undefined,
    ended: this.#ended.promise,
  }
  constructor(boot: number, alive = true) {
    this.boot = boots[boot] as string
    this.#alive = alive
  }
  start(): void {}
  async verify(): Promise<boolean> {
    return this.#alive
  }
  close(end: StreamEnd): void {
    this.stream.end ??= end
    this.#ended.resolve(end)
  }
}

const table = (): { links: LinkTable; story: string[]; activate: (link: FakeLink) => void } => {
  const story: string[] = []
  const links = new LinkTable({
    boot: () => ownBoot,
    opened: (link) => story.push(`opened ${boots.indexOf(link.boot)}`),
    closed: (link) => story.push(`closed ${boots.indexOf(link.boot)}`),
  })
  return { links, story, activate: (link) => links.activate(link as unknown as Link) }
}

describe('link table', () => {
  it('takes the first stream, and refuses a second of the same boot while the first answers: N1', async () => {
    const { links, activate, story } = table()
    const release = await links.decide(peer, introduction(0))
    activate(new FakeLink(0))
    release?.()
    expect(await links.decide(peer, introduction(0))).toBeUndefined()
    expect(story).toEqual(['opened 0'])
  })

  it('replaces a link that does not answer any more, and at once one of an older boot: N1 N2', async () => {
    const { links, activate, story } = table()
    activate(new FakeLink(0, false))
    ;(await links.decide(peer, introduction(0)))?.()
    activate(new FakeLink(0))
    const release = await links.decide(peer, introduction(1))
    expect(release).toBeDefined()
    activate(new FakeLink(1))
    release?.()
    expect(story).toEqual(['opened 0', 'closed 0', 'opened 0', 'closed 0', 'opened 1'])
  })

  it('of two decisions at once lets the second wait for the first: N3', async () => {
    const { links, activate } = table()
    const first = await links.decide(peer, introduction(0))
    let decided = false
    const second = links.decide(peer, introduction(0)).then((release) => {
      decided = true
      return release
    })
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(decided).toBe(false)
    activate(new FakeLink(0))
    first?.()
    expect(await second).toBeUndefined()
  })

  it('says closed once, and never for a stream that was dead on arrival: N2', async () => {
    const { links, activate, story } = table()
    const [dead, link] = [new FakeLink(0), new FakeLink(0)]
    dead.close({ kind: 'remote', detail: '' })
    activate(dead)
    activate(link)
    link.close({ kind: 'remote', detail: '' })
    expect(links.get(peer)).toBeUndefined()
    await new Promise((resolve) => setTimeout(resolve, 0))
    links.closeAll({ kind: 'local', detail: '' })
    expect(story).toEqual(['opened 0', 'closed 0'])
  })
})
