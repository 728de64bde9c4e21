// A peer in a process of its own, for tests that kill it: prints who it is on one line and waits.

import { randomBytes } from 'node:crypto'
import { bootId } from '../../mesh/ids.ts'
import { createIdentity, peerIdOf } from './identity.ts'
import { startNetwork } from './network.ts'

const identity = await createIdentity()
const boot = bootId(peerIdOf(identity), randomBytes(16).toString('hex'))
const nothing = (): void => {}
const network = await startNetwork(
  {
    identity,
    boot: () => boot,
    secret: Buffer.from(process.argv[2] as string, 'hex'),
    meshId: () => undefined,
    name: 'child',
  },
  {
    connected: nothing,
    disconnected: nothing,
    message: nothing,
    service: nothing,
    gossip: nothing,
    warning: nothing,
  },
)
process.stdout.write(`${JSON.stringify({ id: network.self, boot, addresses: network.addresses() })}\n`)
// The test that started this process may die first.
process.stdin.resume().once('end', () => process.exit(0))
