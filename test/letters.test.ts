// From a thing that happened to a letter, and from its link to no more such letters: over public HTTP, as mail programs,
// browsers and people do it.
import test from 'ava'
import type { LogMail } from '../adapters/mail/log.ts'
import { gigBody, castOf, startEverything } from './everything.ts'
import { eventually } from './node.ts'

test('a letter comes, its link says what would end, and one click of a mail program or a person ends it', async (t) => {
  const market = await startEverything({ PUBLIC_URL: 'https://market.example' })
  try {
    const { seller } = await castOf(market)
    const publish = async () => {
      const gig = await market.request('POST', '/v1/gigs', { token: seller.token, body: gigBody })
      await market.request('POST', `/v1/gigs/${gig.body.id}/publish`, { token: seller.token, body: {} })
    }
    await publish()
    const mail = (await market.open('mail')) as LogMail
    const letter = await eventually(
      () => mail.recent().find(({ subject }) => subject.startsWith('Your gig is live: ')),
      (found) => found !== undefined,
    )
    t.is(letter!.to, 'seller-one@cast.test')
    const target = new URL(letter!.unsubscribeUrl!).pathname
    const page = /https:\/\/market\.example(\/unsubscribe\/\S+)/.exec(letter!.text)![1]!
    const settings = async () =>
      (await market.request('GET', '/v1/me/notification-settings', { token: seller.token })).body

    const shown = await market.request<string>('GET', page)
    t.is(shown.status, 200)
    t.regex(shown.body, /letters about your gigs/)
    t.regex(shown.headers.get('cache-control')!, /no-store/)
    t.deepEqual((await market.request('GET', target)).body, { kind: 'gig', email: true })
    t.true((await settings()).kinds.gig.email, 'looking changes nothing')

    const oneClick = {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'List-Unsubscribe=One-Click',
    }
    t.deepEqual((await market.request('POST', target, oneClick)).body, { kind: 'gig', email: false })
    t.false((await settings()).kinds.gig.email)
    t.true((await settings()).kinds.order.email)

    await market.request('PUT', '/v1/me/notification-settings', { token: seller.token, body: { email: 'daily' } })
    t.true((await settings()).kinds.gig.email)
    const pressed = await market.request<string>('POST', page, { headers: oneClick.headers, body: '' })
    t.regex(pressed.body, /It is done/)
    t.false((await settings()).kinds.gig.email)

    for (const path of [`${target}x`, `${page}x`]) {
      const answer = await market.request('GET', path, { headers: { accept: 'text/html' } })
      t.is(answer.status, 404, path)
    }
  } finally {
    await market.stop()
  }
})
