// The transcript files of the project.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('../transcripts', import.meta.url))
const EXTENSION = '.transcript'

/** Names without extension, in the order of the folder. */
export const transcripts = (): string[] =>
  readdirSync(FOLDER)
    .filter((file) => file.endsWith(EXTENSION))
    .map((file) => file.slice(0, -EXTENSION.length))
    .sort()

export const pathOf = (name: string): string => join(FOLDER, `${name}${EXTENSION}`)
