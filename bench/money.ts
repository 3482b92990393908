// Money: `npm run bench:money [-- --only ledger,webhooks,run,reconcile,book --entries 1000000 --sellers 10000
// --transactions 100000 --in-flight 256 --rounds 3 --ms 3000]`
// Every part checks what it measured: entries balance and are found, each seller is paid once, what was planted is found.
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'ledger,webhooks,run,reconcile,book' },
    entries: { type: 'string', default: '1000000' },
    sellers: { type: 'string', default: '10000' },
    transactions: { type: 'string', default: '100000' },
    'in-flight': { type: 'string', default: '256' },
    rounds: { type: 'string', default: '3' },
    ms: { type: 'string', default: '3000' },
    seed: { type: 'string', default: '1' },
  },
})
const [inFlight, rounds, ms] = [Number(values['in-flight']), Number(values.rounds), Number(values.ms)]

const PARTS: Readonly<Record<string, () => Promise<void>>> = {
  ledger: async () => (await import('./money-ledger.ts')).entriesUnderLoad({ inFlight, rounds, ms }),
  webhooks: async () => (await import('./money-webhooks.ts')).webhookIntake({ inFlight, rounds, ms }),
  run: async () => (await import('./money-run.ts')).payoutRun(Number(values.sellers), Number(values.seed)),
  reconcile: async () => (await import('./money-reconcile.ts')).reconciled(Number(values.transactions)),
  book: async () => (await import('./money-ledger.ts')).largeBook(Number(values.entries)),
}

for (const name of values.only.split(',')) {
  const part = PARTS[name]
  if (!part) throw new Error(`there is no part ${name}, only ${Object.keys(PARTS).join(', ')}`)
  await part()
}
