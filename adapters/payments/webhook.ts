// Webhooks: believed only with a good, fresh signature over the raw bytes, and then only as a hint that an object
// changed.
import type Stripe from 'stripe'
import { askList, requireObject, type Client } from './answer.ts'
import { PaymentsError, type Payments, type ProviderEvent } from './index.ts'

export const SIGNATURE_AGE_MAX_S = 300
/** The SDK alone would take any time in the future. */
export const SIGNATURE_AHEAD_MAX_S = 60

const EVENT = { object: 'event', prefix: 'evt_' }

export const verifyWebhook = async (
  client: Client,
  secrets: readonly string[],
  { raw, signature }: Signed,
): Promise<ProviderEvent> => {
  const stripe = await client()
  try {
    refuseFuture(signature)
    const event = await signedByOne(stripe, secrets, { raw, signature })
    requireObject(event, EVENT)
    return eventOf(event)
  } catch (error) {
    const refused = new PaymentsError(
      'bad_signature',
      'bad_signature',
      'The webhook is not signed by the provider, or not recently.',
    )
    refused.cause = error
    throw refused
  }
}

type Signed = { raw: Uint8Array; signature: string }

const signedByOne = async (stripe: Stripe, secrets: readonly string[], { raw, signature }: Signed) => {
  let refused: unknown
  for (const secret of secrets) {
    try {
      return await stripe.webhooks.constructEventAsync(Buffer.from(raw), signature, secret, SIGNATURE_AGE_MAX_S)
    } catch (error) {
      refused = error
    }
  }
  throw refused
}

const refuseFuture = (signature: string): void => {
  const latest = Math.floor(Date.now() / 1000) + SIGNATURE_AHEAD_MAX_S
  const times = [...signature.matchAll(/(?:^|,)\s*t=(\d+)/g)].map((match) => Number(match[1]))
  if (times.length !== 1 || times.some((time) => time > latest))
    throw new Error('the signature has no single time, or one in the future')
}

export const listEvents =
  (client: Client): Payments['listEvents'] =>
  async ({ since, after, limit, accountId }) => {
    const { data, hasMore } = await askList(client, EVENT, (stripe) =>
      stripe.events.list(
        { created: { gte: Math.floor(since / 1000) }, limit, ...(after && { starting_after: after }) },
        accountId === undefined ? {} : { stripeAccount: accountId },
      ),
    )
    return { data: data.map(eventOf), next: hasMore ? (data.at(-1)?.id ?? null) : null }
  }

type Told = { id?: string; object?: string; metadata?: Record<string, string> | null; payment_intent?: unknown }

const eventOf = (event: Stripe.Event): ProviderEvent => {
  const object = event.data.object as Told
  return {
    id: event.id,
    type: event.type,
    createdAt: event.created * 1000,
    ...(event.account && { account: event.account }),
    objectId: object.id ?? '',
    objectType: object.object ?? '',
    metadata: object.metadata ?? {},
    ...(typeof object.payment_intent === 'string' && { paymentId: object.payment_intent }),
  }
}
