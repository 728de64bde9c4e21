// Puts a peer together: data directory, identity, secret, network, protocol, actors, control socket. Every error on the
// way is one of the catalogue (errors.ts), and what was opened is closed again.

import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { pino } from 'pino'
import { defaultMeshSettings } from '../mesh/settings.ts'
import { checkResources } from './actors/placement-options.ts'
import { createRuntime, type Runtime } from './actors/runtime.ts'
import type { MeshNode, NodeOptions } from './api.ts'
import { startControlServer } from './control/server.ts'
import { openDataDirectory } from './data-directory.ts'
import { MeshDriver } from './driver.ts'
import { checkKeyOf, cipherOf, rememberKey } from './encryption-key.ts'
import { BadInputError } from './errors.ts'
import { type Joining, join, planJoining } from './joining.ts'
import { DEFAULT_LISTEN, listenAgain } from './listening.ts'
import { Node } from './node.ts'
import { NodeEventSource } from './node-events.ts'
import { actorStatusOf, peerRef } from './node-status.ts'
import { realClock, realPause, realRandom } from './real-world.ts'
import { loadIdentity, peerIdOf, startNetwork, writeSecretFile } from './transport/index.ts'
import { meshErrorOf } from './transport-errors.ts'

/**
 * Starts a peer and resolves when it takes part: a founder when its mesh is there, a joiner when it is admitted, a peer
 * that comes back at once (its mesh may still be starting).
 * Rejects with DATA_DIR_IN_USE, DATA_DIR_UNREADABLE, DATA_DIR_OTHER_MESH, WRONG_SECRET, WRONG_KEY, PORT_IN_USE, JOIN_FAILED, BAD_INPUT.
 */
export async function createNode(options: NodeOptions): Promise<MeshNode> {
  if (typeof options.dataDir !== 'string' || options.dataDir === '')
    throw new BadInputError(
      'createNode needs a dataDir: the directory where this peer keeps its identity and its logs',
    )
  if (options.resources !== undefined) checkResources(options.resources, 'resources of createNode')
  const cipher = cipherOf(options.encryption)
  const logger = options.logger ?? pino({ level: 'silent' })
  const directory = await openDataDirectory(resolve(options.dataDir))
  const undo: (() => unknown)[] = [() => directory.store.close()]
  try {
    const { store } = directory
    await checkKeyOf(directory.keyId, cipher?.keyId)
    const warnFile = (text: string) => logger.warn(text)
    const joining: Joining = await planJoining(options, directory, warnFile)
    const identity = await loadIdentity(directory.identity, warnFile)
    const self = peerIdOf(identity)
    const name = options.name ?? `${hostname()}-${self.slice(-6)}`
    const settings = { ...defaultMeshSettings, ...options.settings }
    const events = new NodeEventSource(
      self,
      (peer) => peerRef(driver, peer),
      (detail, text) => logger.warn(detail, text),
    )
    let node: Node | undefined
    // Until the start has worked out, its outcome says what matters; after that a listener tells it, or else the log.
    const early: [code: string, text: string][] = []
    const warn = (code: string, text: string): void => {
      if (!started) early.push([code, text])
      else if (!events.emit('warning', { code, text })) logger.warn({ code }, text)
    }
    let started = false
    const failed = Promise.withResolvers<never>()
    failed.promise.catch(() => {}) // after the start nobody waits for it
    const driver: MeshDriver = new MeshDriver({
      self,
      store,
      clock: realClock,
      random: realRandom,
      settings,
      found: joining.kind === 'found',
      onEvent: (event) => {
        if (event.kind === 'deposed') network?.reboot()
        if (event.kind === 'warning') return warn(event.code, event.text)
        logger.debug(event, event.kind)
        events.mesh(event)
      },
      onFatal: (error) => {
        logger.fatal({ err: error }, error.message)
        events.emit('warning', { code: 'STOPPED', text: `this peer stops: ${error.message}` })
        failed.reject(error)
        void node?.close()
      },
    })
    undo.push(() => driver.stop())
    const wanted = options.listen?.length ? options.listen : DEFAULT_LISTEN
    const network = await listenAgain(directory, wanted, (listen) =>
      startNetwork(
        {
          identity,
          boot: () => driver.boot,
          listen,
          secret: joining.secret,
          meshId: () => driver.pointer?.meshId ?? joining.meshId,
          mdns: options.mdns === true,
          name,
          logger,
        },
        driver,
      ),
    )
    undo.push(() => network.stop())
    const runtime: Runtime = createRuntime({
      mesh: driver,
      store,
      clock: realClock,
      pause: realPause,
      types: options.actors ?? [],
      ...(cipher && { cipher }),
      logger,
      events: events.ofActors,
      statusOf: (actor) => actorStatusOf(driver, runtime, actor),
    })
    undo.push(() => runtime.close())
    driver.onRegistry((state) => events.registry(state))
    if (cipher)
      rememberKey(directory.keyId, cipher.keyId, driver, (err) =>
        logger.warn({ err }, `cannot write ${directory.keyId}`),
      )
    node = new Node({
      directory,
      name,
      driver,
      network,
      runtime,
      events,
      secret: joining.secret,
      startedAt: performance.now(),
    })
    // Before the mesh exists: a mesh whose secret went with a crash could never grow.
    if (joining.kind === 'found') await writeSecretFile(directory.secret, joining.secret)
    await driver.start(network, {
      name,
      store: store.facts.storeId,
      addresses: network.addresses(),
      labels: options.labels ?? {},
      types: runtime.types,
      ...(options.resources && { resources: options.resources }),
      ...(cipher && { keyId: cipher.keyId }),
      canHost: options.host !== false,
      canKeep: options.keep !== false,
    })
    await Promise.race([join(joining, { driver, network, logger }), failed.promise])
    if (joining.kind !== 'found') await writeSecretFile(directory.secret, joining.secret)
    started = true
    for (const [code, text] of early) logger.warn({ code }, text)
    if (options.control === true) node.controlledBy(await startControlServer(node))
    return node
  } catch (error) {
    for (const step of undo.reverse()) await Promise.resolve(step()).catch(() => {})
    throw meshErrorOf(error)
  }
}
