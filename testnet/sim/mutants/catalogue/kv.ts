// Bugs of the key-value store and its watches, of daemons, and of encryption at rest.

import { type Mutant, test } from '../mutant.ts'

const SHARD = 'node/actors/kv-shard.ts'
const WATCH = 'node/actors/kv-watch.ts'
const HOMES = 'mesh/registry/homes.ts'
const FIT = 'mesh/placement-fit.ts'
const CIPHER = 'checkpoint/cipher.ts'
const APPLY = 'mesh/registry/apply.ts'
const inKv = (title: string) => test('node/actors/kv.test.ts', title)
const inDaemons = (title: string) => test('testnet/sim/daemons.test.ts', title)
const inEncryption = (title: string) => test('testnet/sim/encryption.test.ts', title)
const inCipher = (title: string) => test('checkpoint/cipher.test.ts', title)

export const kvMutants: readonly Mutant[] = [
  {
    name: 'swapWithoutComparing',
    rule: 'K1 of a shard',
    breaks: 'a swap sets the key whatever version it has',
    patch: [
      {
        file: SHARD,
        find: 'if (expected !== undefined && before?.version !== (expected ?? undefined))',
        replace: 'if (expected === -1)',
      },
    ],
    tests: [inKv('K1 a version is never had twice')],
  },
  {
    name: 'deletionWithoutVersion',
    rule: 'K1 of a shard',
    breaks:
      'a deletion has the version of what was there before, so that who waits for a later one hears nothing',
    patch: [
      {
        file: SHARD,
        find: 'const version = ++state.revision // K1\n    state.bytes -= ',
        replace: 'const version = state.revision\n    state.bytes -= ',
      },
    ],
    tests: [inKv('a watch tells what is there, then each change')],
  },
  {
    name: 'forgottenDeletions',
    rule: 'K2 of a shard',
    breaks: 'a watcher that slept while deletions were forgotten is not told what keys there are',
    patch: [
      {
        file: SHARD,
        find: 'asked <= revision && after >= forgotten // K2',
        replace: 'asked <= revision && forgotten >= 0',
      },
    ],
    beyondSeeds: 'no seed deletes a thousand keys while a watcher sleeps',
    tests: [inKv('K2 deletions that the shard forgot are found by the names of all keys')],
  },
  {
    name: 'wakeOnlyByOthers',
    rule: 'K3 of a shard',
    breaks: 'who waits for a key is woken by changes of every key but that one',
    patch: [
      {
        file: SHARD,
        find: '.some((key) => matches(waiter.query, key))',
        replace: '.some((key) => !matches(waiter.query, key))',
      },
    ],
    beyondSeeds: 'whoever is not woken asks again in a quarter of a minute',
    tests: [inKv('a change is told at once')],
  },
  {
    name: 'waitersHoldTheActor',
    rule: 'K3 of a shard',
    breaks: 'an actor that is to move waits for those who wait for a change of it',
    patch: [{ file: SHARD, find: 'if (isEnding || [', replace: 'if ([' }],
    tests: [inKv('a watched shard moves at once: who waits there does not hold it')],
  },
  {
    name: 'watchFromTheNext',
    rule: 'W1 of a watch',
    breaks: 'a watch asks from one revision beyond the one that it was told of',
    patch: [{ file: WATCH, find: 'after = news.after\n', replace: 'after = news.after + 1\n' }],
    tests: [inKv('a watch tells what is there, then each change')],
  },
  {
    name: 'oldestPending',
    rule: 'W2 of a watch',
    breaks: 'a slow reader is told the oldest change that it did not take, and not the newest',
    patch: [
      {
        file: WATCH,
        find: '    this.#pending.delete(key)\n    this.#pending.set(key, pending) // W2',
        replace: '    if (!this.#pending.has(key)) this.#pending.set(key, pending)',
      },
    ],
    tests: [inKv('W2 a slow reader of many keys is told the newest of each, once')],
  },
  {
    name: 'daemonAnywhere',
    rule: 'D1 A6 P3',
    breaks: 'a daemon whose peer is lost gets another home',
    patch: [
      {
        file: FIT,
        find: '(placement?.peer === undefined || placement.peer === candidate.peer)',
        replace: '(placement?.peer === undefined || candidate.canHost)',
      },
      { file: HOMES, find: ' || (pinnedTo !== undefined && pinnedTo !== peer.peer)', replace: '' },
      { file: HOMES, find: '  const pinnedTo = actor.options.placement?.peer\n', replace: '' },
    ],
    tests: [inDaemons('the head and the host of a daemon are lost together')],
  },
  {
    name: 'hostWithoutKey',
    rule: 'A6 A8 P3',
    breaks: 'an encrypted actor gets a home that has not its key',
    patch: [
      {
        file: FIT,
        find: '(keyId === undefined || keyId === candidate.keyId) &&',
        replace: '(keyId ?? type) !== "" &&',
      },
      { file: HOMES, find: 'if (keyId !== undefined && keyId !== peer.keyId)', replace: 'if (keyId === "")' },
    ],
    tests: [inEncryption('A8 peers without the key never run an encrypted actor')],
  },
  {
    name: 'anyKeyIsAdmitted',
    rule: 'A8',
    breaks: 'a peer with another key is admitted',
    patch: [
      {
        file: APPLY,
        find: 'if (wrongKey) return wrongKey\n',
        replace: 'if (wrongKey?.ok) return wrongKey\n',
      },
    ],
    tests: [inEncryption('A8 a peer with another key is refused, and says so; the mesh goes on')],
  },
  {
    name: 'textsWithoutPlace',
    rule: 'E1',
    breaks: 'encrypted bytes can be read wherever they are put',
    patch: [
      {
        file: CIPHER,
        find: 'gcm.setAAD(bytesOf(place)) // E1',
        replace: 'gcm.setAAD(Buffer.from(place.what))',
      },
      {
        file: CIPHER,
        find: 'gcm.setAAD(bytesOf(place))\n',
        replace: 'gcm.setAAD(Buffer.from(place.what))\n',
      },
    ],
    beyondSeeds: 'nobody exchanges what lies on a disk',
    tests: [inCipher('E1 any bytes come back where they were written for, and nowhere else')],
  },
  {
    name: 'oneKeyForAll',
    rule: 'E2',
    breaks: 'one half of the nonce does nothing, and the rest repeats itself sooner',
    patch: [
      {
        file: CIPHER,
        find: "'text', nonce.subarray(0, HALF_BYTES)",
        replace: "'text', nonce.subarray(0, 0)",
      },
    ],
    beyondSeeds: 'it takes 2^32 texts to show',
    tests: [inCipher('E2 both halves of the nonce count')],
  },
  {
    name: 'plainFirstArguments',
    rule: 'E1',
    breaks: 'the arguments of a first start go into the registry as they are',
    patch: [
      {
        file: 'node/actors/encryption.ts',
        find: "init: init.length === 0 ? init : cipher.encrypt({ what: 'init', actor }, init)",
        replace: 'init',
      },
      {
        file: 'node/actors/encryption.ts',
        find: "cipherFor(entry, cipher)?.decrypt({ what: 'init', actor }, init) ?? init",
        replace: 'actor === key ? init : init',
      },
      {
        file: 'node/actors/encryption.ts',
        find: 'const { init, key: actor } = entry',
        replace: 'const { init, key: actor, key } = entry',
      },
    ],
    beyondSeeds: 'nobody reads what lies on a disk',
    tests: [inEncryption('with one no disk has any of it')],
  },
]
