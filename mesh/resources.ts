// What peers offer and actors need, by name: `gpu`, `slots`, whatever an app counts. Amounts are compared in whole
// thousandths, so that three times 0.1 is 0.3.

/** By name, each at least 0, a multiple of 0.001, at most {@link MAX_AMOUNT}. */
export type Resources = Readonly<Record<string, number>>

/** Bytes of a machine's memory, for example. Two of these in thousandths still add up exactly. */
export const MAX_AMOUNT = 1e12

export const isAmount = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value <= MAX_AMOUNT && Math.round(value * 1000) / 1000 === value

export const thousandths = (amount: number): number => Math.round(amount * 1000)
export const fromThousandths = (amount: number): number => amount / 1000

export const amountOf = (resources: Resources | undefined, name: string): number =>
  resources !== undefined && Object.hasOwn(resources, name) ? (resources[name] ?? 0) : 0
