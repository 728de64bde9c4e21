import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ActorKey } from '../../mesh/ids.ts'
import { AgendaFullError, StateError, UnknownMethodError } from '../errors.ts'
import type { AlarmFailed, SendFailed } from './runtime-events.ts'
import { attempts, Inbox, runs, Sender } from './test-support/agenda-types.ts'
import { FakeMesh, hostOf } from './test-support/fake-mesh.ts'

const opened: FakeMesh[] = []
beforeEach(() => {
  attempts.failures.count = 0
  runs.idle = 0
})
afterEach(() => {
  for (const mesh of opened.splice(0)) for (const node of mesh.nodes.values()) node.runtime.close()
})

interface Stage {
  readonly mesh: FakeMesh
  readonly sends: SendFailed[]
  readonly alarms: AlarmFailed[]
  readonly sender: ReturnType<typeof senderOf>
  /** What the inbox got. */
  got(name: string): Promise<readonly string[]>
  /** Nothing is left to be sent anywhere. */
  sent(): Promise<void>
}

const senderOf = (mesh: FakeMesh, name = 's') => first(mesh).runtime.ref(Sender, name)
/** The app's peer, which hosts nothing and does not crash. */
const first = (mesh: FakeMesh) => mesh.node('app')

async function stage(names = 'abcd', seed = 1): Promise<Stage> {
  const mesh = new FakeMesh(seed)
  opened.push(mesh)
  const sends: SendFailed[] = []
  const alarms: AlarmFailed[] = []
  const events = {
    sendFailed: (event: SendFailed) => void sends.push(event),
    alarmFailed: (event: AlarmFailed) => void alarms.push(event),
  }
  await mesh.start('app', [], { events })
  for (const name of names) await mesh.start(name, [Sender, Inbox], { events })
  return {
    mesh,
    sends,
    alarms,
    sender: senderOf(mesh),
    got: async (name) => mesh.clock.until(first(mesh).runtime.ref(Inbox, name).all()),
    sent: () =>
      mesh.clock.untilTrue(() => [...mesh.nodes.values()].every(({ runtime }) => runtime.agenda.sends === 0)),
  }
}

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => {
      throw new Error(`resolved with ${String(value)}`)
    },
    (error: unknown) => error,
  )

describe('sends', () => {
  test('resolve at once, are delivered in order, once, and leave the agenda', async () => {
    const { mesh, sender, got, sent } = await stage()
    expect(await mesh.clock.until(sender.send('x', '1', '2', '3'))).toBe(3)
    await mesh.clock.until(sender.send('x', '4'))
    await mesh.clock.until(sender.send('y', 'other'))
    await sent()
    expect(await got('x')).toEqual(['1', '2', '3', '4'])
    expect(await got('y')).toEqual(['other'])
  })

  test('a method that throws has sent and scheduled nothing', async () => {
    const { mesh, sender, got, sent } = await stage()
    await mesh.clock.until(failure(sender.sendAndThrow('x', 'never')))
    await mesh.clock.until(failure(sender.afterAndThrow(10)))
    await mesh.clock.until(sender.send('x', 'yes'))
    await sent()
    await mesh.clock.run(5000)
    expect(await got('x')).toEqual(['yes'])
    expect(await mesh.clock.until(sender.rung())).toEqual([])
  })

  test('S1: nothing leaves before its record is acknowledged', async () => {
    const { mesh, sender, got, sent } = await stage('abcdef')
    await mesh.clock.until(sender.send('x', 'first'))
    await sent()
    const host = hostOf(mesh, 'Sender/s')
    const [log] = mesh.journalsOf(host)
    for (const { peer } of log!.keepers) if (peer !== host) log!.slow.add(peer)
    void sender.send('x', 'second').catch(() => {})
    await mesh.clock.run(1000)
    if (hostOf(mesh, 'Inbox/x') !== host) expect(await got('x')).toEqual(['first'])
    log!.slow.clear()
    await mesh.clock.run(1000)
    expect(await got('x')).toEqual(['first', 'second'])
  })

  test('S2, S3: the host dies at any moment of a delivery: each arrives once, in order', async () => {
    for (let seed = 1; seed <= 30; seed++) {
      const { mesh, sender, got, sent } = await stage('abcd', seed)
      await mesh.clock.until(sender.send('x', '0'))
      const texts = Array.from({ length: 6 }, (_, index) => String(index + 1))
      await mesh.clock.until(sender.send('x', ...texts))
      await mesh.clock.run(mesh.random() * 60)
      mesh.crash(hostOf(mesh, 'Sender/s'))
      await mesh.clock.run(1000)
      await sent()
      expect(await got('x'), `seed ${seed}`).toEqual(['0', ...texts])
    }
  })

  test('the host of the target dies: each arrives once, in order', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { mesh, sender, got, sent } = await stage('abcd', seed)
      await mesh.clock.until(sender.send('x', '0', '1', '2', '3', '4'))
      await mesh.clock.run(mesh.random() * 60)
      const host = hostOf(mesh, 'Inbox/x')
      if (host !== '') mesh.crash(host)
      await mesh.clock.run(1000)
      await sent()
      expect(await got('x'), `seed ${seed}`).toEqual(['0', '1', '2', '3', '4'])
    }
  })

  test('a host that is cut off and comes back, and one that is deposed, deliver nothing twice', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const { mesh, sender, got, sent } = await stage('abcde', seed)
      await mesh.clock.until(sender.send('x', '0', '1', '2'))
      const host = hostOf(mesh, 'Sender/s')
      if (seed % 2 === 0) mesh.depose(host)
      else mesh.isolate(host)
      await mesh.clock.run(3000)
      mesh.heal()
      await mesh.clock.until(sender.send('x', '3'))
      await mesh.clock.run(3000)
      await sent()
      expect(await got('x'), `seed ${seed}`).toEqual(['0', '1', '2', '3'])
    }
  })

  test('a move takes the agenda along', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const { mesh, sender, got, sent } = await stage('abcd', seed)
      await mesh.clock.until(sender.send('x', '0', '1', '2', '3'))
      const { key: actor, epoch } = mesh.registry.actors.get('Sender/s' as ActorKey)!
      await mesh.clock.until(first(mesh).peer.command({ kind: 'move', actor, epoch }))
      await mesh.clock.until(sender.send('x', '4'))
      await mesh.clock.run(1000)
      await sent()
      expect(await got('x'), `seed ${seed}`).toEqual(['0', '1', '2', '3', '4'])
    }
  })

  test('the whole mesh ends and starts again: what was not delivered is delivered', async () => {
    const { mesh, sender, got, sent } = await stage()
    await mesh.clock.until(sender.send('x', '0'))
    await sent()
    mesh.headUp = false // so that the new inbox below can't be made yet
    await mesh.clock.until(sender.send('later', '1'))
    for (const name of 'abcd') mesh.crash(name)
    mesh.headUp = true
    for (const name of 'abcd') await mesh.start(name, [Sender, Inbox])
    await mesh.clock.run(2000)
    await sent()
    expect(await got('later')).toEqual(['1'])
  })

  test('a send that changes nothing is settled by a record too: again, at another home, it finds that', async () => {
    const { mesh, sender, got, sent } = await stage('abcdef', 3)
    await mesh.clock.until(sender.send('x', 'first'))
    await sent()
    const before = await got('x')
    await mesh.clock.until(sender.idle('x'))
    const host = hostOf(mesh, 'Sender/s')
    await mesh.clock.run(100) // answered, and not taken out yet
    mesh.crash(host)
    const { key: actor, epoch } = mesh.registry.actors.get('Inbox/x' as ActorKey)!
    if (mesh.registry.actors.get('Inbox/x' as ActorKey)!.home !== null)
      await mesh.clock.until(first(mesh).peer.command({ kind: 'move', actor, epoch }))
    await mesh.clock.run(5000)
    await sent()
    expect(await got('x')).toEqual(before)
    expect(runs.idle).toBe(1)
  })

  test('an error of the target is told once its entry is out for good, and the next ones arrive', async () => {
    const { mesh, sender, sends, got, sent } = await stage()
    await mesh.clock.until(sender.refused('x', 'bad'))
    await mesh.clock.until(sender.send('x', 'good'))
    await sent()
    expect(await got('x')).toEqual(['good'])
    await mesh.clock.untilTrue(() => sends.length > 0)
    expect(sends).toEqual([
      expect.objectContaining({ from: 'Sender/s', type: 'Inbox', name: 'x', method: 'refuse' }),
    ])
    expect(String(sends[0]!.error)).toContain('no bad')
  })

  test('S4: a failure is told only when nobody delivers it again', async () => {
    const { mesh, sender, sends } = await stage('abcdef')
    await mesh.clock.until(sender.send('x', 'first'))
    await mesh.clock.run(1000)
    const refusing = sender.refused('x', 'bad')
    const host = hostOf(mesh, 'Sender/s')
    await mesh.clock.until(refusing)
    const [log] = mesh.journalsOf(host)
    for (const { peer } of log!.keepers) if (peer !== host) log!.slow.add(peer) // the removal is not acknowledged
    await mesh.clock.run(2000)
    expect(sends).toEqual([])
    log!.slow.clear()
    await mesh.clock.untilTrue(() => sends.length > 0)
  })

  test('a target that was stopped drops the entry with a report; its successor gets nothing of it', async () => {
    const { mesh, sender, sends, got, sent } = await stage()
    await mesh.clock.until(sender.send('x', 'old'))
    await sent()
    const { runtime } = first(mesh)
    await mesh.clock.until(runtime.stop('Inbox', 'x'))
    await mesh.clock.until(sender.send('x', 'to nobody'))
    await mesh.clock.untilTrue(() => sends.length > 0)
    expect(sends).toEqual([expect.objectContaining({ name: 'x' })])
    expect(sends[0]!.error).toMatchObject({ code: 'ACTOR_DIED' })
    await mesh.clock.until(mesh.node('a').runtime.create(Inbox, 'x'))
    await mesh.clock.until(sender.send('x', 'new'))
    await sent()
    expect(await got('x')).toEqual(['new'])
  })

  test('S5: what was delivered to one life of the target is not delivered again to the next', async () => {
    const { mesh, sender, got, sent } = await stage('abcdef')
    await mesh.clock.until(sender.send('x', 'old'))
    await mesh.clock.until(first(mesh).runtime.ref(Inbox, 'x').all())
    await mesh.clock.untilTrue(() => hostOf(mesh, 'Inbox/x') !== '')
    await mesh.clock.run(40) // delivered, and its removal not written yet
    mesh.crash(hostOf(mesh, 'Sender/s'))
    await mesh.clock.until(first(mesh).runtime.stop('Inbox', 'x'))
    const able = [...mesh.nodes.values()].find(({ runtime }) => runtime.types.includes('Inbox'))!
    await mesh.clock.until(able.runtime.create(Inbox, 'x'))
    await mesh.clock.run(3000)
    await sent()
    expect(await got('x')).toEqual([])
  })

  test('stopped and made again: nothing of the old agenda is done', async () => {
    const { mesh, sender, got } = await stage()
    mesh.headUp = true
    await mesh.clock.until(sender.send('x', '0'))
    await mesh.clock.until(sender.after(5000, 'never'))
    await mesh.clock.until(first(mesh).runtime.stop('Sender', 's'))
    await mesh.clock.until(mesh.node('a').runtime.create(Sender, 's'))
    await mesh.clock.until(sender.send('x', '1'))
    await mesh.clock.run(10_000)
    expect(await mesh.clock.until(sender.rung())).toEqual([])
    expect((await got('x')).at(-1)).toBe('1')
  })

  test('a limit on how many wait, with an error that changes nothing', async () => {
    const { mesh, sender, got, sent } = await stage()
    const error = await mesh.clock.until(failure(sender.flood('x', 10_001)))
    expect(error).toMatchObject({ code: 'AGENDA_FULL', executed: 'no' })
    expect(error).toBeInstanceOf(AgendaFullError)
    await mesh.clock.until(sender.send('x', 'one'))
    await sent()
    expect(await got('x')).toEqual(['one'])
  })

  test('a read-only method can not send', async () => {
    const { mesh, sender } = await stage()
    expect(await mesh.clock.until(failure(sender.look('x')))).toBeInstanceOf(StateError)
  })

  test('outside of an actor: resolves at once, and a failure is told', async () => {
    const { mesh, sends, got } = await stage()
    const { runtime } = first(mesh)
    await runtime.ref(Inbox, 'x').send.put('from the app')
    await runtime.ref(Inbox, 'x').send.refuse('bad')
    await mesh.clock.untilTrue(() => runtime.pending === 0)
    expect(await got('x')).toEqual(['from the app'])
    expect(sends).toEqual([expect.objectContaining({ from: undefined, method: 'refuse' })])
    expect(await failure(runtime.ref(Inbox, 'x').send.put((() => {}) as unknown as string))).toMatchObject({
      code: 'UNSERIALISABLE_STATE',
    })
  })

  test("a class's own method `send` is still called by its name", async () => {
    const { mesh, sender, got, sent } = await stage()
    await mesh.clock.until(sender.send.send('x', 'one way'))
    await mesh.clock.run(1000)
    await sent()
    expect(await got('x')).toEqual(['one way'])
  })
})

describe('alarms', () => {
  test('run at their time, once; late ones at once; cancelled and replaced ones not', async () => {
    const { mesh, sender } = await stage()
    await mesh.clock.until(sender.after(2000, 'two'))
    await mesh.clock.until(sender.after(1000, 'one'))
    await mesh.clock.until(sender.after(-500, 'late'))
    await mesh.clock.until(sender.after(1500, 'replaced', 'own'))
    await mesh.clock.until(sender.after(3000, 'three', 'own'))
    const gone = await mesh.clock.until(sender.after(1200, 'cancelled'))
    expect(await mesh.clock.until(sender.cancel(gone))).toBe(true)
    expect(await mesh.clock.until(sender.cancel(gone))).toBe(false)
    expect((await mesh.clock.until(sender.alarms())).map((text) => text.replace(/^#\d+/, '#'))).toEqual([
      '# ring one',
      '# ring two',
      'own ring three',
    ])
    await mesh.clock.run(1100)
    expect(await mesh.clock.until(sender.rung())).toEqual(['late', 'one'])
    await mesh.clock.run(5000)
    expect(await mesh.clock.until(sender.rung())).toEqual(['late', 'one', 'two', 'three'])
    expect(await mesh.clock.until(sender.alarms())).toEqual([])
  })

  test('M3: cancelled while it waits for its turn, it is not run', async () => {
    const { mesh, sender } = await stage()
    await mesh.clock.until(sender.after(1000, 'never', 'own'))
    await mesh.clock.run(900)
    const slow = sender.slowly(60)
    await mesh.clock.run(10)
    const cancelled = sender.cancel('own')
    await mesh.clock.run(5000)
    expect(await mesh.clock.until(Promise.all([slow, cancelled]))).toEqual([undefined, true])
    expect(await mesh.clock.until(sender.rung())).toEqual([])
  })

  test('M2: the host dies at any moment around the time: the change happens once', async () => {
    for (let seed = 1; seed <= 30; seed++) {
      const { mesh, sender } = await stage('abcd', seed)
      await mesh.clock.until(sender.after(500, 'once'))
      await mesh.clock.run(460 + mesh.random() * 60)
      mesh.crash(hostOf(mesh, 'Sender/s'))
      await mesh.clock.run(4000)
      expect(await mesh.clock.until(sender.rung()), `seed ${seed}`).toEqual(['once'])
      expect(await mesh.clock.until(sender.alarms()), `seed ${seed}`).toEqual([])
    }
  })

  test('M1: what its method calls happens once, although the method runs again at the next home', async () => {
    for (let seed = 1; seed <= 30; seed++) {
      const { mesh, sender, got } = await stage('abcd', seed)
      await mesh.clock.until(sender.tell(500, 'x', 'told'))
      await mesh.clock.run(500 + mesh.random() * 60)
      mesh.crash(hostOf(mesh, 'Sender/s'))
      await mesh.clock.run(8000)
      expect(await got('x'), `seed ${seed}`).toEqual(['told'])
      expect(await mesh.clock.until(sender.rung()), `seed ${seed}`).toEqual(['told'])
    }
  })

  test('a host that was replaced without knowing it runs none; its successor does', async () => {
    const { mesh, sender } = await stage('abcde')
    await mesh.clock.until(sender.after(3000, 'once'))
    const host = hostOf(mesh, 'Sender/s')
    mesh.isolate(host)
    await mesh.clock.run(8000)
    expect(await mesh.clock.until(sender.rung())).toEqual(['once'])
    mesh.heal()
    await mesh.clock.run(5000)
    expect(await mesh.clock.until(sender.rung())).toEqual(['once'])
  })

  test('an interval goes on, at a new home too, and one that missed several times runs once', async () => {
    const { mesh, sender } = await stage()
    await mesh.clock.until(sender.every(1000, 'tick'))
    await mesh.clock.run(3500)
    expect(await mesh.clock.until(sender.rung())).toHaveLength(3)
    for (const name of 'abcd') mesh.crash(name)
    await mesh.clock.run(10_000)
    for (const name of 'abcd') await mesh.start(name, [Sender, Inbox])
    await mesh.clock.run(1500)
    const after = (await mesh.clock.until(sender.rung())).length
    expect(after).toBeGreaterThanOrEqual(4)
    expect(after).toBeLessThanOrEqual(6)
    await mesh.clock.run(3000)
    expect((await mesh.clock.until(sender.rung())).length).toBe(after + 3)
    expect(await mesh.clock.until(sender.cancel('tick'))).toBe(true)
    await mesh.clock.run(3000)
    expect((await mesh.clock.until(sender.rung())).length).toBeLessThanOrEqual(after + 4)
  })

  test('one whose method throws is tried again, told each time, and given up after five', async () => {
    const { mesh, sender, alarms } = await stage()
    await mesh.clock.until(sender.fail(100, 2))
    await mesh.clock.run(30_000)
    expect(alarms.map(({ attempt, willRetry }) => [attempt, willRetry])).toEqual([
      [1, true],
      [2, true],
    ])
    expect(await mesh.clock.until(sender.rung())).toEqual(['not kept'])
    attempts.failures.count = 0
    await mesh.clock.until(sender.fail(100, 99))
    await mesh.clock.run(300_000)
    expect(alarms.slice(2).map(({ attempt, willRetry }) => [attempt, willRetry])).toEqual([
      [1, true],
      [2, true],
      [3, true],
      [4, true],
      [5, false],
    ])
    expect(alarms[6]).toMatchObject({ actor: 'Sender/s', id: 'failing', method: 'throwing' })
    expect(attempts.failures.count).toBe(5)
    expect(await mesh.clock.until(sender.alarms())).toEqual([])
  })

  test('what can not be: a method that is not there, a time too far, an interval too short, an id of theirs', async () => {
    class Wrong extends Sender {
      wrong(kind: string): void {
        if (kind === 'method') this.schedule.after(1, 'nothing' as 'ring')
        if (kind === 'far') this.schedule.after(11 * 366 * 24 * 3600 * 1000, 'ring')
        if (kind === 'nan') this.schedule.at(new Date(Number.NaN), 'ring')
        if (kind === 'short') this.schedule.every(0, 'ring')
        if (kind === 'id') this.schedule.with({ id: '#1' }).after(1, 'ring')
        if (kind === 'many') for (let n = 0; n < 1001; n++) this.schedule.after(1000, 'ring')
        if (kind === 'large') this.schedule.after(1, 'ring', 'x'.repeat(70_000))
      }
    }
    const mesh = new FakeMesh()
    opened.push(mesh)
    await mesh.start('a', [Wrong])
    const { runtime } = mesh.node('a')
    const wrong = (kind: string): Promise<unknown> =>
      mesh.clock.until(failure(runtime.ref(Wrong, 'w').wrong(kind)))
    expect(await wrong('method')).toBeInstanceOf(UnknownMethodError)
    for (const kind of ['far', 'nan', 'short', 'id'])
      expect(await wrong(kind)).toMatchObject({ code: 'BAD_INPUT' })
    expect(await wrong('many')).toMatchObject({ code: 'AGENDA_FULL' })
    expect(await wrong('large')).toMatchObject({ code: 'TOO_LARGE' })
  })
})
