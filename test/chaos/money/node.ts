// A node as it always is, but for where its payment provider is found: over a socket, in another process.
import { ServiceBroker } from 'moleculer'
import { openStripe } from '../../../adapters/payments/stripe.ts'
import { brokerOptions } from '../../../moleculer.config.ts'

export type ProviderPlace = { port: number; secretKey: string; webhookSecret: string }
/** A call's outcome is unknown after this: shorter than in earnest, so that a run sees more of them. */
const TIMEOUT_MS = 5000

const services = new URL('../../../services/', import.meta.url)
const place = JSON.parse(process.env['PROVIDER_PLACE']!) as ProviderPlace
const hosted = process.env['HOSTED']!.split(',')

const broker = new ServiceBroker(
  brokerOptions(process.env, {
    payments: ({ log }) =>
      openStripe({ ...place, provider: 'sandbox', host: '127.0.0.1', protocol: 'http', timeoutMs: TIMEOUT_MS, log }),
  }),
)
for (const name of hosted)
  broker.createService((await import(new URL(`${name}/${name}.service.ts`, services).href)).default)
await broker.start()
console.log(`node ${broker.nodeID} is instance ${broker.instanceID}`)
