// Which start of the operating system this is. Data that was written, not synced, under an earlier one may be gone.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname, uptime } from 'node:os'

/** Clock adjustments move a derived boot time; one that crosses this raster only makes data count as tainted. */
const BOOT_TIME_RASTER_S = 60

export function systemBoot(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    const bootTime = Math.round((Date.now() / 1000 - uptime()) / BOOT_TIME_RASTER_S)
    return createHash('sha256').update(`${hostname()} ${bootTime}`).digest('hex').slice(0, 32)
  }
}
