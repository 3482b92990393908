// Who may do what: every published action, by everybody, on their own and on others' things. Made from the contracts: an
// action that is not in the table below fails the test until somebody says what is expected of it.
import test from 'ava'
import type { ActionContract } from '../mixins/contract.ts'
import { contracts } from '../services/contract.ts'
import { castOf, startEverything, thingsOf, type Cast, type Everything, type Things } from './everything.ts'

type Principal = 'anonymous' | keyof Cast
const PRINCIPALS: readonly Principal[] = ['anonymous', 'otherBuyer', 'otherSeller', 'buyer', 'seller', 'admin']

/**
 * A request on the seller's gig, the buyer's order, or the conversation of the two. `owner` says for whom it is more than a
 * stranger's; the rest follows from the contract's `auth` and from `foreign`, what a signed-in stranger is told.
 */
type Case = {
  path?: (things: Things, cast: Cast) => Record<string, string>
  body?: object
  raw?: { type: string; body: string }
  owner?: readonly Principal[]
  foreign?: 403 | 404
  note?: string
}

const onGig: Pick<Case, 'path' | 'owner' | 'foreign'> = {
  path: ({ gig }) => ({ id: gig }),
  owner: ['seller'],
  foreign: 403,
}
const onOrder: Pick<Case, 'path' | 'owner' | 'foreign'> = {
  path: ({ order }) => ({ id: order }),
  owner: ['buyer', 'seller'],
  foreign: 404,
}
const onConversation: Pick<Case, 'path' | 'owner' | 'foreign'> = {
  path: ({ conversation }) => ({ id: conversation }),
  owner: ['buyer', 'seller'],
  foreign: 404,
}

const onOffer: Pick<Case, 'path' | 'owner' | 'foreign'> = { ...onConversation, path: ({ offer }) => ({ id: offer }) }

const CASES: Record<string, Case> = {
  'account.register': { body: { email: 'not an address', password: 'x', username: '?', displayName: '' } },
  'account.login': { body: { email: 'nobody@cast.test', password: 'wrong-password' } },
  'account.refresh': { body: { refreshToken: 'nothing' } },
  'account.logout': { body: { refreshToken: 'nothing' } },
  'account.me': {},
  'account.update': { body: { bio: 'Still me.' } },
  'account.becomeSeller': { body: { country: 'nowhere' }, note: 'a bad body: what is asked is only who gets that far' },
  'account.profile': { path: (_, { seller }) => ({ username: seller.username }) },
  'account.person': { path: (_, { buyer }) => ({ id: buyer.id }) },
  'account.suspend': { path: () => ({ id: 'usr_nobody' }), body: { reason: 'Because.' } },
  'account.restore': { path: () => ({ id: 'usr_nobody' }), body: { reason: 'Because.' } },
  'account.staff': { path: () => ({ id: 'usr_nobody' }), body: { roles: [] } },
  'announcement.make': { body: { text: '' } },
  'announcement.list': {},
  'audit.list': {},
  'audit.verification': {},
  'cost.list': {},
  'favorite.add': { path: ({ gig }) => ({ gigId: gig }) },
  'favorite.remove': { path: ({ gig }) => ({ gigId: gig }) },
  'favorite.list': {},
  'gig.create': { body: { title: 'Another' } },
  'gig.update': { ...onGig, body: { tags: ['map', 'island'] } },
  'gig.publish': { ...onGig, body: {} },
  'gig.pause': { ...onGig, body: {} },
  'gig.remove': { ...onGig, path: ({ draft }) => ({ id: draft }), foreign: 404 },
  'gig.get': { path: ({ gig }) => ({ id: gig }) },
  'gig.mine': {},
  'gig.ofUser': { path: (_, { seller }) => ({ username: seller.username }) },
  'search.gigs': {},
  'search.suggest': {},
  'search.categories': {},
  'search.settings': {},
  'search.changeSettings': {
    body: { synonyms: [], pins: [], ranking: { quality: 0.4, freshness: 0.1, freshnessDays: 30 }, version: 999 },
    note: 'a version that is not there: nothing changes',
  },
  'search.preview': { body: { query: { q: 'map' }, settings: {} } },
  'search.similar': { path: ({ gig }) => ({ id: gig }) },
  'moderation.report': { body: { target: 'gig_none', reason: 'spam' } },
  'moderation.queue': {},
  'moderation.look': { path: () => ({ id: 'cas_none' }) },
  'moderation.claim': { path: () => ({ id: 'cas_none' }), body: {} },
  'moderation.decide': { path: () => ({ id: 'cas_none' }), body: { decision: 'approve' } },
  'discovery.save': { body: { query: { sellerLevel: 'nobody' } }, note: 'a bad query: nothing is kept' },
  'discovery.saved': {},
  'discovery.change': { path: () => ({ id: 'svs_none' }), body: { name: 'Mine' } },
  'discovery.remove': { path: () => ({ id: 'svs_none' }) },
  'discovery.popular': {},
  'discovery.report': {},
  'discovery.sight': { body: { sightings: [{ kind: 'click', gig: 'gig_none' }] } },
  'discovery.funnel': onGig,
  'recommendation.list': {},
  'privacy.export': {},
  'privacy.erase': {},
  'order.place': { body: { gig: 'gig_none', package: 'basic' } },
  'order.pay': { ...onOrder, body: { paymentMethod: 'pm_card_visa_chargeDeclined' } },
  'order.requirements': { ...onOrder, body: { answers: [] } },
  'order.deliver': { ...onOrder, body: { message: 'Here.' } },
  'order.revision': { ...onOrder, body: { message: 'Bluer.' } },
  'order.accept': { ...onOrder, body: {} },
  'order.cancel': { ...onOrder, body: { reason: 'Because.' } },
  'order.extend': { ...onOrder, body: { days: 2, reason: 'Rain.' } },
  'order.decline': { ...onOrder, body: {} },
  'order.extras': { ...onOrder, body: { extras: ['none'] } },
  'order.tip': { ...onOrder, body: { amount: { amount: 500, currency: 'usd' } } },
  'order.offerRefund': { ...onOrder, body: { amount: { amount: 100, currency: 'usd' }, reason: 'Sorry.' } },
  'order.refundByAdmin': {
    path: () => ({ id: 'ord_none' }),
    body: { amount: { amount: 100, currency: 'usd' }, reason: 'Because.' },
  },
  'order.dispute': { ...onOrder, body: { reason: 'Not what was agreed.' } },
  'order.answerDispute': { ...onOrder, body: { agree: false } },
  'order.withdrawDispute': { ...onOrder, body: {} },
  'order.disputes': {},
  'order.feePolicies': {},
  'order.setFeePolicy': {
    body: {
      version: 999,
      note: 'a version that is not there: nothing changes',
      serviceFee: { basisPoints: 0, smallOrderFee: 0, smallOrderBelow: 0 },
      commission: { basisPoints: 0, fixed: 0, tipBasisPoints: 0, rules: [] },
    },
  },
  'order.resolveDispute': {
    path: () => ({ id: 'dsp_none' }),
    body: { buyerAmount: { amount: 0, currency: 'usd' }, reason: 'Because.' },
  },
  'order.list': {},
  'order.get': onOrder,
  'order.events': onOrder,
  'review.create': { ...onOrder, body: { rating: 5, text: 'Good.' } },
  'review.ofGig': { path: ({ gig }) => ({ id: gig }) },
  'chat.open': { body: { with: 'usr_nobody' } },
  'chat.list': {},
  'chat.get': onConversation,
  'chat.messages': onConversation,
  'chat.send': { ...onConversation, body: { clientId: 'again', text: 'Hello.' } },
  'chat.read': { ...onConversation, body: { seq: 0 } },
  'chat.block': { path: () => ({ id: 'usr_nobody' }), body: {} },
  'offer.make': {
    ...onConversation,
    body: { gig: 'gig_none', title: 'x', price: { amount: 5000, currency: 'usd' }, deliveryDays: 1, revisions: 0 },
  },
  'offer.get': onOffer,
  'offer.accept': { ...onOffer, body: {} },
  'offer.decline': { ...onOffer, body: {} },
  'offer.withdraw': { ...onOffer, body: {} },
  'chat.unblock': { path: () => ({ id: 'usr_nobody' }) },
  'chat.blocked': {},
  'ledger.trialBalance': {},
  'payment.settings': {},
  'payment.chargebacks': {},
  'payment.answerChargeback': { path: () => ({ id: 'dp_none' }), body: { evidence: { text: 'Delivered.' } } },
  'payment.acceptChargeback': { path: () => ({ id: 'dp_none' }), body: {} },
  'ledger.entries': {},
  'payment.operations': {},
  'payment.operation': { path: ({ order }) => ({ id: order }) },
  'payment.retry': { path: () => ({ id: 'po_none' }), body: {} },
  'payment.webhook': { raw: { type: 'application/json', body: '{}' } },
  'payout.balance': {},
  'payout.transactions': {},
  'payout.list': {},
  'payout.request': { body: {} },
  'payout.run': { body: {} },
  'payout.runs': {},
  'payout.getRun': { path: ({ run }) => ({ id: run }) },
  'payout.runItems': { path: ({ run }) => ({ id: run }) },
  'payout.approve': { path: ({ run }) => ({ id: run }), body: {} },
  'payout.cancelRun': { path: ({ run }) => ({ id: run }), body: { reason: 'Because.' } },
  'payout.freeze': { body: { reason: 'Because.' } },
  'payout.unfreeze': { body: { reason: 'Because.' } },
  'payout.freezes': {},
  'payout.settings': {},
  'payout.changeSettings': { body: { schedule: 'hourly' } },
  'statement.month': {},
  'statement.printMonth': {},
  'statement.year': { path: () => ({ year: '2026' }) },
  'statement.printYear': { path: () => ({ year: '2026' }) },
  'statement.ofPayout': { path: () => ({ id: 'po_none' }) },
  'statement.printPayout': { path: () => ({ id: 'po_none' }) },
  'statement.sellers': {},
  'reconciliation.report': {},
  'reconciliation.run': { body: {} },
  'reconciliation.suspense': {},
  'reconciliation.explain': { path: () => ({ id: 'sus_none' }), body: { note: 'Because.' } },
  'reconciliation.transactions': {},
  'notification.list': {},
  'notification.read': { body: { ids: ['ntf_none'] } },
  'notification.settings': {},
  'notification.change': { body: { timeZone: 'nowhere' }, note: 'a bad body: settings stay as they are' },
  'notification.pushKey': {},
  'notification.subscribe': { body: { endpoint: 'https://localhost/x', keys: { p256dh: 'x', auth: 'x' } } },
  'notification.unsubscribePush': {},
  'notification.unsubscribing': { path: () => ({ token: 'nobody.all.x' }) },
  'notification.unsubscribe': {
    path: () => ({ token: 'nobody.all.x' }),
    raw: { type: 'application/x-www-form-urlencoded', body: 'List-Unsubscribe=One-Click' },
  },
  'notification.dispatches': {},
  'notification.retry': { path: () => ({ id: 'dpt_none' }), body: {} },
  'media.upload': { raw: { type: 'image/png', body: 'not a picture' } },
  'sandbox.clock': {},
  'sandbox.advance': { body: { advanceSeconds: 0 } },
}
/** Where admins see what strangers do not, and where being one is the whole point. */
const ADMIN_SEES = new Set(['order.get', 'order.events'])

const published = Object.values(contracts).flatMap(({ name, actions }) =>
  Object.entries(actions as Record<string, ActionContract>)
    .filter(([, { rest }]) => rest)
    .map(([action, declared]) => ({ full: `${name}.${action}`, declared })),
)

/** What a principal must be told: a status, or null for anything that is not about who they are. */
const expected = (full: string, { auth }: ActionContract, one: Case, who: Principal): 401 | 403 | 404 | null => {
  if (auth === 'none' || auth === 'optional') return null
  if (who === 'anonymous') return 401
  if (auth === 'admin' || auth === 'moderator') return who === 'admin' ? null : 403
  if (auth === 'seller' && !['seller', 'otherSeller'].includes(who)) return 403
  if (!one.owner || one.owner.includes(who)) return null
  if (who === 'admin') return ADMIN_SEES.has(full) ? null : 403
  return one.foreign ?? null
}

test('every published action is in the table', (t) => {
  t.deepEqual(
    published.map(({ full }) => full).filter((full) => !CASES[full]),
    [],
  )
  t.deepEqual(
    Object.keys(CASES).filter((full) => !published.some((one) => one.full === full)),
    [],
  )
})

test('everybody is told exactly what they may, and a refusal changes nothing', async (t) => {
  t.timeout(180_000)
  const market = await startEverything()
  try {
    const cast = await castOf(market)
    const things = await thingsOf(market, cast)
    const before = await snapshot(market, cast, things)
    let asked = 0
    for (const { full, declared } of published)
      for (const who of PRINCIPALS) {
        const one = CASES[full]!
        const told = expected(full, declared, one, who)
        // Those who may are the story's; here only refusals are asked for, so that nothing is changed on the way.
        if (told === null && !HARMLESS.has(declared.rest!.split(' ')[0]!)) continue
        const answer = await request(market, { declared, one, who }, cast, things)
        asked++
        if (told !== null)
          t.is(
            answer.status,
            told === 403 && one.foreign === 404 && who === 'admin' ? answer.status : told,
            `${full} by ${who}: ${JSON.stringify(answer.body)}`,
          )
        else
          t.true(
            ![401, 403].includes(answer.status) && answer.status < 500,
            `${full} by ${who}: ${answer.status} ${JSON.stringify(answer.body)}`,
          )
        if (told === 403 && who === 'admin')
          t.true([403, 404].includes(answer.status), `${full} by ${who}: ${answer.status}`)
      }
    t.deepEqual(await snapshot(market, cast, things), before)
    t.true(asked > 150, `only ${asked} were asked`)
  } finally {
    await market.stop()
  }
})
const HARMLESS = new Set(['GET'])

test('a wrong party is told no (403), a wrong time is told when (409), and neither changes the order', async (t) => {
  const market = await startEverything()
  try {
    const cast = await castOf(market)
    const things = await thingsOf(market, cast)
    const tries: [keyof Cast, string, object, number][] = [
      ['seller', 'pay', { paymentMethod: 'pm_card_visa' }, 403],
      ['seller', 'requirements', { answers: [] }, 403],
      ['buyer', 'deliver', { message: 'x' }, 403],
      ['seller', 'revision', { message: 'x' }, 403],
      ['seller', 'accept', {}, 403],
      ['seller', 'cancel', { reason: 'x' }, 403],
      ['buyer', 'requirements', { answers: [] }, 409],
      ['seller', 'deliver', { message: 'x' }, 409],
      ['buyer', 'revision', { message: 'x' }, 409],
      ['buyer', 'accept', {}, 409],
      ['buyer', 'review', { rating: 5, text: 'x' }, 409],
    ]
    const before = (await market.request('GET', `/v1/orders/${things.order}`, { token: cast.buyer.token })).body
    for (const [who, move, body, status] of tries) {
      const answer = await market.request('POST', `/v1/orders/${things.order}/${move}`, {
        token: cast[who].token,
        body,
      })
      t.is(answer.status, status, `${move} by ${who}: ${JSON.stringify(answer.body)}`)
      if (status === 409) t.is(answer.body.code, 'invalid_transition')
    }
    t.deepEqual((await market.request('GET', `/v1/orders/${things.order}`, { token: cast.buyer.token })).body, before)
  } finally {
    await market.stop()
  }
})

type Request = { declared: ActionContract; one: Case; who: Principal }
const request = (market: Everything, { declared, one, who }: Request, cast: Cast, things: Things) => {
  const [method, route] = declared.rest!.split(' ') as [string, string]
  const params = one.path?.(things, cast) ?? {}
  const path = route.replaceAll(/:([a-zA-Z]+)/g, (_, name: string) => params[name] ?? 'missing')
  const token = who === 'anonymous' ? {} : { token: cast[who].token }
  if (one.raw)
    return market.request(method, path, { ...token, body: one.raw.body, headers: { 'content-type': one.raw.type } })
  return market.request(method, path.includes('suggest') ? `${path}?q=ma` : path, {
    ...token,
    ...(one.body && { body: one.body }),
  })
}

/** Everything a refused request must not have touched, but the clock's own fields. */
const snapshot = async (
  market: Everything,
  { seller, buyer, admin }: Cast,
  { gig, draft, order, conversation, offer }: Things,
) => {
  const read = async (path: string, token: string) => (await market.request('GET', path, { token })).body
  return {
    gig: await read(`/v1/gigs/${gig}`, seller.token),
    draft: await read(`/v1/gigs/${draft}`, seller.token),
    order: await read(`/v1/orders/${order}`, buyer.token),
    events: await read(`/v1/orders/${order}/events`, buyer.token),
    offer: await read(`/v1/offers/${offer}`, buyer.token),
    messages: await read(`/v1/conversations/${conversation}/messages`, seller.token),
    me: await read('/v1/me', buyer.token),
    gigs: (await read('/v1/me/gigs', seller.token)).data.length,
    books: (await read('/v1/admin/ledger/trial-balance', admin.token)).data,
  }
}
