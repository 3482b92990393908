// The sandbox provider as a process of its own. It says on its first line where it is and how to be asked; over the channel to
// its parent it takes faults and the address for its events.
import { realClock } from '../../../adapters/clock/index.ts'
import { openSandboxServer, type Fault } from '../../../adapters/payments/sandbox.ts'

export type Told = { webhookUrl?: string; fault?: Fault; clear?: true }

const quiet = { info: () => undefined, warn: () => undefined, error: console.error }
const server = await openSandboxServer({
  file: process.env['PROVIDER_FILE']!,
  clock: realClock(),
  settings: { payoutArrivalMs: Number(process.env['PAYOUT_ARRIVAL_MS'] ?? 1500) },
  log: quiet,
})
process.on('message', ({ webhookUrl, fault, clear }: Told) => {
  if (webhookUrl) server.setWebhookUrl(webhookUrl)
  if (clear) server.faults.clear()
  if (fault) server.faults.add(fault)
})
const { port, secretKey, webhookSecret } = server
console.log(JSON.stringify({ port, secretKey, webhookSecret }))
