// Runs the steps of a transcript file and returns the file as it would be recorded now.

import { parseScript, ScriptError } from './script.ts'
import { Stage } from './stage.ts'

export async function replay(file: string, text: string): Promise<string> {
  const { lines } = parseScript(file, text)
  const stage = new Stage()
  const recorded: string[] = []
  for (const { number, text: line, step } of lines) {
    recorded.push(line)
    if (!step) continue
    stage.recorder.begin(step.kind === 'quietly' || step.kind === 'expect')
    try {
      await stage.perform(step)
    } catch (error) {
      const trace = [...recorded, ...stage.recorder.end()].slice(-40).join('\n')
      throw new ScriptError(
        file,
        number,
        `${line}: ${error instanceof Error ? error.message : error}\n${trace}`,
      )
    }
    recorded.push(...stage.recorder.end())
  }
  try {
    stage.end()
  } catch (error) {
    throw new ScriptError(file, lines.length, error instanceof Error ? error.message : String(error))
  }
  return recorded.join('\n')
}
