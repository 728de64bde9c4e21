// What has the kernel lose packets of one direction of one link: a filter of `tc` on the loopback's way in, with a program of
// twelve instructions. On the way in nobody is told, as on a real cable: a drop on the way out is an answer to the sender.

/** The ports of a direction: packets to `there`, and packets from `back`. */
export interface Ways {
  readonly there: number
  readonly back: number
}

const LOAD_BYTE = 0x30
const LOAD_HALF = 0x28
const LOAD_WORD = 0x20
const IF_EQUAL = 0x15
const IF_GREATER = 0x25
const RETURN = 0x06

// Where things are in a frame of the loopback: Linux puts no options into the IP headers of its TCP.
const ETHERTYPE = 12
const PROTOCOL = 23
const SOURCE_PORT = 34
const TARGET_PORT = 36
/** What is loaded from here is a random word (SKF_AD_OFF + SKF_AD_RANDOM). */
const RANDOM = 0xff_ff_f0_38

const IPV4 = 0x0800
const TCP = 6
const DROP = 2
/** The next filter decides. */
const PASS = 0xff_ff_ff_ff

/** Classic BPF as `tc` reads it: the number of instructions, then code, jumps (if so, if not) and operand of each. */
export function program({ there, back }: Ways, loss: number): string {
  const highestLost = Math.max(0, Math.round(loss * 2 ** 32) - 1)
  const lines: readonly (readonly [number, number, number, number])[] = [
    [LOAD_HALF, 0, 0, ETHERTYPE],
    [IF_EQUAL, 0, 9, IPV4],
    [LOAD_BYTE, 0, 0, PROTOCOL],
    [IF_EQUAL, 0, 7, TCP],
    [LOAD_HALF, 0, 0, TARGET_PORT],
    [IF_EQUAL, 2, 0, there],
    [LOAD_HALF, 0, 0, SOURCE_PORT],
    [IF_EQUAL, 0, 3, back],
    [LOAD_WORD, 0, 0, RANDOM],
    [IF_GREATER, 1, 0, highestLost],
    [RETURN, 0, 0, DROP],
    [RETURN, 0, 0, PASS],
  ]
  return [lines.length, ...lines.map((line) => line.join(' '))].join(',')
}

// A port is nobody else's in its namespace, so it is the number of its rule, too.
const rule = (verb: string, { there }: Ways): readonly string[] => [
  ...['filter', verb, 'dev', 'lo', 'ingress', 'pref', `${there}`],
]

/** Arguments of `tc`. One that is there already is replaced. */
export const addRule = (ways: Ways, loss: number): readonly string[] => [
  ...rule('replace', ways),
  ...['handle', '1', 'bpf', 'bytecode', program(ways, loss), 'direct-action'],
]
export const removeRule = (ways: Ways): readonly string[] => rule('del', ways)

/** What rules hang on; it counts what they drop. */
export const ADD_HOOK: readonly string[] = ['qdisc', 'add', 'dev', 'lo', 'clsact']
export const SHOW_HOOKS: readonly string[] = ['-s', '-j', 'qdisc', 'show', 'dev', 'lo']
