import test, { type ExecutionContext } from 'ava'
import { createECDH, createPublicKey, randomBytes, verify } from 'node:crypto'
import type { Agent } from 'node:https'
import type { LookupFunction } from 'node:net'
import { endpointOf, isPublicAddress } from './address.ts'
import { encrypted, recipientOf } from './encryption.ts'
import { browser, openPushService } from './browser.fixture.ts'
import { NOTE_BYTES_MAX, type Push, PushError } from './index.ts'
import { noPush } from './none.ts'
import { newVapidKeys, vapidKeyOf, vapidSigner } from './vapid.ts'
import { webPush } from './web.ts'

const bytes = (text: string) => Buffer.from(text, 'base64url')

test('the example of RFC 8291 is encrypted to the same bytes', (t) => {
  const sender = createECDH('prime256v1')
  sender.setPrivateKey(bytes('yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw'))
  const recipient = recipientOf({
    p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
    auth: 'BTBZMqHH6r4Tts7J_aSIgg',
  })!
  const record = encrypted(Buffer.from('When I grow up, I want to be a watermelon'), recipient, {
    salt: bytes('DGv6ra1nlYgDCS1FRnbzlw'),
    sender,
  })
  t.is(
    record.toString('base64url'),
    'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN',
  )
})

test('keys that are no point of the curve, or of another length, are no recipient', (t) => {
  const good = browser().subscription.keys
  t.truthy(recipientOf(good))
  const wrong = Buffer.concat([Buffer.of(4), randomBytes(64)]).toString('base64url')
  for (const p256dh of [wrong, '', good.p256dh.slice(0, 80)]) t.is(recipientOf({ ...good, p256dh }), null)
  for (const auth of ['', 'AAAA']) t.is(recipientOf({ ...good, auth }), null)
})

test('a token names the push service, is signed by the public key, and is made once an hour at most', (t) => {
  const keys = newVapidKeys()
  const signer = vapidSigner(keys, vapidKeyOf(keys)!, 'mailto:post@gigwire.example')
  const header = signer('https://push.example', 1000)
  t.is(signer('https://push.example', 2000), header)
  t.not(signer('https://other.example', 2000), header)
  t.not(signer('https://push.example', 1000 + 12 * 3600), header)
  const [, token, key] = /^vapid t=([^,]+), k=(.+)$/.exec(header)!
  const [head, claims, signature] = token!.split('.')
  t.is(key, keys.publicKey)
  t.deepEqual(JSON.parse(bytes(claims!).toString()), {
    aud: 'https://push.example',
    exp: 1000 + 12 * 3600,
    sub: 'mailto:post@gigwire.example',
  })
  const point = bytes(keys.publicKey)
  const publicKey = createPublicKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'P-256',
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
    },
  })
  t.true(
    verify(
      'sha256',
      Buffer.from(`${head}.${claims}`),
      { key: publicKey, dsaEncoding: 'ieee-p1363' },
      bytes(signature!),
    ),
  )
})

test('two keys that do not belong together are no pair', (t) => {
  const [one, other] = [newVapidKeys(), newVapidKeys()]
  t.truthy(vapidKeyOf(one))
  t.is(vapidKeyOf({ ...one, publicKey: other.publicKey }), null)
  t.is(vapidKeyOf({ publicKey: 'x', privateKey: 'y' }), null)
  t.throws(() => webPush({ keys: { ...one, privateKey: other.privateKey }, subject: 'mailto:a@b.example' }))
})

for (const address of [
  '127.0.0.1',
  '10.1.2.3',
  '172.31.255.255',
  '192.168.0.1',
  '169.254.169.254',
  '100.64.0.1',
  '0.0.0.0',
  '255.255.255.255',
  '::1',
  '::',
  'fe80::1',
  'fd00::1',
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '64:ff9b::7f00:1',
  '2002:7f00:1::',
  '2001:db8::1',
  'nonsense',
])
  test(`${address} is no public address`, (t) => t.false(isPublicAddress(address)))

test('public addresses and https names are where notes may go; nothing else is', (t) => {
  for (const address of ['8.8.8.8', '2606:4700::1111', '172.32.0.1']) t.true(isPublicAddress(address))
  t.truthy(endpointOf('https://fcm.googleapis.com/fcm/send/abc'))
  for (const text of [
    'http://push.example/x',
    'https://user:pass@push.example/x',
    'https://localhost/x',
    'https://intranet/x',
    'https://box.local/x',
    'https://127.0.0.1/x',
    'https://2130706433/x',
    'https://[::1]/x',
    'https://[::ffff:7f00:1]/x',
    'ftp://push.example',
    'nothing',
  ])
    t.is(endpointOf(text), null, text)
})

const service = async (t: ExecutionContext, status: number, headers: Record<string, string> = {}) => {
  const made = await openPushService({ status, headers })
  t.teardown(made.close)
  return made
}

const opened = (t: ExecutionContext, more: { agent?: Agent; lookup?: LookupFunction; sendMsMax?: number }): Push => {
  const push = webPush({ keys: newVapidKeys(), subject: 'mailto:post@gigwire.example', ...more })
  t.teardown(() => push.close())
  return push
}
const note = { body: '{"title":"Grüße"}', ttlSeconds: 60 }
const trouble = async (t: ExecutionContext, sent: Promise<void>): Promise<PushError> =>
  (await t.throwsAsync(sent, { instanceOf: PushError }))!

test('a note arrives and only the browser that subscribed can read it', async (t) => {
  const { asked, agent } = await service(t, 201)
  const { subscription, read } = browser()
  await opened(t, { agent }).send(subscription, { ...note, topic: 'order-1' })
  const { url, headers, body } = asked[0]!
  t.is(url, '/send/1')
  t.like(headers, { 'content-encoding': 'aes128gcm', ttl: '60', topic: 'order-1', host: 'push.example' })
  t.regex(headers.authorization!, /^vapid t=\S+, k=\S+$/)
  t.is(read(body), note.body)
  t.throws(() => browser().read(body))
})

for (const [status, meaning] of [
  [404, 'gone'],
  [410, 'gone'],
  [429, 'later'],
  [500, 'later'],
  [503, 'later'],
  [400, 'never'],
  [403, 'never'],
  [413, 'never'],
  [301, 'never'],
] as const)
  test(`a push service that answers ${status} means ${meaning}`, async (t) => {
    const { agent, asked } = await service(t, status, { location: 'https://elsewhere.example/', 'retry-after': '120' })
    const error = await trouble(t, opened(t, { agent }).send(browser().subscription, note))
    t.deepEqual([error.trouble, error.retryAfterSeconds, asked.length], [meaning, 120, 1])
  })

test('a push service that says nothing in time, or is not there, means later', async (t) => {
  const { agent } = await service(t, 0)
  t.is((await trouble(t, opened(t, { agent, sendMsMax: 100 }).send(browser().subscription, note))).trouble, 'later')
  const away: LookupFunction = (_name, _options, done) => done(new Error('ENOTFOUND'), [])
  t.is((await trouble(t, opened(t, { lookup: away }).send(browser().subscription, note))).trouble, 'later')
})

test('a name that leads into a private network is never connected to', async (t) => {
  const { asked } = await service(t, 201)
  for (const found of [['127.0.0.1'], ['8.8.8.8', '10.0.0.1'], ['::1'], []]) {
    const lookup: LookupFunction = (_name, _options, done) =>
      done(
        null,
        found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      )
    t.is((await trouble(t, opened(t, { lookup }).send(browser().subscription, note))).trouble, 'never')
  }
  t.is(asked.length, 0)
})

test('what could never be sent is refused before anybody is asked', async (t) => {
  const { agent, asked } = await service(t, 201)
  const push = opened(t, { agent })
  const { subscription } = browser()
  for (const endpoint of ['http://push.example', 'https://10.0.0.1/', `https://push.example/${'x'.repeat(2000)}`])
    t.throws(() => push.check({ ...subscription, endpoint }), { instanceOf: PushError })
  t.notThrows(() => push.check(subscription))
  const tries = [
    push.send({ ...subscription, keys: { ...subscription.keys, auth: '' } }, note),
    push.send(subscription, { ...note, body: 'x'.repeat(NOTE_BYTES_MAX + 1) }),
    push.send(subscription, { ...note, topic: 'not a topic' }),
  ]
  for (const one of tries) t.is((await trouble(t, one)).trouble, 'never')
  await push.send(subscription, { ...note, body: 'x'.repeat(NOTE_BYTES_MAX) })
  t.is(asked.length, 1)
  t.true(asked[0]!.body.length <= 4096)
})

test('where push is not set up nobody subscribes and nothing is sent', async (t) => {
  const push = noPush()
  t.is(push.publicKey, null)
  t.throws(() => push.check(browser().subscription), { instanceOf: PushError })
  t.is((await trouble(t, push.send(browser().subscription, note))).trouble, 'never')
})
