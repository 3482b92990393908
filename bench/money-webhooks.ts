// Webhooks: verified over their raw bytes, stored once, answered. A quarter of them come twice.
import { startNode } from '../test/node.ts'
import type { Sandbox } from '../adapters/payments/sandbox.ts'
import { signatureOf } from '../adapters/payments/sandbox/webhooks.ts'
import payment from '../services/payment/payment.service.ts'
import { paymentEvents } from '../services/payment/webhooks.ts'
import { median, table } from './harness.ts'

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
    const round = async () => {
      const took: number[] = []
      const until = performance.now() + ms
      const began = performance.now()
      const cpu = process.cpuUsage()
      await Promise.all(
        Array.from({ length: inFlight }, async () => {
          while (performance.now() < until) {
            const number = next++
            const at = performance.now()
            await send(number % 5 === 4 ? number - 1 : number)
            took.push(performance.now() - at)
          }
        }),
      )
      const seconds = (performance.now() - began) / 1000
      const { user, system } = process.cpuUsage(cpu)
      took.sort((one, other) => one - other)
      return {
        perSecond: took.length / seconds,
        cpuMicros: (user + system) / took.length,
        p50: took[Math.floor(took.length / 2)]!,
        p99: took[Math.floor(took.length * 0.99)]!,
      }
    }
    await round()
    const measured: Awaited<ReturnType<typeof round>>[] = []
    for (let one = 0; one < rounds; one++) measured.push(await round())
    const documents = await node.open('documents')
    const stored = await documents.count(paymentEvents, { index: 'byReceived' })
    const expected = Array.from({ length: next }, (_, number) => number).filter((number) => number % 5 !== 4).length
    if (stored !== expected) throw new Error(`${stored} events are stored, ${expected} different ones were sent`)
    const of = (what: 'perSecond' | 'cpuMicros' | 'p50' | 'p99') => median(measured.map((one) => one[what]))
    console.log(
      `\nWebhooks: signature checked, stored once, answered; each fifth sent twice (its making and signing included)\n\n${table(
        ['In flight', 'a second', 'CPU each', 'p50', 'p99'],
        [
          [
            String(inFlight),
            Math.round(of('perSecond')).toLocaleString('en'),
            `${of('cpuMicros').toFixed(0)} µs`,
            `${of('p50').toFixed(1)} ms`,
            `${of('p99').toFixed(1)} ms`,
          ],
        ],
      )}\n${stored.toLocaleString('en')} of ${next.toLocaleString('en')} stored, as many as differ`,
    )
  } finally {
    await node.stop()
  }
}
