// Webhooks: verified over their raw bytes, stored once, answered. A fifth of what is sent came before.
import { startNode } from '../test/node.ts'
import type { Sandbox } from '../adapters/payments/sandbox.ts'
import { signatureOf } from '../adapters/payments/sandbox/webhooks.ts'
import payment from '../services/payment/payment.service.ts'
import { paymentEvents } from '../services/payment/webhooks.ts'
import { table } from './harness.ts'
import { loadCells, underLoad, type Loaded } from './load.ts'

/** About an object of nobody's operation: what is measured is the intake, not what follows from it. */
const bodyOf = (number: number): string =>
  JSON.stringify({
    id: `evt_${String(number).padStart(24, '0')}`,
    object: 'event',
    type: 'charge.updated',
    created: Math.floor(Date.now() / 1000),
    data: {
      object: { id: `ch_${number}`, object: 'charge', amount: 10_550, currency: 'usd', metadata: {}, padding: PADDING },
    },
  })
/** An event of the provider's usual size. */
const PADDING = 'x'.repeat(2500)

export const webhookIntake = async ({ inFlight, ms, rounds }: { inFlight: number; ms: number; rounds: number }) => {
  const node = await startNode({ services: [payment] })
  try {
    const { server } = (await node.open('payments')) as Sandbox
    let next = 0
    const send = async (number: number) => {
      const body = bodyOf(number)
      const signature = signatureOf(body, server.webhookSecret, Math.floor(Date.now() / 1000))
      await node.call('payment.webhook', { body: Buffer.from(body).toString('base64'), signature })
    }
    const intake = () => {
      const number = next++
      return send(number % 5 === 4 ? number - 1 : number)
    }
    await underLoad({ inFlight, ms }, intake)
    const measured: Loaded[] = []
    for (let one = 0; one < rounds; one++) measured.push(await underLoad({ inFlight, ms }, intake))
    const documents = await node.open('documents')
    const stored = await documents.count(paymentEvents, { index: 'byReceived' })
    const expected = Array.from({ length: next }, (_, number) => number).filter((number) => number % 5 !== 4).length
    if (stored !== expected) throw new Error(`${stored} events are stored, ${expected} different ones were sent`)
    console.log(
      `\nWebhooks: signature checked, stored once, answered; each fifth sent twice (its making and signing included)\n\n${table(
        ['In flight', 'a second', 'CPU each', 'p50', 'p99'],
        [[String(inFlight), ...loadCells(measured)]],
      )}\n${stored.toLocaleString('en')} of ${next.toLocaleString('en')} stored, as many as differ`,
    )
  } finally {
    await node.stop()
  }
}
