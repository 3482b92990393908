// The sandbox as a Payments: our own provider on loopback, reached by the same client that reaches the real one.
import type { Payments } from './index.ts'
import { openSandboxServer, type SandboxOptions, type SandboxServer } from './sandbox/server.ts'
import { openStripe } from './stripe.ts'

export type { Fault, FaultKind, Faults } from './sandbox/faults.ts'
export type { SandboxOptions, SandboxServer } from './sandbox/server.ts'
export { openSandboxServer } from './sandbox/server.ts'

export type Sandbox = Payments & { tick: NonNullable<Payments['tick']>; server: SandboxServer }

export const openSandbox = async (options: SandboxOptions & { timeoutMs?: number }): Promise<Sandbox> => {
  const server = await openSandboxServer(options)
  const payments = await openStripe({
    provider: 'sandbox',
    secretKey: server.secretKey,
    webhookSecret: server.webhookSecret,
    host: '127.0.0.1',
    port: server.port,
    protocol: 'http',
    ...(options.timeoutMs !== undefined && { timeoutMs: options.timeoutMs }),
    log: options.log,
  })
  return {
    ...payments,
    server,
    tick: server.tick,
    close: async () => {
      await payments.close()
      await server.close()
    },
  }
}
