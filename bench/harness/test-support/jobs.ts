// Jobs for the tests of workers.

export const pid = (): number => process.pid

export const later = (ms: number): Promise<number> =>
  new Promise((resolve) => setTimeout(() => resolve(ms), ms))

export function fail(): never {
  throw new Error('it broke')
}
