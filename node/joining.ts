// How a peer gets into a mesh: it founds one (an empty directory and nobody to join), joins one for the first time, or
// comes back to the one its directory belongs to. With somebody to join it never founds.

import { timingSafeEqual } from 'node:crypto'
import type { Logger } from 'pino'
import type { NodeOptions } from './api.ts'
import type { DataDirectory } from './data-directory.ts'
import type { MeshDriver } from './driver.ts'
import { BadInputError, DataDirectoryError, JoinFailedError, WrongSecretError } from './errors.ts'
import {
  createSecret,
  decodeInvite,
  type LibP2pNetwork,
  parseSecret,
  readSecretFile,
} from './transport/index.ts'

export interface Joining {
  readonly kind: 'found' | 'join' | 'return'
  readonly secret: Uint8Array
  /** Known from an invite or the disk; a founder has none yet. */
  readonly meshId: string | undefined
  readonly addresses: readonly string[]
}

/** How long a first contact may take, and then the admission. */
const FIRST_CONTACT_MS = 10_000
/** Admission needs a head that has its majority: without a sign of one for this long a joiner gives up… */
const HEADLESS_MS = 20_000
/** …and with one after this. */
const ADMISSION_MS = 45_000
/** A mesh that grew spreads its registry at once; a joiner waits for that, so that any one peer may be lost from then on. */
const SPREAD_MS = 2_000

export async function planJoining(
  options: NodeOptions,
  directory: DataDirectory,
  warn: (text: string) => void,
): Promise<Joining> {
  const invite = options.invite === undefined ? undefined : decodeInvite(options.invite)
  const given = invite?.secret ?? (options.secret === undefined ? undefined : parseSecret(options.secret))
  const stored = await readSecretFile(directory.secret, warn)
  const known = directory.store.facts.pointer?.meshId
  const addresses = [...(options.join ?? []), ...(invite?.addresses ?? [])]
  if (known !== undefined) {
    if (invite && invite.meshId !== known)
      throw new DataDirectoryError(
        'DATA_DIR_OTHER_MESH',
        `${directory.path} belongs to mesh ${known}, the invite is for mesh ${invite.meshId}: use another data directory to join that one`,
      )
    if (given && stored && !timingSafeEqual(given, stored))
      throw new WrongSecretError(
        `the secret given is not the one of the mesh that ${directory.path} belongs to: leave it out, or use another data directory`,
      )
    const secret = given ?? stored
    if (!secret)
      throw new DataDirectoryError(
        'DATA_DIR_UNREADABLE',
        `${directory.secret} is missing: start again with an invite of this mesh`,
      )
    return { kind: 'return', secret, meshId: known, addresses }
  }
  const secret = given ?? stored
  const toJoin = addresses.length > 0 || (options.mdns === true && given !== undefined)
  if (!toJoin) return { kind: 'found', secret: secret ?? createSecret(), meshId: undefined, addresses }
  if (!secret)
    throw new BadInputError(
      'joining needs the secret of the mesh: take an invite ("mesh invite" on a member), or give its secret file',
    )
  return { kind: 'join', secret, meshId: invite?.meshId, addresses }
}

/** Resolves when the peer takes part as far as its kind promises. */
export async function join(
  { kind, addresses }: Joining,
  { driver, network, logger }: { driver: MeshDriver; network: LibP2pNetwork; logger: Logger },
): Promise<void> {
  if (kind === 'return') {
    // The others are known from the disk and dialled for ever; the addresses given are one more way to find them.
    if (addresses.length > 0)
      network
        .connectTo(addresses, { timeoutMs: FIRST_CONTACT_MS })
        .catch((error: unknown) => logger.warn(error instanceof Error ? error.message : String(error)))
    return
  }
  if (kind === 'join' && addresses.length > 0)
    await network.connectTo(addresses, { timeoutMs: FIRST_CONTACT_MS })
  if (!(await admitted(driver))) {
    const heard = driver.pointer !== undefined
    throw new JoinFailedError(
      heard
        ? 'the mesh was reached but did not admit this peer in time: it has no head at present ("mesh status" on a member says why), or the machines are overloaded'
        : 'no member of the mesh was found in time: check the addresses, or that a member is up on this network',
    )
  }
  await until(() => driver.registrySafe, SPREAD_MS)
}

async function admitted(driver: MeshDriver): Promise<boolean> {
  const heard = () => driver.headHeardAt
  let [sign, signAt] = [heard(), performance.now()]
  const done = () => {
    if (heard() !== sign) [sign, signAt] = [heard(), performance.now()]
    return driver.admitted || performance.now() - signAt > HEADLESS_MS
  }
  await until(done, ADMISSION_MS)
  return driver.admitted
}

/** Whether it came true in time. */
async function until(done: () => boolean, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  while (!done()) {
    if (performance.now() > deadline) return false
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return true
}
