// Ray's "ImmortalActor", without its checkpoint code. There, the class looks for a pickle file when it is made, has
// to write it now and then, and loses it with the machine. Here, `state` is all there is: each call's change is on three
// peers before the call is answered, and the actor's next host starts with it.
//
//   node examples/immortal-actor.ts
//   mesh node --actors examples/immortal-actor.ts     to run it on peers of your own

// In an app: from 'actor-mesh'
import { Actor, type ActorOptionsInput } from '../node/index.ts'
import { isProgram, print, startLocalMesh } from './local-mesh.ts'

interface MyState {
  processed: number
  total: number
}

export class ImmortalActor extends Actor<MyState> {
  // These are the defaults: restart for ever, retry a call until its time-out. A retried call takes effect once.
  static readonly options: ActorOptionsInput = { maxRestarts: -1, maxTaskRetries: -1 }

  override state = { processed: 0, total: 0 }

  process(value: number): MyState {
    this.state.processed += 1
    this.state.total += value
    return this.state
  }

  /** Where it is and what it went through. */
  story(): { readonly restarts: number; readonly restored: boolean } {
    return { restarts: this.context.restarts, restored: this.context.restored }
  }
}

export async function main(): Promise<MyState> {
  const mesh = await startLocalMesh(4, [ImmortalActor])
  try {
    const [caller] = mesh.nodes
    const immortal = caller!.actor(ImmortalActor, 'one')
    for (let value = 1; value <= 10; value += 1) await immortal.process(value)

    const host = mesh.hostOf('ImmortalActor', 'one')
    print(`10 values processed on ${host.name}; ${host.name} crashes now`)
    await host.close()

    // The caller may have been the host: then any other peer calls on.
    const survivor = mesh.nodes.find((node) => node !== host)!
    const again = survivor.actor(ImmortalActor, 'one')
    const result = await again.process(11)
    const { restarts } = await again.story()
    print(`processed ${result.processed}, total ${result.total}, restarts ${restarts}`)
    return result
  } finally {
    await mesh.end()
  }
}

if (isProgram(import.meta.url)) await main()
