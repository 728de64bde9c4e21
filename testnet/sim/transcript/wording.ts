// One message of the protocol in words.

import type { Ballot, Keeper, Successor } from '../../../mesh/log-types.ts'
import type { Force, MeshMessage } from '../../../mesh/messages.ts'
import type { Names } from './names.ts'

const FORCES: Readonly<Record<Force, string>> = {
  none: '',
  refused: ', its writer is gone',
  consent: ', its writer agrees',
  'newer-boot': ', its writer has restarted',
}

export const peersOf = (keepers: readonly Keeper[]): string =>
  keepers
    .map(({ peer }) => peer)
    .sort()
    .join(' ')

export function wording(message: MeshMessage, names: Names): string {
  const ballotOf = ({ n, boot }: Ballot) => `ballot ${n} of ${names.boot(boot)}`
  const successorOf = ({ key, term, parent, writer, keepers }: Successor) =>
    `${names.registryLog(key, term)}${parent ? ` after ${parent.length} blocks of ${names.log(parent.key)}` : ''}, written by ${names.boot(writer)}, kept by ${peersOf(keepers)}`
  const log = 'log' in message ? names.log(message.log) : ''
  switch (message.kind) {
    case 'seal':
      return `seal ${log}, ${message.registry ? ballotOf(message.ballot) : `term ${message.ballot.n}`}${FORCES[message.force]}`
    case 'sealed': {
      const tainted = message.tainted ? ', perhaps not all of it' : ''
      const filled = message.filled ? `, repaired to ${message.filled.length}` : ''
      const accepted = message.accepted
        ? `; accepted before, in ${ballotOf(message.accepted.ballot)}: ${names.log(message.accepted.successor.key)}`
        : ''
      return `sealed ${log} at ${message.length}${tainted}${filled}${accepted}`
    }
    case 'nack':
      return `no: ${log} is promised to ${ballotOf(message.promised)}`
    case 'busy':
      return `no: the writer of ${log} was heard a moment ago`
    case 'accept':
      return `accept, ${ballotOf(message.ballot)}: ${successorOf(message.successor)}`
    case 'accepted':
      return `accepted, ${ballotOf(message.ballot)}`
    case 'pointer':
      return `chosen: ${successorOf(message.pointer)}`
    case 'app': {
      const upTo = message.from + message.proofs.length
      if (message.proofs.length === 0) return `asks how much of ${log} it has`
      return `append to ${log}: ${message.proofs.length === 1 ? `block ${message.from}` : `blocks ${message.from} to ${upTo - 1}`}`
    }
    case 'ack':
      return `has ${message.length} of ${log}`
    case 'logSealed':
      return `refused: ${log} is sealed`
    case 'unknown':
      return `unknown: ${log}`
    case 'fill':
      return `fill ${log} up to ${message.upTo}, from ${message.source}`
    case 'held':
      return `holds ${message.length} of ${log}`
    case 'confirm':
      return `is ${log} still mine? round ${message.round}`
    case 'confirmed':
      return `${log} is not sealed, round ${message.round}`
    case 'fetch':
      return `fetch ${message.from} to ${message.upTo - 1} of ${log}`
    case 'fetched':
      return `${message.proofs.length} blocks of ${log} from ${message.from}`
    case 'records':
      return `${log} is committed up to ${message.commit}`
    case 'follow':
      return `follow ${log} from ${message.from}`
    case 'cmd':
      return `command ${message.issued.n} of ${names.boot(message.issued.boot)}: ${message.issued.command.kind}`
    case 'done':
      return `command ${message.n} of ${names.boot(message.boot)}: ${message.result.ok ? 'done' : `rejected, ${message.result.why}`}`
    case 'offer':
      return `offers to hand ${log} over`
    case 'roll':
      return `roll ${names.log(message.journal)}`
    case 'survey':
      return 'what do you know of the registry?'
    case 'surveyed':
      return `term ${message.term}${message.hearsHead ? ', hears the head' : ''}, ${message.copies.length} copies`
    case 'relay':
      return `for ${message.to}: ${wording(message.message, names)}`
    case 'relayed':
      return `from ${message.from}: ${wording(message.message, names)}`
    case 'pingReq':
    case 'pingAck':
      return `${message.kind} of ${message.target}`
    case 'view':
    case 'ping':
    case 'pong':
      return message.kind
  }
}
