// Every pair of peers of a testnet through proxies of the testnet's own, so that a link can be cut, slowed or reset
// without any privilege of the operating system.
//
//  K1 Which peer dials is known by the proxy it dials: each peer has one for every other (redirect.ts).
//  K2 A condition belongs to a direction between two peers, whoever dialled.
//  K3 A dead peer is refused at its proxies, as at its own port (target.ts).

import { type AddressInfo, createServer, type Server } from 'node:net'
import { PacketLoss } from '../packets/packet-loss.ts'
import { type Condition, HEALTHY } from './condition.ts'
import { LinkProxy } from './proxy.ts'
import type { Route } from './redirect.ts'
import { Target } from './target.ts'

export class Links {
  readonly ports: readonly number[]
  readonly #targets: readonly Target[]
  readonly #proxies: readonly (readonly (LinkProxy | undefined)[])[]
  readonly #conditions: Condition[][]
  readonly #packets = new PacketLoss()
  /** Has a peer know its routes. */
  onRoutes: (peer: number, routes: readonly Route[]) => void = () => {}

  private constructor(ports: readonly number[]) {
    this.ports = ports
    this.#conditions = ports.map(() => ports.map(() => HEALTHY))
    this.#targets = ports.map((port, to) => new Target(port, (open) => void this.#reachable(to, open)))
    this.#proxies = ports.map((_, from) =>
      ports.map((__, to) =>
        from === to
          ? undefined
          : new LinkProxy({
              target: this.#targets[to]!,
              there: () => this.condition(from, to),
              back: () => this.condition(to, from),
            }),
      ),
    )
  }

  /** Takes a free port for each peer, and opens the ways between them. */
  static async open(peers: number): Promise<Links> {
    const reserved = await reservePorts(peers)
    const links = new Links(reserved.map((server) => (server.address() as AddressInfo).port))
    // Opened once while the peers' ports are taken, so that each has one of its own; closed until its target is there.
    for (const proxy of links.#proxies.flat()) {
      await proxy?.open()
      proxy?.close()
    }
    await Promise.all(reserved.map((server) => new Promise((resolve) => server.close(resolve))))
    for (const target of links.#targets) void target.look()
    return links
  }

  condition(from: number, to: number): Condition {
    const found = this.#conditions[from]?.[to]
    if (found === undefined) throw new RangeError(`there is no link from peer ${from} to peer ${to}`)
    return found
  }

  /** One direction from now on; what is left out stays as it is. */
  set(from: number, to: number, change: Partial<Condition>): void {
    const before = this.condition(from, to)
    const after = { ...before, ...change }
    if (after.loss !== before.loss) this.#lose(from, to, after.loss)
    this.#conditions[from]![to] = after
    for (const proxy of this.#between(from, to)) proxy.changed()
    if (after.cut !== before.cut) for (const peer of [from, to]) this.onRoutes(peer, this.routes(peer))
  }

  /** No byte between any of these and any other peer. */
  isolate(group: readonly number[], isCut = true): void {
    for (const inside of group)
      for (const outside of this.ports.keys())
        if (!group.includes(outside)) {
          this.set(inside, outside, { cut: isCut })
          this.set(outside, inside, { cut: isCut })
        }
  }

  /** Ends the connections of two peers; they may dial again at once. */
  reset(a: number, b: number): void {
    for (const proxy of this.#between(a, b)) proxy.reset()
  }

  healAll(): void {
    for (const from of this.ports.keys())
      for (const to of this.ports.keys()) if (from !== to) this.set(from, to, HEALTHY)
  }

  /** How a peer reaches the others now. A dial needs both directions. */
  routes(from: number): readonly Route[] {
    return this.ports.flatMap((port, to) => {
      const proxy = this.#proxies[from]?.[to]
      if (proxy === undefined) return []
      const cut = this.condition(from, to).cut || this.condition(to, from).cut
      return [{ port, via: proxy.port, cut }]
    })
  }

  end(): void {
    this.#packets.end()
    for (const target of this.#targets) target.end()
    for (const row of this.#proxies) for (const proxy of row) proxy?.end()
  }

  #between(a: number, b: number): readonly LinkProxy[] {
    return [this.#proxies[a]?.[b], this.#proxies[b]?.[a]].filter((proxy) => proxy !== undefined)
  }

  /** Whoever dialled: what goes to the proxy that `from` dials, and what comes out of the one that `to` dials. */
  #lose(from: number, to: number, loss: number): void {
    const there = this.#proxies[from]![to]!.port
    const back = this.#proxies[to]![from]!.port
    this.#packets.set(`${from} to ${to}`, { there, back }, loss)
  }

  async #reachable(to: number, open: boolean): Promise<void> {
    for (const [from, row] of this.#proxies.entries()) {
      const proxy = row[to]
      const before = proxy?.port
      if (open) await proxy?.open()
      else proxy?.close()
      if (proxy?.port === before) continue
      this.onRoutes(from, this.routes(from))
      this.#lose(from, to, this.condition(from, to).loss)
      this.#lose(to, from, this.condition(to, from).loss)
    }
  }
}

const reservePorts = (count: number): Promise<readonly Server[]> =>
  Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<Server>((resolve, reject) => {
          const server = createServer()
          server.once('error', reject)
          server.listen({ host: '127.0.0.1', port: 0 }, () => resolve(server))
        }),
    ),
  )
