import { expect, test } from 'vitest'
import type { PeerId } from '../../mesh/ids.ts'
import type { JournalClass } from '../../mesh/registry/types.ts'
import { SimMesh } from './mesh.ts'

const three: JournalClass = { level: 'replicated', keepers: 3 }

async function started(size: number, seed: number): Promise<{ mesh: SimMesh; ids: PeerId[] }> {
  const mesh = new SimMesh({ seed })
  const ids = Array.from({ length: size }, (_, index) => mesh.name(index))
  for (const [index, id] of ids.entries()) await mesh.start(id, index === 0)
  await mesh.until('everybody is admitted', () =>
    [...mesh.peers.values()].every(({ driver }) => driver.admitted),
  )
  const keepers = size >= 5 ? 5 : size >= 3 ? 3 : 1
  await mesh.until('the registry is kept', () =>
    [...mesh.peers.values()].every(
      ({ driver }) => driver.pointer?.keepers.length === keepers && driver.registry !== undefined,
    ),
  )
  return { mesh, ids }
}

const heads = (mesh: SimMesh) =>
  [...mesh.peers.values()].filter(({ driver }) => driver.isHead).map(({ id }) => id)

test('five peers find each other, one head, five registry keepers', async () => {
  const { mesh, ids } = await started(5, 1)
  await mesh.until('one head', () => heads(mesh).length === 1)
  expect(heads(mesh)).toEqual([ids[0]])
  await mesh.until('everybody sees everybody', () =>
    [...mesh.peers.values()].every(({ driver }) => driver.registry?.peers.size === 5),
  )
  for (const { driver } of mesh.peers.values()) {
    expect(driver.members().filter(({ liveness }) => liveness === 'alive')).toHaveLength(5)
    expect(driver.registry?.peers.size).toBe(5)
  }
})

test('a journal acknowledges, survives its host, and its boot is recovered', async () => {
  const { mesh, ids } = await started(5, 2)
  const host = mesh.peers.get(ids[3]!)!
  const journal = await mesh.await(host.driver.journal(three))
  const indexes = await mesh.await(
    Promise.all([1, 2, 3].map((byte) => journal.append(new Uint8Array([byte])))),
  )
  expect(indexes).toEqual([0, 1, 2])
  await mesh.await(journal.confirm())
  const { boot } = host.driver
  mesh.kill(host.id)
  const other = mesh.peers.get(ids[1]!)!.driver
  await mesh.until('its boot is recovered', () => other.registry?.boots.get(boot)?.status === 'dead')
  expect(other.registry?.reports.at(-1)?.boot).toBe(boot)
})

test('the head dies: the next lowest takes the registry over and commits', async () => {
  const { mesh, ids } = await started(5, 3)
  mesh.kill(ids[0]!)
  await mesh.until('a new head', () => heads(mesh).length === 1)
  expect(heads(mesh)).toEqual([ids[1]])
  const result = await mesh.await(mesh.peers.get(ids[4]!)!.driver.command({ kind: 'noop' }))
  expect(result.ok).toBe(true)
})

test('the whole mesh stops at once and starts again', async () => {
  const { mesh, ids } = await started(5, 4)
  const journal = await mesh.await(mesh.peers.get(ids[2]!)!.driver.journal(three))
  await mesh.await(journal.append(new Uint8Array([7])))
  for (const id of ids) mesh.kill(id)
  for (const id of ids) await mesh.start(id)
  await mesh.until('everybody is admitted again', () =>
    [...mesh.peers.values()].every(({ driver }) => driver.admitted),
  )
  await mesh.until('old boots are recovered', () =>
    [...mesh.peers.values()].every(
      ({ driver }) =>
        [...driver.registry!.boots.values()].filter(({ status }) => status === 'live').length === 5 &&
        ![...driver.registry!.boots.values()].some(({ status }) => status === 'superseded'),
    ),
  )
  const sealed = [...mesh.peers.get(ids[0]!)!.driver.registry!.journals.values()]
  for (const each of sealed) expect(each.status.kind).not.toBe('open')
})

test('a frozen host wakes up deposed', async () => {
  const { mesh, ids } = await started(5, 5)
  const host = mesh.peers.get(ids[2]!)!
  const journal = await mesh.await(host.driver.journal(three))
  await mesh.await(journal.append(new Uint8Array([1])))
  const { boot } = host.driver
  mesh.freeze(host.id)
  await mesh.until(
    'its boot is recovered',
    () => mesh.peers.get(ids[0]!)!.driver.registry?.boots.get(boot)?.status === 'dead',
  )
  const late = journal.append(new Uint8Array([2]))
  late.catch(() => {})
  mesh.thaw(host.id)
  await expect(mesh.await(late)).rejects.toThrow('deposed')
  await mesh.until('it is admitted under a new boot', () => host.driver.admitted && host.driver.boot !== boot)
})

test('who left is not looked for any more, once the view has forgotten it', async () => {
  const { mesh, ids } = await started(4, 8)
  await mesh.clock.run(3000)
  const gone = ids[3]!
  const stored = () => ids.slice(0, 3).map((id) => mesh.disks.get(id)!.durableFacts!.peers[gone])
  expect(stored().every((addresses) => addresses!.length > 0)).toBe(true)
  expect(await mesh.await(mesh.peers.get(gone)!.driver.leave())).toBe(true)
  mesh.kill(gone)
  await mesh.until('its addresses are gone', () => stored().every((addresses) => addresses!.length === 0))
  await mesh.start(gone)
  await mesh.until('it is back', () => stored().every((addresses) => addresses!.length > 0))
})

test('a graceful leave passes the head on and is clean', async () => {
  const { mesh, ids } = await started(5, 6)
  const journal = await mesh.await(mesh.peers.get(ids[0]!)!.driver.journal(three))
  await mesh.await(journal.append(new Uint8Array([1])))
  const clean = await mesh.await(mesh.peers.get(ids[0]!)!.driver.leave())
  expect(clean).toBe(true)
  mesh.kill(ids[0]!)
  await mesh.until('a new head', () => heads(mesh).length === 1 && heads(mesh)[0] === ids[1])
  expect(mesh.peers.get(ids[1]!)!.driver.registry?.peers.size).toBe(4)
})

test('L1 a peer that is told to leave before it is admitted leaves as one that was', async () => {
  const { mesh, ids } = await started(3, 10)
  const late = mesh.name(7)
  const { driver } = await mesh.start(late)
  expect(driver.admitted).toBe(false)
  expect(await mesh.await(driver.leave())).toBe(true)
  const { registry } = mesh.peers.get(ids[0]!)!.driver
  expect([...registry!.peers.keys()].sort()).toEqual([...ids].sort())
})

test('aloneIsClean: the last to leave leaves the mesh on its disk, and the others wait for it', async () => {
  const { mesh, ids } = await started(2, 9)
  const leave = async (id: PeerId): Promise<boolean> => {
    const clean = await mesh.await(mesh.peers.get(id)!.driver.leave())
    mesh.kill(id)
    return clean
  }
  const [first, last] = ids
  expect(await leave(first!)).toBe(true)
  const { driver } = mesh.peers.get(last!)!
  await mesh.until(
    'the other one is gone',
    () => driver.members().filter(({ liveness }) => liveness === 'alive').length === 1,
  )
  expect(await leave(last!)).toBe(false)
  await mesh.start(first!)
  await mesh.clock.run(10_000)
  expect(mesh.peers.get(first!)!.driver.admitted).toBe(false)
  await mesh.start(last!)
  await mesh.until('both are back', () => [...mesh.peers.values()].every(({ driver }) => driver.admitted))
})
