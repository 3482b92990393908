import test from 'ava'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startNode } from '../../test/node.ts'
import account from '../account/account.service.ts'
import { refusal } from '../errors.ts'
import type { Caller } from '../shapes.ts'
import sandbox from './sandbox.service.ts'
import { castOf, startEverything, thingsOf } from '../../test/everything.ts'

const DAY_SECONDS = 86_400
const DAY_MS = DAY_SECONDS * 1000

test('time walks from timer to timer: everything happens at its own moment', async (t) => {
  t.timeout(60_000)
  const market = await startEverything()
  const cast = await castOf(market)
  const { order } = await thingsOf(market, cast)
  const post = (path: string, token: string, body: object) => market.request('POST', path, { token, body })
  await post(`/v1/orders/${order}/pay`, cast.buyer.token, { paymentMethod: 'pm_card_visa' })
  await post(`/v1/orders/${order}/requirements`, cast.buyer.token, { answers: [{ id: 'name', answer: 'x' }] })
  await post(`/v1/orders/${order}/deliver`, cast.seller.token, { message: 'x' })
  const advanced = await post('/v1/sandbox/clock', cast.admin.token, { advanceSeconds: 40 * DAY_SECONDS })
  t.is(advanced.status, 200, JSON.stringify(advanced.body))
  const { body } = await market.request('GET', `/v1/orders/${order}/events`, { token: cast.buyer.token })
  const at = (type: string) => Date.parse(body.data.find((event: { type: string }) => event.type === type).at)
  t.true(Math.abs(at('auto_completed') - at('delivered') - 3 * DAY_MS) < 60_000)
  t.true(Math.abs(at('cleared') - at('auto_completed') - 14 * DAY_MS) < 60_000)
  // The daily run after clearing found the money, on its day and not at the end of the journey.
  const { data } = (await market.request('GET', '/v1/payouts', { token: cast.seller.token })).body
  t.is(data.length, 1)
  t.true(
    Date.parse(data[0].createdAt) - at('cleared') < 1.1 * DAY_MS,
    `${data[0].createdAt} is long after ${new Date(at('cleared')).toISOString()}`,
  )
  t.is(data[0].status, 'paid')
  const runs = (await market.request('GET', '/v1/admin/payout-runs?limit=100', { token: cast.admin.token })).body.data
  t.true(runs.length >= 39)
  for (const { id, date, finishedAt } of runs)
    t.true(
      finishedAt && Date.parse(finishedAt) - Date.parse(date) < 2 * DAY_MS,
      `${id} of ${date} finished at ${finishedAt}`,
    )
  await market.stop()
})

test("the clock stands where it was put, also after a restart, and is only the admin's to move", async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gigwire-clock-'))
  const before = await startEverything({ DATA_DIR: dataDir })
  const cast = await castOf(before)
  const move = (advanceSeconds: unknown, token: string) =>
    before.request('POST', '/v1/sandbox/clock', { token, body: { advanceSeconds } })
  const both = await Promise.all([move(DAY_SECONDS, cast.admin.token), move(DAY_SECONDS, cast.admin.token)])
  t.deepEqual(
    both.map(({ status }) => status),
    [200, 200],
  )
  t.is((await move(DAY_SECONDS, cast.buyer.token)).status, 403)
  t.is((await move(-1, cast.admin.token)).status, 400)
  const { offsetSeconds } = (await before.request('GET', '/v1/sandbox/clock', { token: cast.admin.token })).body
  t.is(offsetSeconds, 2 * DAY_SECONDS)
  await before.stop()
  const after = await startEverything({ DATA_DIR: dataDir })
  t.is(
    (await after.request('GET', '/v1/sandbox/clock', { token: cast.admin.token })).body.offsetSeconds,
    2 * DAY_SECONDS,
  )
  await after.stop()
  await rm(dataDir, { recursive: true })
})

test('who waited too long for the clock moves nothing', async (t) => {
  const node = await startNode({ services: [account, sandbox] })
  const admin: Caller = { id: 'usr_admin', username: 'admin', roles: ['admin'], sessionId: 'ses_1' }
  const move = (deadlineAt: number) =>
    node.call('sandbox.advance', { advanceSeconds: 60 }, { meta: { caller: admin, deadlineAt } })
  const late = await move(Date.now() - 1).catch((error: unknown) => refusal(error)?.code)
  t.is(late, 'overloaded')
  t.is((await move(Date.now() + 60_000)).offsetSeconds, 60)
  await node.stop()
})
