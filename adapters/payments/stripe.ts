// The payment provider through its official SDK: separate charges and transfers, every write under the caller's key,
// and no retries here, because the caller's operation record alone decides them.
import type Stripe from 'stripe'
import type { Client } from './answer.ts'
import { chargeCalls } from './charges.ts'
import { connectCalls } from './connect.ts'
import { disputeCalls } from './disputes.ts'
import { paymentsError } from './errors.ts'
import type { Payments } from './index.ts'
import { statementCalls } from './statement.ts'
import { listEvents, verifyWebhook } from './webhook.ts'

/** How long a call may take before its outcome is unknown. */
export const CALL_TIMEOUT_MS = 20_000

export type StripeOptions = {
  secretKey: string
  publishableKey?: string
  /** Several are joined by commas: the platform's own events and those of connected accounts have an endpoint each. */
  webhookSecret: string
  /** Another place than the provider's own, for the sandbox. */
  host?: string
  port?: number
  protocol?: 'http' | 'https'
  provider: 'sandbox' | 'stripe'
  timeoutMs?: number
  log: { warn(...args: unknown[]): void }
}

export const openStripe = async (options: StripeOptions): Promise<Payments> => {
  const client = loadedLate(options)
  // An empty one would be a secret that everybody knows.
  const secrets = options.webhookSecret.split(',').flatMap((secret) => secret.trim() || [])
  return {
    provider: options.provider,
    publishableKey: options.publishableKey ?? null,
    ...chargeCalls(client),
    ...connectCalls(client),
    ...disputeCalls(client),
    ...statementCalls(client),
    listEvents: listEvents(client),
    verifyWebhook: (raw, signature) => verifyWebhook(client, secrets, { raw, signature }),
    // Idle connections don't hold the process, and nothing else is open.
    close: async () => undefined,
  }
}

/**
 * The SDK is large: nobody waits for it at the start. Where money is real it is loaded behind the start, and the first call
 * waits only for what is left; a sandbox that nobody pays in does without its 36 MB.
 */
const loadedLate = (options: StripeOptions): Client => {
  const load = async (): Promise<Stripe> => {
    const { default: StripeClient } = await import('stripe')
    return new StripeClient(options.secretKey, {
      ...(options.host !== undefined && { host: options.host }),
      ...(options.port !== undefined && { port: options.port }),
      ...(options.protocol !== undefined && { protocol: options.protocol }),
      maxNetworkRetries: 0,
      timeout: options.timeoutMs ?? CALL_TIMEOUT_MS,
      telemetry: false,
    })
  }
  let loading: Promise<Stripe> | undefined
  const client = () => (loading ??= load())
  if (options.provider === 'stripe')
    client().catch((error: unknown) =>
      options.log.warn("the payment provider's SDK could not be loaded", paymentsError(error).message),
    )
  return client
}
