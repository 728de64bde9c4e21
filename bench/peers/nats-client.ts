// Jobs of the process that publishes to a NATS JetStream stream with three replicas, and waits for each acknowledgement.

import { type JetStreamClient, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect as dial } from '@nats-io/transport-node'
import { drive, type Plan, payload } from '../harness/drive.ts'
import type { Measured } from '../harness/statistics.ts'

let client: JetStreamClient | undefined

/** Waits until the cluster has a leader and makes the stream: on disk, three replicas, the last message of each subject kept. */
export async function connect(ports: readonly number[]): Promise<void> {
  const connection = await dial({ servers: ports.map((port) => `127.0.0.1:${port}`) })
  const stream = { name: 'bench', subjects: ['bench.*'], num_replicas: 3, max_msgs_per_subject: 1 }
  const deadline = performance.now() + 30_000
  for (;;) {
    try {
      const manager = await jetstreamManager(connection, { timeout: 2000 })
      await manager.streams.add(stream)
      break
    } catch (error) {
      if (performance.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
  client = jetstream(connection)
}

export function publish({ subjects, ...plan }: Plan & { readonly subjects: number }): Promise<Measured> {
  const data = payload(plan.bytes)
  return drive((n) => client!.publish(`bench.${n % subjects}`, data, { timeout: 30_000 }), plan)
}
