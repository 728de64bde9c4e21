// What is asked of `tc`, what is refused and why; and, where there are namespaces, packets that are lost.

import { execFile, execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { Links } from '../links/links.ts'
import type { LossRun } from '../test-support/loss-run.ts'
import { canLosePackets, netnsCommand, netnsEnvironment, type TryOut, withSystemPath } from './netns.ts'
import { addRule, program, removeRule } from './rule.ts'

const WAYS = { there: 4001, back: 4002 }
const RUN = fileURLToPath(new URL('../test-support/loss-run.ts', import.meta.url))

test('a rule is a filter on the way in, numbered as its port', () => {
  expect(addRule(WAYS, 0.5).join(' ')).toBe(
    `filter replace dev lo ingress pref 4001 handle 1 bpf bytecode ${program(WAYS, 0.5)} direct-action`,
  )
  expect(removeRule(WAYS).join(' ')).toBe('filter del dev lo ingress pref 4001')
})

/** As the kernel runs it; a random word is loaded by an offset that no frame has. */
function runProgram(text: string, frame: Buffer, random: number): number {
  const [count, ...lines] = text.split(',')
  expect(lines).toHaveLength(Number(count))
  let loaded = 0
  for (let at = 0; at < lines.length; at++) {
    const [code, ifSo, ifNot, operand] = lines[at]!.split(' ').map(Number) as [number, number, number, number]
    if (code === 0x28) loaded = frame.readUInt16BE(operand)
    else if (code === 0x30) loaded = frame.readUInt8(operand)
    else if (code === 0x20) loaded = random
    else if (code === 0x15) at += loaded === operand ? ifSo : ifNot
    else if (code === 0x25) at += loaded > operand ? ifSo : ifNot
    else return operand
  }
  throw new Error('the program has no end')
}

function frame({ from = 50_000, to = 50_001, protocol = 6, ethertype = 0x0800 }): Buffer {
  const bytes = Buffer.alloc(54)
  bytes.writeUInt16BE(ethertype, 12)
  bytes.writeUInt8(protocol, 23)
  bytes.writeUInt16BE(from, 34)
  bytes.writeUInt16BE(to, 36)
  return bytes
}

const HIGHEST = 2 ** 32 - 1
const dropped = (loss: number, what: Parameters<typeof frame>[0], random: number): boolean =>
  runProgram(program(WAYS, loss), frame(what), random) === 2

test.each([
  ['to the port there', { to: 4001 }, true],
  ['from the port back', { from: 4002 }, true],
  ['from the port there, which is the other direction', { from: 4001 }, false],
  ['to the port back, the same', { to: 4002 }, false],
  ['to another port', {}, false],
  ['of UDP', { to: 4001, protocol: 17 }, false],
  ['of another protocol than IP', { to: 4001, ethertype: 0x0806 }, false],
])('of packets %s: %o lost: %o', (_what, packet, lost) => {
  expect(dropped(1, packet, HIGHEST)).toBe(lost)
})

test('as many packets are lost as were asked for', () => {
  for (const loss of [0.02, 0.3, 0.6]) {
    expect(dropped(loss, { to: 4001 }, Math.floor(loss * 2 ** 32) - 1)).toBe(true)
    expect(dropped(loss, { to: 4001 }, Math.ceil(loss * 2 ** 32) + 1)).toBe(false)
  }
})

const ALL_THERE: TryOut = () => undefined
const without =
  (fails: (program: string, args: readonly string[]) => boolean, why: string): TryOut =>
  (program, args) =>
    fails(program, args) ? why : undefined

test('a user who is not root gets a namespace by way of one of users', () => {
  expect(netnsCommand(ALL_THERE, 'linux')).toMatchObject({ command: expect.arrayContaining(['--net']) })
  const notRoot = without((_, args) => args[0] === '--net', 'Operation not permitted')
  expect(netnsCommand(notRoot, 'linux')).toMatchObject({
    command: expect.arrayContaining(['--map-root-user', '--net']),
  })
})

test.each([
  ['another system', ALL_THERE, 'darwin', "network namespaces are Linux's, and this is darwin"],
  [
    'no tc',
    without((program) => program === 'tc', 'spawn tc ENOENT'),
    'linux',
    'tc does not run (package iproute2): spawn tc ENOENT',
  ],
  [
    'no namespaces',
    without((_, args) => args.includes('true'), 'unshare failed: Operation not permitted'),
    'linux',
    'neither root nor a user may make a network namespace here: unshare failed: Operation not permitted; unshare failed: Operation not permitted',
  ],
  [
    'a kernel without the filter',
    without((_, args) => args.some((arg) => arg.includes('bpf')), 'Error: TC classifier not found.'),
    'linux',
    'the kernel needs CONFIG_NET_SCH_INGRESS and CONFIG_NET_CLS_BPF: Error: TC classifier not found.',
  ],
])('refused with what is missing: %s', (_what, tryOut, platform, missing) => {
  expect(netnsCommand(tryOut, platform)).toEqual({ missing })
})

test.skipIf(canLosePackets())('no rule is set outside of a namespace of its own', async () => {
  const links = await Links.open(2)
  onTestFinished(() => links.end())
  expect(() => links.set(0, 1, { loss: 0.1 })).toThrow("only in a network namespace of the testnet's own")
  expect(links.condition(0, 1)).toMatchObject({ loss: 0 })
  expect(() => links.set(0, 1, { loss: 2 })).toThrow(RangeError)
})

const found = netnsCommand()
const hooks = (): string =>
  execFileSync('tc', ['qdisc', 'show', 'dev', 'lo'], { encoding: 'utf8', env: withSystemPath(process.env) })

if ('missing' in found) process.stderr.write(`skipped: no packet is lost, ${found.missing}\n`)

test.skipIf('missing' in found)('packets are lost, TCP sends them again, and no call is lost', async () => {
  if ('missing' in found) return
  const before = hooks()
  const [program, ...args] = [...found.command, process.execPath, RUN]
  const env = netnsEnvironment(process.env)
  const { stdout } = await promisify(execFile)(program!, args, { env, timeout: 50_000 })
  const run = JSON.parse(stdout) as LossRun
  expect(run).toMatchObject({ lostBefore: 0, lostAfterwards: 0 })
  expect(run.lost).toBeGreaterThan(5)
  expect(run.retransmitted - run.spurious).toBeGreaterThan(5)
  expect(run.acknowledged.length).toBeGreaterThan(5)
  for (const end of run.ends) expect(end).toEqual(run.acknowledged)
  expect(hooks()).toBe(before)
})
