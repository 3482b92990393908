// npm run seed -- --gigs 100000: fills the market with demo people, gigs and reviews. Run again, it adds what is missing.
import { parseArgs } from 'node:util'
import { configuration, ConfigurationError } from '../mixins/configuration.ts'
import { ensureAccounts } from '../services/sandbox/demo/accounts.ts'
import { seedGigs } from '../services/sandbox/demo/seeding.ts'
import { askRunning, ownNode, runScript } from './own-node.ts'

const HELP = `npm run seed -- --gigs 100000
Adds demo people, gigs and reviews until there are that many. With embedded products the market must not be running:
they belong to one process. With MONGO_URL and NATS_URL it joins the running market.`
export const GIGS_MAX = 2_000_000
const SERVICES = ['account', 'gig', 'search', 'moderation', 'review']

const seed = async (): Promise<number> => {
  const { values } = parseArgs({
    options: { gigs: { type: 'string', default: '1000' }, help: { type: 'boolean', default: false } },
  })
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const count = Number(values.gigs)
  if (!Number.isInteger(count) || count < 1 || count > GIGS_MAX)
    throw new ConfigurationError(`--gigs takes a whole number from 1 to ${GIGS_MAX.toLocaleString('en')}`)
  const { mongoUrl, natsUrl, sandbox } = configuration(process.env)
  if (!sandbox) throw new ConfigurationError('demo data is for sandboxes: STRIPE_SECRET_KEY is set')
  if (!(mongoUrl && natsUrl) && (await askRunning('/health/live')))
    throw new ConfigurationError('the market is running: stop it first, its embedded data belongs to one process')
  const node = await ownNode(SERVICES)
  try {
    const startedAt = Date.now()
    await ensureAccounts(node.call)
    const made = await seedGigs(node.call, count, node.clock.now(), progress(startedAt))
    const seconds = (Date.now() - startedAt) / 1000
    console.log(
      `\n${made.toLocaleString('en')} gigs made in ${seconds.toFixed(1)} s (${Math.round(made / seconds).toLocaleString('en')}/s), ${(count - made).toLocaleString('en')} were there`,
    )
    await (await node.open('engine')).flush()
  } finally {
    await node.stop()
  }
  return 0
}

const BAR = 30
const LINE_EVERY_MS = 3000

/** A bar that is redrawn on a terminal, a line now and then elsewhere. */
const progress = (startedAt: number) => {
  let lastLineAt = 0
  return (done: number, of: number) => {
    const rate = done / Math.max(0.001, (Date.now() - startedAt) / 1000)
    const left = `${Math.ceil((of - done) / rate)} s left`
    const words = `${done.toLocaleString('en')} of ${of.toLocaleString('en')} gigs, ${Math.round(rate).toLocaleString('en')}/s, ${left}`
    if (process.stdout.isTTY) {
      const full = Math.round((done / of) * BAR)
      process.stdout.write(`\r[${'#'.repeat(full)}${'.'.repeat(BAR - full)}] ${words}   `)
    } else if (Date.now() - lastLineAt > LINE_EVERY_MS || done === of) {
      lastLineAt = Date.now()
      console.log(words)
    }
  }
}

if (import.meta.main) await runScript(seed)
