// Several peers in one process, each with a data directory of its own: enough to watch one crash. Real peers run in
// processes and on machines of their own (see http-app.ts).

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
// In an app: from 'actor-mesh'
import { type ActorClass, createNode, type MeshNode, type PeerRef } from '../node/index.ts'

export interface LocalMesh {
  readonly nodes: readonly MeshNode[]
  /** The node on which an actor runs. */
  hostOf(type: string, name: string): MeshNode
  /** Resolves when the registry and every actor have enough copies on nodes that are up: one more of them may crash then. */
  copied(): Promise<void>
  end(): Promise<void>
}

/** The first node founds the mesh, the others join with its invite; resolves when all see all. */
export async function startLocalMesh(size: number, actors: readonly ActorClass[]): Promise<LocalMesh> {
  const dir = await mkdtemp(join(tmpdir(), 'mesh-example-'))
  const options = (i: number) => ({ dataDir: join(dir, `peer-${i}`), name: `peer-${i}`, actors })
  const founder = await createNode(options(0))
  const nodes = [founder]
  for (let i = 1; i < size; i += 1) {
    nodes.push(await createNode({ ...options(i), invite: await founder.invite() }))
  }
  const together = (node: MeshNode): boolean => node.status().members === size
  while (!nodes.every(together)) await sleep(20)

  const closed = new Set<MeshNode>()
  for (const node of nodes) void node.closed.then(() => closed.add(node))

  return {
    nodes,
    hostOf(type, name) {
      const up = nodes.find((node) => !closed.has(node)) ?? founder
      const seen = up.actors().find((actor) => actor.type === type && actor.name === name)
      const host = nodes.find((node) => node.peerId === seen?.peer?.peerId)
      if (host === undefined) throw new Error(`${type}/${name} has no host at the moment`)
      return host
    },
    async copied() {
      const isCopied = (): boolean => {
        const up = nodes.filter((node) => !closed.has(node))
        const isUp = (peer: PeerRef | null): boolean => up.some(({ peerId }) => peerId === peer?.peerId)
        return up.every(
          (node) =>
            node.status().registrySafe &&
            node
              .actors()
              .filter(({ status }) => status !== 'dead' && status !== 'stopped')
              .every(
                ({ peer, keepers }) => isUp(peer) && (keepers.filter(isUp).length - 1) * 2 > keepers.length,
              ),
        )
      }
      while (!isCopied()) await sleep(20)
    },
    async end() {
      await Promise.all(nodes.map((node) => node.close()))
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** True when that module is the program itself, not imported. */
export const isProgram = (moduleUrl: string): boolean => process.argv[1] === fileURLToPath(moduleUrl)

export const print = (line: string): void => void process.stdout.write(`${line}\n`)
