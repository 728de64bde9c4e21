// The transport: `Network` (node/ports.ts) on libp2p, and the files and strings a peer needs to take part.
//
//   const network = await startNetwork({ identity, boot, secret, meshId, name }, listener)
//   await network.connectTo(['192.168.1.5:4001'])
//   network.send(peer, { kind: 'offer', log })

export { parseAddress } from './addresses.ts'
export { decodeFacts, decodeMeshMessage, decodeServiceFrame } from './codec.ts'
export { TransportError, type TransportErrorCode } from './errors.ts'
export { createIdentity, type Identity, loadIdentity, peerIdOf } from './identity.ts'
export { decodeInvite, encodeInvite, type Invite } from './invite.ts'
export { MAX_FRAME_BYTES, MAX_QUEUED_BYTES } from './limits.ts'
export type { ConnectOptions } from './meeting.ts'
export { DEFAULT_LISTEN, type LibP2pNetwork, type NetworkOptions, startNetwork } from './network.ts'
export { createSecret, formatSecret, parseSecret, readSecretFile, writeSecretFile } from './secret.ts'
