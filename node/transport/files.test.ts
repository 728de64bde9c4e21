// Identity, secret, invite and addresses: what is written can be read, and what cannot be read says what to do.

import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { peerId } from '../../mesh/ids.ts'
import { dialable, parseAddress, probeTargets } from './addresses.ts'
import { TransportError } from './errors.ts'
import { loadIdentity, peerIdOf } from './identity.ts'
import { decodeInvite, encodeInvite } from './invite.ts'
import {
  createSecret,
  deriveKeys,
  formatSecret,
  parseSecret,
  readSecretFile,
  writeSecretFile,
} from './secret.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'actor-mesh-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

describe('identity', () => {
  it('is created once, private, and read again', async () => {
    const path = join(directory, 'identity.key')
    const first = await loadIdentity(path)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(peerIdOf(await loadIdentity(path))).toBe(peerIdOf(first))
    expect(peerIdOf(first)).toMatch(/^12D3KooW/)
  })

  it('warns about a file that others could read, and tightens it', async () => {
    const path = join(directory, 'identity.key')
    await loadIdentity(path)
    await chmod(path, 0o644)
    const warnings: string[] = []
    await loadIdentity(path, (text) => warnings.push(text))
    expect(warnings).toEqual([expect.stringContaining('644')])
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  it('that is damaged is not replaced', async () => {
    const path = join(directory, 'identity.key')
    await writeFile(path, 'not a key')
    await expect(loadIdentity(path)).rejects.toMatchObject({ code: 'IDENTITY_UNREADABLE' })
    expect(await readFile(path, 'utf8')).toBe('not a key')
  })
})

describe('secret', () => {
  it('goes to a private file and back, and is absent before', async () => {
    const path = join(directory, 'mesh.secret')
    expect(await readSecretFile(path)).toBeUndefined()
    const secret = createSecret()
    await writeSecretFile(path, secret)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readSecretFile(path)).toEqual(secret)
    await writeFile(path, 'x')
    await expect(readSecretFile(path)).rejects.toMatchObject({ code: 'SECRET_UNREADABLE' })
  })

  it('is read from text, or refused', () => {
    const secret = createSecret()
    expect(parseSecret(formatSecret(secret))).toEqual(secret)
    expect(parseSecret(Buffer.from(secret).toString('hex'))).toEqual(secret)
    expect(() => parseSecret('hunter2')).toThrow(TransportError)
    expect(() => deriveKeys(new Uint8Array(5))).toThrow(TransportError)
  })
})

describe('invite', () => {
  const sample = {
    meshId: 'ab'.repeat(32),
    secret: new Uint8Array(32).fill(9),
    addresses: [
      '/ip4/10.0.0.1/tcp/4001/p2p/12D3KooWGCJfPMtJXPcbYJFnNHJuFvrDRLfYqKfAqjGqWHZpPLqJ'.slice(0, 23),
    ],
  }

  it('survives the round trip, also with line breaks from copying', () => {
    const text = encodeInvite(sample)
    expect(text).toMatch(/^mesh1-[A-Za-z0-9_-]+$/)
    expect(decodeInvite(text)).toEqual(sample)
    expect(decodeInvite(` ${text.slice(0, 20)}\n ${text.slice(20)}\n`)).toEqual(sample)
  })

  it('notices every change and every cut', () => {
    const text = encodeInvite(sample)
    for (let at = 6; at < text.length; at++) {
      const changed = `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`
      // The last character may carry unused bits only; then nothing was changed.
      if (at < text.length - 1) expect(() => decodeInvite(changed)).toThrow(/not a usable invite/)
      expect(() => decodeInvite(text.slice(0, at))).toThrow(/not a usable invite/)
    }
  })

  it('answers garbage with BAD_INVITE and nothing else', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.base64String().map((text) => `mesh1-${text}`),
          fc.constantFrom('mesh2-abc', 'mesh1-', ''),
        ),
        (text) => {
          try {
            decodeInvite(text)
            throw new Error('accepted')
          } catch (error) {
            expect(error).toMatchObject({ code: 'BAD_INVITE' })
          }
        },
      ),
    )
  })
})

describe('addresses', () => {
  it.each([
    ['127.0.0.1:4001', '/ip4/127.0.0.1/tcp/4001'],
    ['localhost:1', '/ip4/127.0.0.1/tcp/1'],
    ['[::1]:80', '/ip6/::1/tcp/80'],
    ['box.example:9', '/dns/box.example/tcp/9'],
    ['/ip4/10.0.0.1/tcp/5', '/ip4/10.0.0.1/tcp/5'],
  ])('%s is read as %s', (text, expected) => expect(parseAddress(text).toString()).toBe(expected))

  it.each([
    '',
    'x',
    '127.0.0.1',
    '1.2.3.4:99999',
    '/ip4/1.2.3.4',
    '/ip4/1.2.3.4/udp/5',
    '/nonsense',
    'a b:1',
    '::1:80',
  ])('%j is refused in words', (text) => expect(() => parseAddress(text)).toThrow(/is not an address/))

  it('of another peer or malformed are not dialled', () => {
    const [peer, other] = [
      '12D3KooWD3bfmNbuuuVCYwkjnFt3ukm3qaB3hDED3peHHXawvRAi',
      '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp',
    ]
    const found = dialable(peerId(peer), [
      '/ip4/1.2.3.4/tcp/5',
      `/ip4/1.2.3.4/tcp/5/p2p/${peer}`,
      `/ip4/1.2.3.4/tcp/6/p2p/${other}`,
      '?',
    ])
    expect(found.map(String)).toEqual([`/ip4/1.2.3.4/tcp/5/p2p/${peer}`])
  })

  it('on loopback prove nothing about a peer on another machine', () => {
    expect(probeTargets(['/ip4/127.0.0.1/tcp/5', '/ip4/10.0.0.2/tcp/5'], '10.0.0.2')).toEqual([
      { host: '10.0.0.2', port: 5 },
    ])
    expect(probeTargets(['/ip4/127.0.0.1/tcp/5'], '127.0.0.1')).toEqual([{ host: '127.0.0.1', port: 5 }])
    expect(probeTargets(['/ip4/127.0.0.1/tcp/5'], '10.0.0.2')).toEqual([])
  })
})
