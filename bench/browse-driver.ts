// Updates gigs at a steady rate, as completed orders do: a turn of the gig, a stored version, its event to the index, and the
// notices that end hot answers. A process of its own; bench/browse-updates.ts asks it over IPC.
import { ServiceBroker } from 'moleculer'
import { brokerOptions } from '../moleculer.config.ts'
import { answerParent } from './harness.ts'

export type Question = { perSecond: number; ms: number }
/** `ms`: until the last was answered. */
export type Answer = { updated: number; refused: number; ms: number }

const TICK_MS = 10
/** Updates not answered yet; past it none is begun. */
const UNDER_WAY_MAX = 1000

const [natsUrl, dataDir] = process.argv.slice(2)
const broker = new ServiceBroker(
  brokerOptions({ NATS_URL: natsUrl!, DATA_DIR: dataDir!, NODE_ID: 'driver', LOG_LEVEL: 'error', OPS_PORT: '0' }),
)
await broker.start()
await broker.waitForServices('gig')
const ids: string[] = []
for (let after: string | null = ''; after !== null;) {
  const page = (await broker.call('gig.indexed', { limit: 1000, ...(after && { after }) })) as {
    data: { id: string }[]
    next: string | null
  }
  ids.push(...page.data.map(({ id }) => id))
  after = page.next
}
let said = 0

const update = async (): Promise<void> => {
  const gig = ids[said % ids.length]!
  const event = { id: `bench-${process.pid}-${said++}`, name: 'order.completed', at: Date.now(), data: { gig } }
  await broker.call('gig.hear', { event })
}

answerParent(async ({ perSecond, ms }: Question): Promise<Answer> => {
  const counts = { updated: 0, refused: 0 }
  let underWay = 0
  let begun = 0
  const startedAt = performance.now()
  for (let passed = 0; passed < ms; passed = performance.now() - startedAt) {
    for (; begun < (passed * perSecond) / 1000 && underWay < UNDER_WAY_MAX; begun++) {
      underWay++
      void update()
        .then(
          () => counts.updated++,
          () => counts.refused++,
        )
        .finally(() => underWay--)
    }
    await new Promise((resolve) => setTimeout(resolve, TICK_MS))
  }
  while (underWay > 0) await new Promise((resolve) => setTimeout(resolve, TICK_MS))
  return { ...counts, ms: performance.now() - startedAt }
})
