// A node of a script's own, on the same configuration as the market but without its gateway and demo.
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ServiceBroker, type ServiceSchema } from 'moleculer'
import { brokerOptions } from '../moleculer.config.ts'
import { configuration, ConfigurationError } from '../mixins/configuration.ts'
import { nodeOf, type Node } from '../mixins/node.ts'
import { ORDER_HEADER } from '../mixins/ops.ts'

const services = fileURLToPath(new URL('../services', import.meta.url))
export const allServices = (): string[] =>
  readdirSync(services).filter((name) => name !== 'gateway' && existsSync(`${services}/${name}/${name}.service.ts`))

export type OwnNode = Node & { stop(): Promise<void> }

export const ownNode = async (names: readonly string[]): Promise<OwnNode> => {
  const env = {
    ...process.env,
    OPS_PORT: '0',
    DEMO: '0',
    LOG_LEVEL: process.env.LOG_LEVEL ?? 'fatal',
    NODE_ID: `script-${process.pid}`,
  }
  const broker = new ServiceBroker(brokerOptions(env))
  for (const name of names)
    broker.createService(
      ((await import(`../services/${name}/${name}.service.ts`)) as { default: ServiceSchema }).default,
    )
  // What keeps it from starting is said once, by the script; what had started must not keep the script from ending.
  await broker.start().catch(async (error: unknown) => {
    await broker.stop().catch(() => undefined)
    throw error
  })
  return { ...nodeOf(broker, broker.logger), stop: () => broker.stop() }
}

/** Asks the side door of a market that runs here, or orders something there; null when none does. */
export const askRunning = async (
  path: string,
  method: 'GET' | 'POST' = 'GET',
): Promise<{ status: number; body: unknown } | null> => {
  const { opsHost, opsPort } = configuration(process.env)
  const host = opsHost === '0.0.0.0' ? '127.0.0.1' : opsHost
  try {
    const headers = method === 'POST' ? { [ORDER_HEADER]: 'script' } : {}
    const response = await fetch(`http://${host}:${opsPort}${path}`, { method, headers })
    return { status: response.status, body: await response.json() }
  } catch {
    return null
  }
}

/** Runs a script; what a person can mend is one line, anything else a stack. */
export const runScript = async (work: () => Promise<number>): Promise<void> => {
  try {
    process.exitCode = await work()
  } catch (error) {
    const isPlain =
      error instanceof ConfigurationError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS')
    console.error(isPlain ? `gigwire: ${(error as Error).message}` : error)
    // A node that came up half way may have left something open.
    process.exit(2)
  }
}
