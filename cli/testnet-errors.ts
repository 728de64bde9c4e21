// Errors of testnets, for people.

/** A testnet's errors carry a dump of every peer: the first line says what is wrong, the stack keeps the rest. */
export function withoutDump(error: unknown): unknown {
  if (!(error instanceof Error) || !error.message.includes('\n')) return error
  const short = new Error(`${error.message.split('\n')[0]} (--verbose shows what every peer saw)`, {
    cause: error,
  })
  return Object.assign(short, { stack: error.stack })
}
