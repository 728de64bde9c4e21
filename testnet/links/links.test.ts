// Links between stand-ins for peers: plain TCP servers that echo.

import { connect, createServer, type Server, type Socket } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Links } from './links.ts'
import { abort } from './proxy.ts'

async function linked(): Promise<Links> {
  const links = await Links.open(2)
  onTestFinished(() => links.end())
  return links
}

/** What stands for peer 1; ends at the end of the test. */
async function echo(links: Links): Promise<Server & { readonly sockets: Set<Socket> }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  await new Promise<void>((resolve) => server.listen(links.ports[1], '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return Object.assign(server, { sockets })
}

const via = (links: Links): number => links.routes(0).find(({ port }) => port === links.ports[1])!.via

/** Peer 0 dials peer 1. Rejects as the dial does. */
function dial(links: Links): Promise<Socket & { heard: string }> {
  return new Promise((resolve, reject) => {
    const socket = Object.assign(connect({ host: '127.0.0.1', port: via(links) }), { heard: '' })
    onTestFinished(() => void socket.destroy())
    socket.on('data', (bytes: Buffer) => {
      socket.heard += bytes
    })
    socket.once('connect', () => resolve(socket))
    socket.once('error', reject)
  })
}

/** The same once peer 1 is there, and has answered. */
async function dialled(links: Links): ReturnType<typeof dial> {
  const socket = await vi.waitFor(() => dial(links), { timeout: 5000 })
  socket.write('!')
  await vi.waitFor(() => expect(socket.heard).toBe('!'), { timeout: 5000 })
  socket.heard = ''
  return socket
}

test('bytes get through, and in order', async () => {
  const links = await linked()
  await echo(links)
  const socket = await dialled(links)
  for (let n = 0; n < 100; n++) socket.write(`${n},`)
  await vi.waitFor(() => expect(socket.heard).toBe(Array.from({ length: 100 }, (_, n) => `${n},`).join('')))
})

test('a cut direction holds what is sent, and only that direction; mended, it arrives', async () => {
  const links = await linked()
  const server = await echo(links)
  const socket = await dialled(links)
  links.set(0, 1, { cut: true })
  socket.write('there')
  for (const far of server.sockets) far.write('back')
  await vi.waitFor(() => expect(socket.heard).toContain('back'))
  expect(socket.heard).not.toContain('there')
  expect(links.routes(0)[0]).toMatchObject({ cut: true })
  links.healAll()
  await vi.waitFor(() => expect(socket.heard).toContain('there'))
})

test('a delay is added to each direction it is set for', async () => {
  const links = await linked()
  await echo(links)
  const socket = await dialled(links)
  links.set(0, 1, { delayMs: 60 })
  links.set(1, 0, { delayMs: 60 })
  const sent = performance.now()
  socket.write('late')
  await vi.waitFor(() => expect(socket.heard).toBe('late'), { interval: 5 })
  expect(performance.now() - sent).toBeGreaterThanOrEqual(119)
})

test('a limited direction is as slow as it should be, and loses nothing', async () => {
  const links = await linked()
  await echo(links)
  const socket = await dialled(links)
  links.set(0, 1, { bytesPerSecond: 100_000 })
  const sent = performance.now()
  const text = 'x'.repeat(30_000)
  socket.write(text)
  await vi.waitFor(() => expect(socket.heard).toBe(text), { timeout: 5000, interval: 5 })
  expect(performance.now() - sent).toBeGreaterThan(150)
})

test('a dead target refuses, and is reached again when it is back', async () => {
  const links = await linked()
  await expect(dial(links)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  const server = await echo(links)
  const socket = await dialled(links)
  const ended = new Promise((resolve) => socket.once('close', resolve))
  server.close()
  for (const far of server.sockets) far.destroy()
  await ended
  // The dialler hears of the end only when its dial would be refused.
  await expect(dial(links)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  await echo(links)
  await dialled(links)
})

test('a reset ends what is connected and leaves the way open', async () => {
  const links = await linked()
  await echo(links)
  const socket = await dialled(links)
  const ended = new Promise((resolve) => socket.once('close', resolve))
  socket.on('error', () => {})
  links.reset(0, 1)
  await ended
  await dialled(links)
})

test.each(['open', 'ending'])('a connection that is %s is closed when it is aborted', async (state) => {
  const links = await linked()
  await echo(links)
  const socket = await dialled(links)
  const closed = new Promise((resolve) => socket.once('close', resolve))
  if (state === 'ending') socket.end()
  abort(socket)
  await closed
})
