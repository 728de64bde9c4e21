// A graceful leave: say so, have the actors move away, pass the head on, let others take over what this store keeps, then
// go. Everything is bounded by leaveTimeoutMs; what could not be handed over stays on this disk and comes back with it.
//
//  L1 A peer departs only once the committed registry has it as leaving, under its present boot: until then it may be made
//     a home or a keeper at any moment.

import type { Env } from './env.ts'
import type { BootId } from './ids.ts'
import type { Journals } from './journals.ts'
import type { Membership } from './membership/membership.ts'
import type { PointerStore } from './pointer.ts'
import type { Follower } from './registry/follower.ts'
import type { Head } from './registry/head.ts'
import type { Issuer } from './registry/issuer.ts'
import type { RegistryState } from './registry/types.ts'

type State = 'staying' | 'handing-over' | 'departing' | 'gone'

export interface LeavingParts {
  readonly env: Env
  readonly membership: Membership
  readonly follower: Follower
  readonly head: Head
  readonly issuer: Issuer
  readonly journals: Journals
  readonly pointers: PointerStore
}

export class Leaving {
  readonly #parts: LeavingParts
  #state: State = 'staying'
  #began = 0
  #announced: BootId | undefined

  constructor(parts: LeavingParts) {
    this.#parts = parts
  }

  get active(): boolean {
    return this.#state !== 'staying'
  }

  begin(): void {
    if (this.active) return
    this.#began = this.#parts.env.now
    this.#state = 'handing-over'
    // Who is alone has nobody to hand over to, so all that it took part in stays here: the mesh itself, if all others left.
    if (this.#alone()) return this.#done(this.#parts.pointers.current === undefined)
    this.tick()
  }

  tick(): void {
    if (!this.active || this.#state === 'gone') return
    const { env, follower, journals, issuer } = this.#parts
    const state = follower.state
    if (this.#waited(env.settings.leaveTimeoutMs) || this.#alone()) return this.#done(false)
    if (this.#state !== 'handing-over') return
    const own = state?.peers.get(env.self)
    // Its admission may be under way. One that never took part has nothing to hand over, and does not wait for long.
    if (!state || own?.boot !== env.boot)
      return !own && this.#waited(env.settings.headTimeoutMs) ? this.#done(false) : undefined
    if (!own.leaving) return this.#announce() // L1
    if (this.#hosts(state)) return
    journals.closeAll()
    if (this.#writes(state) || this.#isNeeded(state)) return
    this.#state = 'departing'
    issuer.issue({ kind: 'left', peer: env.self, boot: env.boot }, (result) => {
      if (result.ok || result.why === 'boot-dead') this.#done(result.ok)
      else if (this.#state === 'departing') this.#state = 'handing-over'
    })
  }

  /** Once for each boot, unless it is refused. */
  #announce(): void {
    const { env, issuer } = this.#parts
    const { boot } = env
    if (this.#announced === boot) return
    this.#announced = boot
    issuer.issue({ kind: 'leaving', peer: env.self, boot }, (result) => {
      if (!result.ok && this.#announced === boot) this.#announced = undefined
    })
  }

  #waited(ms: number): boolean {
    return this.#parts.env.now - this.#began >= ms
  }

  #done(clean: boolean): void {
    const { env, membership } = this.#parts
    if (this.#state === 'gone') return
    this.#state = 'gone'
    for (const effect of membership.step({ type: 'leave' }, env.now)) {
      if (effect.type === 'publish') env.emit(effect)
      else if (effect.type === 'send') env.send(effect.to, effect.message)
    }
    env.emit({ type: 'leaveDone', clean })
  }

  /** Nobody is there to hand anything to. */
  #alone(): boolean {
    return this.#parts.membership.live().every(({ peer }) => peer === this.#parts.env.self)
  }

  #hosts(state: RegistryState): boolean {
    for (const { home } of state.actors.values()) if (home === this.#parts.env.boot) return true
    return false
  }

  #writes(state: RegistryState): boolean {
    for (const { boot, status } of state.journals.values())
      if (boot === this.#parts.env.boot && status.kind === 'open') return true
    return false
  }

  /** The head, or a keeper that others still rely on: they are moving to other peers, which takes a moment. */
  #isNeeded(state: RegistryState): boolean {
    const { env, head, pointers } = this.#parts
    if (head.writing) return true
    if (pointers.current?.keepers.some(({ store }) => store === env.store)) return true
    for (const { keepers } of state.journals.values())
      if (keepers.some(({ store }) => store === env.store)) return true
    return false
  }
}
