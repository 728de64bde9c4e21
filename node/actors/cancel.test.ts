import { afterEach, describe, expect, test } from 'vitest'
import { CallCancelledError, StateError } from '../errors.ts'
import type { ServiceFrame } from '../ports.ts'
import { Actor } from './actor.ts'
import { FakeMesh, hostOf } from './test-support/fake-mesh.ts'

interface Steps {
  steps: string[]
}

/** What each actor's methods saw, beside the state: it survives a throw. */
const seen: string[] = []
const gates = new Map<string, PromiseWithResolvers<void>>()
const gate = (name: string): PromiseWithResolvers<void> => {
  const known = gates.get(name) ?? Promise.withResolvers<void>()
  gates.set(name, known)
  return known
}

let broken = false
let leaked: () => unknown = () => undefined

class Worker extends Actor<Steps> {
  override state: Steps = { steps: [] }
  constructor() {
    super()
    if (broken) throw new Error('not ready')
  }
  async step(name: string, wait = ''): Promise<number> {
    seen.push(`${this.context.name} begins ${name}`)
    if (wait !== '') await gate(wait).promise
    this.state.steps.push(name)
    return this.state.steps.length
  }
  /** Ends when it is told to. */
  async heed(name: string): Promise<void> {
    const { signal } = this.context
    this.state.steps.push(name)
    seen.push(`${this.context.name} heeds`)
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    seen.push(`${this.context.name} is told`)
    signal.throwIfAborted()
  }
  async delegate(to: string, name: string): Promise<void> {
    const other = this.context.actor(Worker, to)
    await other.step(`durable ${name}`)
    try {
      await other.heed(name)
    } catch (error) {
      seen.push(`${this.context.name} caught ${(error as Error).name}`)
      throw error
    }
  }
  /** Gives up on another actor, and goes on. */
  async impatient(to: string): Promise<string> {
    const giveUp = new AbortController()
    const answer = this.context.actor(Worker, to).with({ signal: giveUp.signal }).heed('for a moment')
    await Promise.resolve()
    await gate(`patience of ${this.context.peer}`).promise
    giveUp.abort()
    this.state.steps.push('gave up')
    return await answer.then(
      () => 'answered',
      (error: Error) => error.name,
    )
  }
  leak(): void {
    const { context } = this
    leaked = () => context.signal
  }
  read(): readonly string[] {
    return this.state.steps
  }
}

const opened: FakeMesh[] = []
afterEach(() => {
  seen.length = 0
  gates.clear()
  for (const mesh of opened.splice(0)) for (const node of mesh.nodes.values()) node.runtime.close()
})

async function threePeers(seed = 1): Promise<FakeMesh> {
  const mesh = new FakeMesh(seed)
  opened.push(mesh)
  for (const name of ['a', 'b', 'c']) await mesh.start(name, [Worker])
  return mesh
}

const failure = async (call: Promise<unknown>): Promise<CallCancelledError> => {
  const error: unknown = await call.then(
    (value) => new Error(`resolved with ${String(value)}`),
    (caught: unknown) => caught,
  )
  expect(error).toBeInstanceOf(CallCancelledError)
  return error as CallCancelledError
}

/** A peer whose host of `Worker/x` is another one. */
const callerOf = (mesh: FakeMesh, actor = 'Worker/x'): string =>
  ['a', 'b', 'c'].find((name) => name !== hostOf(mesh, actor))!

/** Every service frame that the peer sends from now on. */
function tap(mesh: FakeMesh, name: string): { readonly to: string; readonly frame: ServiceFrame }[] {
  const { peer } = mesh.node(name)
  const sent: { to: string; frame: ServiceFrame }[] = []
  const send = peer.sendService.bind(peer)
  peer.sendService = (to, frame) => {
    sent.push({ to, frame })
    return send(to, frame)
  }
  return sent
}
const kind = (frame: ServiceFrame): string => (frame.body as { readonly t: string }).t

describe('cancelled calls', () => {
  test('an aborted signal ends a call before anything is sent', async () => {
    const mesh = await threePeers()
    const { runtime } = mesh.node('a')
    const sent = tap(mesh, 'a')
    const error = await failure(
      runtime
        .ref(Worker, 'x')
        .with({ signal: AbortSignal.abort('no longer wanted') })
        .step('one'),
    )
    expect({ code: error.code, executed: error.executed, cause: error.cause }).toEqual({
      code: 'CALL_CANCELLED',
      executed: 'no',
      cause: 'no longer wanted',
    })
    expect(sent).toEqual([])
    // While the actor is still being made there is nothing to cancel at a host either.
    const early = new AbortController()
    const call = runtime.ref(Worker, 'x').with({ signal: early.signal }).step('two')
    early.abort()
    expect((await failure(call)).executed).toBe('no')
    await mesh.clock.run(1000)
    expect(await mesh.clock.until(runtime.ref(Worker, 'x').read())).toEqual([])
    expect(runtime.pending).toBe(0)
  })

  test('L5 a call that waits in the mailbox is dropped there and never runs, and rejects at once', async () => {
    const mesh = await threePeers()
    const x = mesh.node('a').runtime.ref(Worker, 'x')
    await mesh.clock.until(x.read())
    const from = mesh.node(callerOf(mesh)).runtime.ref(Worker, 'x')
    const running = from.step('first', 'first')
    const giveUp = new AbortController()
    const waiting = from.with({ signal: giveUp.signal }).step('second')
    const third = from.step('third')
    await mesh.clock.run(50)
    const before = mesh.clock.now()
    giveUp.abort()
    expect((await failure(waiting)).executed).toBe('unknown')
    expect(mesh.clock.now()).toBe(before)
    await mesh.clock.run(50)
    gate('first').resolve()
    expect(await mesh.clock.until(Promise.all([running, third]))).toEqual([1, 2])
    expect(await mesh.clock.until(x.read())).toEqual(['first', 'third'])
    expect(seen).not.toContain('x begins second')
  })

  test('a call that runs sees its signal aborted, and what it changed is undone by its throw', async () => {
    const mesh = await threePeers()
    const x = mesh.node('a').runtime.ref(Worker, 'x')
    await mesh.clock.until(x.step('before'))
    const giveUp = new AbortController()
    const call = failure(x.with({ signal: giveUp.signal }).heed('during'))
    await mesh.clock.untilTrue(() => seen.includes('x heeds'))
    giveUp.abort()
    await mesh.clock.until(call)
    expect(await mesh.clock.until(x.read())).toEqual(['before'])
    expect(seen).toContain('x is told')
  })

  test('the calls that it made are cancelled too; what they made durable stays', async () => {
    const mesh = await threePeers()
    const { runtime } = mesh.node('a')
    const giveUp = new AbortController()
    const call = failure(runtime.ref(Worker, 'x').with({ signal: giveUp.signal }).delegate('y', 'job'))
    await mesh.clock.untilTrue(() => seen.includes('y heeds'))
    giveUp.abort()
    await mesh.clock.until(call)
    await mesh.clock.untilTrue(() => seen.includes('y is told'))
    expect(seen).toContain('x caught CallCancelledError')
    expect(await mesh.clock.until(runtime.ref(Worker, 'y').read())).toEqual(['durable job'])
  })

  test('G3 a late copy of a cancelled call is not run, whether it waited or ran', async () => {
    const mesh = await threePeers()
    await mesh.clock.until(mesh.node('a').runtime.ref(Worker, 'x').read())
    const caller = callerOf(mesh)
    const { runtime, peer } = mesh.node(caller)
    const x = runtime.ref(Worker, 'x')
    const blocking = x.step('first', 'first') // an older number without an answer keeps the floor down
    await mesh.clock.run(50)
    const sent = tap(mesh, caller)
    const giveUp = new AbortController()
    const waiting = failure(x.with({ signal: giveUp.signal }).step('second'))
    await mesh.clock.run(50)
    giveUp.abort()
    await waiting
    expect(sent.map(({ frame }) => kind(frame))).toEqual(['call', 'cancel'])
    await mesh.clock.run(50)
    peer.sendService(sent[0]!.to as never, sent[0]!.frame)
    await mesh.clock.run(50)
    gate('first').resolve()
    await mesh.clock.until(blocking)
    await mesh.clock.run(1000)
    peer.sendService(sent[0]!.to as never, sent[0]!.frame)
    await mesh.clock.run(1000)
    expect(await mesh.clock.until(x.read())).toEqual(['first'])
  })

  test('a copy that overtakes its cancellation, and one that was sent again, are the same call', async () => {
    const mesh = await threePeers()
    await mesh.clock.until(mesh.node('a').runtime.ref(Worker, 'x').read())
    const caller = callerOf(mesh)
    const { runtime, peer } = mesh.node(caller)
    const x = runtime.ref(Worker, 'x')
    const blocking = x.step('first', 'first')
    await mesh.clock.run(50)
    const sent = tap(mesh, caller)
    const giveUp = new AbortController()
    const waiting = failure(x.with({ signal: giveUp.signal }).step('second'))
    await mesh.clock.run(50)
    peer.sendService(sent[0]!.to as never, sent[0]!.frame)
    await mesh.clock.run(50)
    giveUp.abort()
    await waiting
    await mesh.clock.run(50)
    gate('first').resolve()
    await mesh.clock.until(blocking)
    expect(await mesh.clock.until(x.read())).toEqual(['first'])
  })

  test('the number of a cancelled call is settled: floors move on, and results are forgotten', async () => {
    const mesh = await threePeers()
    await mesh.clock.until(mesh.node('a').runtime.ref(Worker, 'x').read())
    const caller = callerOf(mesh)
    const x = mesh.node(caller).runtime.ref(Worker, 'x')
    const giveUp = new AbortController()
    const call = failure(x.with({ signal: giveUp.signal }).heed('one'))
    await mesh.clock.untilTrue(() => seen.includes('x heeds'))
    giveUp.abort()
    await mesh.clock.until(call)
    const sent = tap(mesh, caller)
    await mesh.clock.until(x.step('two'))
    const { id, floors } = sent[0]!.frame.body as { id: { n: number }; floors: { own: number; all: number } }
    expect(floors).toEqual({ own: id.n, all: id.n })
  })

  test('a call that waits for its actor to be restored is dropped there', async () => {
    const mesh = await threePeers()
    const { runtime } = mesh.node('a')
    await mesh.clock.until(runtime.ref(Worker, 'x').step('one'))
    broken = true
    mesh.crash(hostOf(mesh, 'Worker/x'))
    const left = ['a', 'b', 'c'].filter((name) => mesh.nodes.has(name as never))
    await mesh.clock.untilTrue(() => left.includes(hostOf(mesh, 'Worker/x')))
    const from = mesh.node(left.find((name) => name !== hostOf(mesh, 'Worker/x'))!)
    const giveUp = new AbortController()
    const call = failure(from.runtime.ref(Worker, 'x').with({ signal: giveUp.signal }).step('two'))
    await mesh.clock.run(100)
    giveUp.abort()
    await mesh.clock.until(call)
    broken = false
    await mesh.clock.run(5000)
    expect(await mesh.clock.until(from.runtime.ref(Worker, 'x').read())).toEqual(['one'])
  })

  test('a replaced host that gives a nested call up does not take it from its successor, which made it again', async () => {
    const mesh = new FakeMesh(3)
    opened.push(mesh)
    for (const name of ['a', 'b', 'c', 'd', 'e']) await mesh.start(name, name === 'a' ? [] : [Worker])
    const { runtime } = mesh.node('a')
    const x = runtime.ref('Worker', 'x')
    const y = runtime.ref('Worker', 'y')
    await mesh.clock.until(Promise.all([x['read']!(), y['read']!()]))
    const first = hostOf(mesh, 'Worker/x')
    expect(hostOf(mesh, 'Worker/y')).not.toBe(first)
    const answer = x['impatient']!('y')
    await mesh.clock.untilTrue(() => seen.includes('y heeds'))
    mesh.depose(first) // x is executed again elsewhere, and attaches to the call that y runs
    const moved = (): boolean => hostOf(mesh, 'Worker/x') !== ''
    await mesh.clock.untilTrue(moved)
    await mesh.clock.run(500)
    gate(`patience of ${first}`).resolve() // the old execution gives the call up first, and alone
    await mesh.clock.run(500)
    expect(seen).not.toContain('y is told')
    gate(`patience of ${hostOf(mesh, 'Worker/x')}`).resolve()
    expect(await mesh.clock.until(answer)).toBe('CallCancelledError')
    await mesh.clock.untilTrue(() => seen.includes('y is told'))
    expect(await mesh.clock.until(x['read']!())).toEqual(['gave up'])
  })

  test('the signal belongs to the running call: outside of one there is none', async () => {
    const mesh = await threePeers()
    const x = mesh.node('a').runtime.ref(Worker, 'x')
    await mesh.clock.until(x.leak())
    expect(leaked).toThrow(StateError)
  })
})
