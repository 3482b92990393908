import test, { type ExecutionContext } from 'ava'
import type { ProviderEvent } from '../../adapters/payments/index.ts'
import { startNode } from '../../test/node.ts'
import { backfill, BACKFILL_FIRST_MS, BACKFILL_PAGES_MAX, paymentBackfill } from './backfill.ts'

const NOW = 1_700_000_000_000
const event = (at: number, metadata: Record<string, string> = { op: 'ord_1' }): ProviderEvent => ({
  id: `evt_${at}`,
  type: 'payment_intent.succeeded',
  createdAt: NOW + at,
  objectId: 'pi_1',
  objectType: 'payment_intent',
  metadata,
})

/** A market's store beside a provider whose events are those in `happened`, told `page` at a time, newest first. */
const start = async (t: ExecutionContext, page: number) => {
  const node = await startNode({ services: [] })
  t.teardown(() => node.stop())
  const documents = await node.open('documents')
  await documents.declare([paymentBackfill])
  const happened: ProviderEvent[] = []
  const kept: string[] = []
  const asked: number[] = []
  const needs = {
    documents,
    payments: {
      listEvents: async ({ since, after = null }: { since: number; after?: string | null }) => {
        asked.push(since)
        const all = happened
          .filter(({ createdAt }) => createdAt >= since)
          .toSorted((one, other) => other.createdAt - one.createdAt)
        const from = after === null ? 0 : all.findIndex(({ id }) => id === after) + 1
        const data = all.slice(from, from + page)
        return { data, next: from + page < all.length ? (data.at(-1)?.id ?? null) : null }
      },
    },
    receive: async ({ id }: ProviderEvent) => {
      if (!kept.includes(id)) kept.push(id)
    },
    concerns: ({ metadata }: ProviderEvent) => metadata.op !== undefined,
    now: () => NOW,
  }
  return { needs, happened, kept, asked }
}

test('what happened while nobody listened is kept, all of it that is ours', async (t) => {
  const { needs, happened, kept, asked } = await start(t, 2)
  happened.push(event(-1), event(-2), event(-3), event(-4, {}), event(-5))
  t.is(await backfill(needs), 5)
  t.deepEqual(kept.toSorted(), ['evt_-1', 'evt_-2', 'evt_-3', 'evt_-5'])
  t.true(asked[0]! <= NOW - BACKFILL_FIRST_MS)
})

test('what is told late of the same moment is not missed, and the past is not asked for for ever', async (t) => {
  const { needs, happened, kept, asked } = await start(t, 10)
  happened.push(event(0))
  await backfill(needs)
  happened.push(event(-1_000), event(86_400_000))
  await backfill(needs, { eager: true })
  t.deepEqual(kept, ['evt_0', 'evt_86400000', 'evt_-1000'])
  await backfill(needs, { eager: true })
  t.true(asked.at(-1)! > NOW + 80_000_000)
})

test('a list too long for one go is carried on where it ended, and begun anew when it is read', async (t) => {
  const { needs, happened, kept } = await start(t, 1)
  const many = Array.from({ length: BACKFILL_PAGES_MAX + 20 }, (_, at) => event(-at * 60_000))
  happened.push(...many)
  t.is(await backfill(needs), BACKFILL_PAGES_MAX)
  // Newer ones come while the older are still being read.
  happened.push(event(60_000))
  await backfill(needs, { eager: true })
  t.is(kept.length, many.length)
  await backfill(needs, { eager: true })
  t.true(kept.includes('evt_60000'))
})

test('several nodes ask in turns: only one of them until it is time again', async (t) => {
  const { needs, happened } = await start(t, 10)
  happened.push(event(0))
  const seen = await Promise.all([backfill(needs), backfill(needs), backfill(needs)])
  t.deepEqual(seen.toSorted(), [0, 0, 1])
  t.is(await backfill(needs), 0)
})

test('a provider that fails in the middle leaves nothing skipped', async (t) => {
  const { needs, happened, kept } = await start(t, 1)
  happened.push(event(-1_000), event(-2_000))
  let asked = 0
  const failing = {
    ...needs,
    payments: {
      listEvents: async (page: { since: number; after?: string | null; limit: number }) => {
        if (asked++ === 1) throw new Error('no answer')
        return needs.payments.listEvents(page)
      },
    },
  }
  await t.throwsAsync(backfill(failing))
  await backfill(needs, { eager: true })
  t.deepEqual(kept, ['evt_-1000', 'evt_-2000'])
})
