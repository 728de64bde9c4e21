// Real processes on one machine with faults: for the tests of this project and of apps that use it.

export { canFillDisk } from './disk/full.ts'
export type { Ack, LoadPlan, LoadReport, PeerEvent, PeerSnapshot } from './ipc.ts'
export type { Condition } from './links/condition.ts'
export type { Links } from './links/links.ts'
export { canLosePackets } from './packets/netns.ts'
export { type PacketCounts, packetCounts } from './packets/packet-loss.ts'
export {
  createTestnet,
  DEMO_ACTORS,
  type Testnet,
  type TestnetOptions,
  type TestPeerOptions,
} from './testnet.ts'
export {
  aliveIn,
  answering,
  isSettled,
  isWhole,
  notWhole,
  type PeerView,
  recoversWithout,
  survivesHeadAndOther,
} from './view.ts'
