// Nodes for tests: real brokers with the embedded products in a directory of their own, several in one process if wanted.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BrokerOptions, ServiceSchema } from 'moleculer'
import type { AdapterFactories } from '../adapters/index.ts'
import { ServiceBroker } from 'moleculer'
import { brokerOptions } from '../moleculer.config.ts'
import { nodeOf, type Node } from '../mixins/node.ts'

export type StartOptions = {
  /** Services to host: schemas as the service files export them. */
  services: readonly ServiceSchema[]
  /** Environment of the node; PORT and OPS_PORT 0, LOG_LEVEL fatal, no demo data and its own DATA_DIR unless given. */
  env?: Record<string, string>
  /** Changes to the broker's options after the environment was read, for example a Fake transporter. */
  broker?: Partial<BrokerOptions>
  /** Products in place of those the environment picks. */
  products?: Partial<AdapterFactories>
}
export type TestNode = Node & {
  dataDir: string
  /** Stops the broker; the data directory goes too unless the caller gave it. */
  stop(): Promise<void>
}

export const startNode = async ({
  services,
  env = {},
  broker: changes = {},
  products,
}: StartOptions): Promise<TestNode> => {
  const dataDir = env.DATA_DIR ?? (await mkdtemp(join(tmpdir(), 'gigwire-')))
  const options = brokerOptions(
    {
      PORT: '0',
      OPS_PORT: '0',
      LOG_LEVEL: 'fatal',
      LOG_FORMAT: 'short',
      DEMO: '0',
      ...env,
      DATA_DIR: dataDir,
    },
    products,
  )
  const broker = new ServiceBroker({ ...options, skipProcessEventRegistration: true, ...changes })
  for (const schema of services) broker.createService(schema)
  await broker.start()
  return {
    ...nodeOf(broker, broker.logger),
    dataDir,
    stop: async () => {
      await broker.stop()
      if (!env.DATA_DIR) await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** Where a node's gateway listens. */
export const portOf = async ({ broker }: TestNode): Promise<number> =>
  (await broker.call<{ port: number }, object>('gateway.address', {})).port

/** Asks again until the answer satisfies, or fails after a generous while with the last answer. */
export const eventually = async <T>(
  ask: () => Promise<T> | T,
  fits: (answer: T) => boolean,
  withinMs = 15_000,
): Promise<T> => {
  const until = Date.now() + withinMs
  for (;;) {
    const answer = await ask()
    if (fits(answer)) return answer
    if (Date.now() > until) throw new Error(`not within ${withinMs} ms; the last answer was ${JSON.stringify(answer)}`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}
