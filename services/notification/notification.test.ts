import test from 'ava'
import { isMovable } from '../../adapters/clock/index.ts'
import type { LogMail } from '../../adapters/mail/log.ts'
import { MailError } from '../../adapters/mail/index.ts'
import { browser, openPushService, type PushAnswer } from '../../adapters/push/browser.fixture.ts'
import { newVapidKeys } from '../../adapters/push/vapid.ts'
import { webPush } from '../../adapters/push/web.ts'
import { eventually, startNode, type TestNode } from '../../test/node.ts'
import account from '../account/account.service.ts'
import chat from '../chat/chat.service.ts'
import { GRACE_MS } from '../chat/unseen.ts'
import type { Events } from '../contract.ts'
import { refusal } from '../errors.ts'
import type { Caller } from '../shapes.ts'
import { NOTIFICATIONS_MAX, SUBSCRIPTIONS_MAX, type Notification } from './contract.ts'
import { GATHERED_MAX } from './dispatch.ts'
import notification from './notification.service.ts'

type Market = TestNode & { pushed: Awaited<ReturnType<typeof openPushService>>; letters: LogMail['recent'] }
const start = async (answering: PushAnswer = { status: 201 }, env: Record<string, string> = {}): Promise<Market> => {
  const pushed = await openPushService(answering)
  const node = await startNode({
    services: [account, chat, notification],
    env: { PUBLIC_URL: 'https://market.example', ...env },
    products: { push: () => webPush({ keys: newVapidKeys(), subject: 'mailto:a@b.example', agent: pushed.agent }) },
  })
  const mail = (await node.open('mail')) as LogMail
  const stop = async () => {
    await node.stop()
    pushed.close()
  }
  return { ...node, stop, pushed, letters: mail.recent }
}

let market: Market
test.before(async () => {
  market = await start()
})
test.after.always(() => market.stop())

let people = 0
const person = async (on = market): Promise<Caller> => {
  const username = `person${++people}`
  const id = `usr_${username}`
  await on.call('account.ensure', {
    id,
    email: `${username}@notify.test`,
    password: '',
    username,
    displayName: `The ${username}`,
    roles: ['buyer'],
  })
  return { id, username, roles: ['buyer'], sessionId: 'ses_1' }
}
const as = (caller: Caller) => ({ meta: { caller } })
const list = (caller: Caller, on = market) => on.call('notification.list', {}, as(caller))
const settings = (caller: Caller, given: object, on = market) =>
  on.call('notification.change', given as never, as(caller))
const codeOf = (asked: Promise<unknown>) =>
  asked.then(
    () => 'ok',
    (error: unknown) => refusal(error)?.code ?? String(error),
  )

let events = 0
const heard = <E extends keyof Events>(name: E, data: Events[E], on = market, id = `event:${++events}`) =>
  on.broker.call('notification.hear', { event: { id, name, data, at: 1_700_000_000_000 } })
const delivered = (seller: Caller, buyer: Caller, order = `ord_${++events}`) => ({
  order,
  step: 'delivered',
  by: 'seller',
  buyer: buyer.id,
  seller: seller.id,
  gig: 'Maps',
})
const lettersTo = (caller: Caller, on = market) =>
  on.letters().filter(({ to }) => to === `${caller.username}@notify.test`)
const endedOf = async (caller: Caller, on = market) => {
  const pages = await Promise.all(
    (['sent', 'skipped', 'failed'] as const).map((status) =>
      on.call('notification.dispatches', { status, limit: 100 }, as({ ...caller, roles: ['admin'] })),
    ),
  )
  return pages.flatMap(({ data }) => data).filter(({ user }) => user === caller.id)
}
const pendingOf = async (caller: Caller, on = market) => {
  const admin = as({ ...caller, roles: ['admin'] })
  const { data } = await on.call('notification.dispatches', { status: 'pending', limit: 100 }, admin)
  return data.filter(({ user }) => user === caller.id)
}
const wake = (on = market) => on.broker.call('notification.wakeDue', {})
const move = (ms: number, on = market) => {
  if (isMovable(on.clock)) on.clock.moveTo(on.clock.offsetMs() + ms)
}

test('the buyer hears that the order was delivered: in the app, on every device, by letter', async (t) => {
  const [seller, buyer] = [await person(), await person()]
  const frames: string[] = []
  const fanout = await market.open('fanout')
  const attached = fanout.attach({ users: (_, frame) => void frames.push(frame), topic: () => undefined })
  attached.hold(buyer.id)
  const event = delivered(seller, buyer)
  await heard('order.moved', event)
  const { data, unread } = await list(buyer)
  t.is(unread, 1)
  t.like(data[0], {
    kind: 'order',
    title: 'Your order was delivered: Maps',
    about: { type: 'order', id: event.order },
    readAt: null,
  })
  t.deepEqual(
    frames.map((frame) => JSON.parse(frame) as unknown),
    [{ ev: 'notification', data: data[0] }],
  )
  t.deepEqual((await list(seller)).data, [])
  await wake()
  const [letter] = await eventually(
    () => lettersTo(buyer),
    ({ length }) => length > 0,
  )
  t.is(letter!.subject, 'Your order was delivered: Maps')
  t.regex(letter!.text, new RegExp(`https://market\\.example/orders/${event.order}`))
  await attached.detach()
})

test('an event heard again tells nobody twice', async (t) => {
  const [seller, buyer] = [await person(), await person()]
  const event = delivered(seller, buyer)
  for (let times = 0; times < 3; times++) await heard('order.moved', event, market, `same-${buyer.id}`)
  await wake()
  await eventually(
    () => lettersTo(buyer),
    ({ length }) => length > 0,
  )
  await heard('order.moved', event, market, `same-${buyer.id}`)
  await wake()
  t.is((await list(buyer)).data.length, 1)
  t.is((await endedOf(buyer)).length, 1)
  t.is(lettersTo(buyer).length, 1)
})

const conversation = async (on = market) => {
  const [from, to] = [await person(on), await person(on)]
  const { id } = await on.call('chat.open', { with: to.id }, as(from))
  let said = 0
  const say = (by = from) => on.call('chat.send', { id, clientId: `${by.id}-${++said}`, text: 'Hello' }, as(by))
  const read = (seq: number, by = to) => on.call('chat.read', { id, seq }, as(by))
  /** Time passes until whoever has not read is told. */
  const later = async () => {
    await on.call('chat.list', {}, as(from))
    move(GRACE_MS + 1000, on)
  }
  return { id, from, to, say, read, later }
}
const told = (to: Caller, fits: (answer: { data: Notification[]; unread: number }) => boolean) =>
  eventually(() => list(to), fits)

test.serial(
  'unread messages of a conversation are one notification that grows, and is read with the conversation',
  async (t) => {
    const { id, from, to, say, read, later } = await conversation()
    await say()
    await say()
    await later()
    const first = await told(to, ({ unread }) => unread === 1)
    t.like(first.data[0], {
      kind: 'message',
      title: `2 new messages from The ${from.username}`,
      about: { type: 'conversation', id },
      data: { count: 2, lastSeq: 2 },
    })
    await say()
    await later()
    const grown = await told(to, ({ data }) => data[0]?.data.count === 3)
    t.deepEqual([grown.data.length, grown.unread, grown.data[0]!.id], [1, 1, first.data[0]!.id])
    t.deepEqual((await list(from)).data, [], 'the sender is told of nothing')

    await read(3)
    const after = await told(to, ({ unread }) => unread === 0)
    t.truthy(after.data[0]!.readAt)
    await say()
    await later()
    const anew = await told(to, ({ unread }) => unread === 1)
    t.like(anew.data[0], { title: `New message from The ${from.username}`, data: { count: 1, lastSeq: 4 } })
    t.is(anew.data.length, 2)
  },
)

test.serial('a notification marked as read by hand comes back when there is more', async (t) => {
  const { to, say, later } = await conversation()
  await say()
  await later()
  const { data } = await told(to, ({ unread }) => unread === 1)
  t.deepEqual(await market.call('notification.read', { ids: [data[0]!.id] }, as(to)), { read: 1, unread: 0 })
  await say()
  await later()
  const back = await told(to, ({ unread }) => unread === 1)
  t.deepEqual([back.data.length, back.data[0]!.data.count], [1, 2])
})

test.serial('who read in time is told nothing, and who read right before the letter gets none', async (t) => {
  const { id, from, to, say, read, later } = await conversation()
  await say()
  await read(1)
  await later()
  await settings(to, { email: 'hourly' })
  await say()
  await later()
  const { data } = await told(to, ({ unread }) => unread === 1)
  t.is(data.length, 1)
  // Read on another device, and the notification has not heard of it yet: the conversation is asked.
  await read(2)
  move(3_600_000)
  await wake()
  const [ended] = await eventually(
    () => endedOf(to),
    ({ length }) => length > 0,
  )
  t.like(ended, { status: 'skipped', reason: 'read meanwhile' })
  t.deepEqual([lettersTo(to).length, lettersTo(from).length, typeof id], [0, 0, 'string'])
})

test.serial('a digest is one letter about everything unread by then', async (t) => {
  const [seller, buyer] = [await person(), await person()]
  await settings(buyer, { email: 'daily', timeZone: 'Asia/Tokyo' })
  for (let orders = 0; orders < 3; orders++) await heard('order.moved', delivered(seller, buyer))
  const { data } = await list(buyer)
  await market.call('notification.read', { ids: [data[0]!.id] }, as(buyer))
  const [waiting] = (
    await market.call('notification.dispatches', { status: 'pending', limit: 100 }, as({ ...buyer, roles: ['admin'] }))
  ).data.filter(({ user }) => user === buyer.id)
  t.regex(waiting!.dueAt!, /T23:00:00\.000Z$/)
  move(86_400_000)
  await wake()
  const [letter, ...more] = await eventually(
    () => lettersTo(buyer),
    ({ length }) => length > 0,
  )
  t.is(letter!.subject, '2 new notifications')
  t.deepEqual(more, [])
})

test.serial('a digest tells of so many at most, and stays one letter', async (t) => {
  const [seller, buyer] = [await person(), await person()]
  await settings(buyer, { email: 'daily' })
  for (let orders = 0; orders < GATHERED_MAX + 3; orders++) await heard('order.moved', delivered(seller, buyer))
  move(86_400_000)
  await wake()
  const ended = await eventually(
    () => endedOf(buyer),
    ({ length }) => length > 0,
  )
  t.deepEqual(
    ended.map(({ status, notifications: told }) => [status, told.length]),
    [['sent', GATHERED_MAX]],
  )
  t.deepEqual(
    lettersTo(buyer).map(({ subject }) => subject),
    [`${GATHERED_MAX} new notifications`],
  )
})

test.serial('nothing leaves the app in quiet hours, and it does when they end', async (t) => {
  const [seller, buyer] = [await person(), await person()]
  const here = new Date(market.clock.now())
  const clock = (ms: number) => new Date(here.getTime() + ms).toISOString().slice(11, 16)
  await settings(buyer, { quiet: { from: clock(-3_600_000), to: clock(3_600_000) } })
  await heard('order.moved', delivered(seller, buyer))
  await wake()
  t.is((await list(buyer)).unread, 1)
  t.deepEqual([lettersTo(buyer).length, (await endedOf(buyer)).length], [0, 0])
  move(3_700_000)
  await wake()
  await eventually(
    () => lettersTo(buyer),
    ({ length }) => length > 0,
  )
  t.pass()
})

test.serial('quiet hours that were set after something was said are kept, too', async (t) => {
  const [seller, buyer] = [await person(), await person()]
  await settings(buyer, { email: 'daily' })
  await heard('order.moved', delivered(seller, buyer))
  // The letter is planned for eight; by then it is quiet from seven to nine.
  await settings(buyer, { email: 'daily', quiet: { from: '07:00', to: '09:00' } })
  const due = Date.parse((await pendingOf(buyer))[0]!.dueAt!)
  move(due - market.clock.now() + 1000)
  await wake()
  const [waits] = await eventually(
    () => pendingOf(buyer),
    ([one]) => Date.parse(one!.dueAt!) === due + 3_600_000,
  )
  t.like(waits, { tries: 0 })
  t.is(lettersTo(buyer).length, 0)
  move(3_600_000)
  await wake()
  await eventually(
    () => lettersTo(buyer),
    ({ length }) => length > 0,
  )
})

test('what a person does not want is in the app only', async (t) => {
  const [seller, buyer] = [await person(), await person()]
  await settings(buyer, { kinds: { order: { email: false, push: false } } })
  await heard('order.moved', delivered(seller, buyer))
  await wake()
  t.is((await list(buyer)).unread, 1)
  t.deepEqual([lettersTo(buyer).length, (await endedOf(buyer)).length], [0, 0])
})

test("one request with a letter's link ends letters of its kind; following the link changes nothing", async (t) => {
  const [seller, buyer] = [await person(), await person()]
  await heard('order.moved', delivered(seller, buyer))
  await wake()
  const [letter] = await eventually(
    () => lettersTo(buyer),
    ({ length }) => length > 0,
  )
  const token = letter!.unsubscribeUrl!.split('/').at(-1)!
  t.deepEqual(await market.call('notification.unsubscribing', { token }), { kind: 'order', email: true })
  t.true((await market.call('notification.settings', {}, as(buyer))).kinds.order.email)
  for (let twice = 0; twice < 2; twice++)
    t.deepEqual(await market.call('notification.unsubscribe', { token, body: '' }), { kind: 'order', email: false })
  t.like((await market.call('notification.settings', {}, as(buyer))).kinds, {
    order: { email: false, push: true },
    gig: { email: true },
  })
  await heard('order.moved', delivered(seller, buyer))
  await wake()
  t.is((await list(buyer)).unread, 2)
  t.is((await endedOf(buyer)).length, 1)
  t.is(await codeOf(market.call('notification.unsubscribe', { token: `${token}x`, body: '' })), 'not_found')
})

test('a browser that subscribed gets what only it can read, and one that is gone is forgotten', async (t) => {
  const on = await start()
  try {
    const [seller, buyer] = [await person(on), await person(on)]
    const { subscription, read } = browser()
    const key = await on.call('notification.pushKey', {})
    t.regex(key.publicKey, /^B[\w-]{86}$/)
    const { id } = await on.call('notification.subscribe', subscription, as(buyer))
    t.is((await on.call('notification.subscribe', subscription, as(buyer))).id, id)
    await heard('order.moved', delivered(seller, buyer), on)
    await wake(on)
    const [asked] = await eventually(
      () => on.pushed.asked,
      ({ length }) => length > 0,
    )
    const [told] = (await list(buyer, on)).data
    t.like(JSON.parse(read(asked!.body)), {
      id: told!.id,
      title: told!.title,
      url: `https://market.example/orders/${told!.about.id}`,
    })
    on.pushed.answering.status = 410
    await heard('order.moved', delivered(seller, buyer), on)
    await wake(on)
    await eventually(
      () => endedOf(buyer, on),
      (ended) => ended.some(({ reason }) => reason === 'the browsers are gone'),
    )
    t.deepEqual(await on.call('notification.unsubscribePush', { endpoint: subscription.endpoint }, as(buyer)), {
      removed: false,
    })
  } finally {
    await on.stop()
  }
})

test('a push service that is busy is asked again after the time it says, and browsers it has reached are left alone', async (t) => {
  const on = await start({ status: 201, headers: { 'retry-after': '600' }, at: { '/busy': 503 } })
  try {
    const [seller, buyer] = [await person(on), await person(on)]
    await settings(buyer, { email: 'off' }, on)
    for (const name of ['busy', 'idle'])
      await on.call('notification.subscribe', browser(`https://push.example/${name}`).subscription, as(buyer))
    await heard('order.moved', delivered(seller, buyer), on)
    await wake(on)
    const admin = as({ ...buyer, roles: ['admin'] })
    const pending = () => on.call('notification.dispatches', { status: 'pending' }, admin).then(({ data }) => data)
    const [waits] = await eventually(pending, ([one]) => one?.tries === 1)
    t.true(Date.parse(waits!.dueAt!) > on.clock.now() + 500_000)
    on.pushed.answering.at = {}
    move(601_000, on)
    await wake(on)
    const [ended] = await eventually(
      () => endedOf(buyer, on),
      ({ length }) => length > 0,
    )
    t.like(ended, { status: 'sent', tries: 1 })
    t.deepEqual(on.pushed.asked.map(({ url }) => url).toSorted(), ['/busy', '/busy', '/idle'])
  } finally {
    await on.stop()
  }
})

test('a browser is one, whoever signed in last; a person has so many', async (t) => {
  const [ann, bob] = [await person(), await person()]
  const subscribe = (who: Caller, endpoint: string) =>
    market.call('notification.subscribe', browser(endpoint).subscription, as(who))
  await subscribe(ann, 'https://push.example/shared')
  await subscribe(bob, 'https://push.example/shared')
  const forget = (who: Caller, endpoint: string) => market.call('notification.unsubscribePush', { endpoint }, as(who))
  t.deepEqual(await forget(ann, 'https://push.example/shared'), { removed: false })
  t.deepEqual(await forget(bob, 'https://push.example/shared'), { removed: true })
  for (let browsers = 0; browsers <= SUBSCRIPTIONS_MAX; browsers++) {
    await subscribe(ann, `https://push.example/ann/${browsers}`)
    move(1000)
  }
  t.deepEqual(await forget(ann, 'https://push.example/ann/0'), { removed: false })
  t.deepEqual(await forget(ann, 'https://push.example/ann/1'), { removed: true })
})

test('an endpoint inside a private network, or without https, is refused', async (t) => {
  const ann = await person()
  for (const endpoint of ['https://127.0.0.1/x', 'https://10.0.0.1/x', 'https://localhost/x', 'http://push.example/x'])
    t.is(
      await codeOf(market.call('notification.subscribe', browser(endpoint).subscription, as(ann))),
      'validation_failed',
      endpoint,
    )
})

test('a letter no server will ever take has failed at once, is there to be seen, and can be tried again', async (t) => {
  const [seller, buyer] = [await person(), await person()]
  const refused = new Set([`${buyer.username}@notify.test`])
  const on = await startNode({
    services: [account, chat, notification],
    products: {
      mail: () => ({
        send: async ({ to }) => {
          if (refused.has(to)) throw new MailError(`550 no such person ${to}`, false)
        },
        close: async () => undefined,
      }),
    },
  })
  try {
    await on.call('account.ensure', {
      id: buyer.id,
      email: [...refused][0]!,
      password: '',
      username: buyer.username,
      displayName: 'B',
      roles: [],
    })
    await on.broker.call('notification.hear', {
      event: { id: 'one', name: 'order.moved', data: delivered(seller, buyer), at: 1 },
    })
    await on.broker.call('notification.wakeDue', {})
    const admin = as({ ...buyer, roles: ['admin'] })
    const failed = () => on.call('notification.dispatches', {}, admin).then(({ data }) => data)
    const [letter] = await eventually(failed, ({ length }) => length > 0)
    t.like(letter, { way: 'email', status: 'failed', reason: '550 no such person …@…' })
    refused.clear()
    await on.call('notification.retry', { id: letter!.id }, admin)
    await on.broker.call('notification.wakeDue', {})
    const sent = () => on.call('notification.dispatches', { status: 'sent' }, admin).then(({ data }) => data)
    t.is((await eventually(sent, ({ length }) => length > 0))[0]!.id, letter!.id)
    t.is(await codeOf(on.call('notification.retry', { id: letter!.id }, admin)), 'invalid_transition')
    t.is(await codeOf(on.call('notification.retry', { id: 'dpt_none' }, admin)), 'not_found')
  } finally {
    await on.stop()
  }
})

test('read takes ids, all, or all up to a time, of the own ones only', async (t) => {
  const [seller, buyer, other] = [await person(), await person(), await person()]
  for (let orders = 0; orders < 4; orders++) {
    await heard('order.moved', delivered(seller, buyer))
    move(1000)
  }
  const { data } = await list(buyer)
  const read = (given: object, who = buyer) => market.call('notification.read', given as never, as(who))
  t.deepEqual(await read({ ids: data.map(({ id }) => id) }, other), { read: 0, unread: 0 })
  t.deepEqual(await read({ ids: [data[1]!.id, data[1]!.id, 'ntf_none'] }), { read: 1, unread: 3 })
  t.deepEqual(await read({ upTo: data[2]!.updatedAt }), { read: 2, unread: 1 })
  t.deepEqual(
    (await market.call('notification.list', { unread: true }, as(buyer))).data.map(({ id }) => id),
    [data[0]!.id],
  )
  t.deepEqual(await read({ all: true }), { read: 1, unread: 0 })
  t.deepEqual(await read({ all: true }), { read: 0, unread: 0 })
  for (const wrong of [{}, { all: true, ids: ['ntf_1'] }, { upTo: 'yesterday' }])
    t.is(await codeOf(read(wrong)), 'validation_failed')
})

test('a person has so many notifications; the oldest go, and pages go through the rest', async (t) => {
  const [seller, buyer] = [await person(), await person()]
  await settings(buyer, { email: 'off' })
  for (let orders = 0; orders < NOTIFICATIONS_MAX + 3; orders++) await heard('order.moved', delivered(seller, buyer))
  const ids = new Set<string>()
  let cursor: string | undefined
  do {
    const page = await market.call('notification.list', { limit: 100, ...(cursor && { cursor }) }, as(buyer))
    page.data.forEach(({ id }) => ids.add(id))
    t.is(page.unread, NOTIFICATIONS_MAX)
    cursor = page.nextCursor ?? undefined
  } while (cursor)
  t.is(ids.size, NOTIFICATIONS_MAX)
})

test('a forgotten person has nothing left here', async (t) => {
  const [seller, buyer] = [await person(), await person()]
  await settings(buyer, { email: 'daily' })
  await market.call('notification.subscribe', browser(`https://push.example/${buyer.id}`).subscription, as(buyer))
  await heard('order.moved', delivered(seller, buyer))
  t.deepEqual(await market.call('notification.forget', { user: buyer.id }), { removed: 5 })
  t.deepEqual(await market.call('notification.forget', { user: buyer.id }), { removed: 0 })
  t.deepEqual(await list(buyer), { data: [], nextCursor: null, unread: 0 })
})
