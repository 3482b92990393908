import test from 'ava'
import { SignJWT } from 'jose'
import { signAccess, verifyAccess } from './token.ts'

const SECRET = 'a secret of at least thirty-two letters'
const NOW = Date.UTC(2026, 0, 1)
const who = { userId: 'usr_1', sessionId: 'ses_1' }

test('a token says who signed in until it expires', async (t) => {
  const token = await signAccess(SECRET, who, 60, NOW)
  t.deepEqual(await verifyAccess(SECRET, token, NOW), { ...who, expiresAt: NOW + 60_000 })
  t.deepEqual(await verifyAccess(SECRET, token, NOW + 59_000), { ...who, expiresAt: NOW + 60_000 })
  t.is(await verifyAccess(SECRET, token, NOW + 60_000), null)
})

test("a token of another secret, a changed one, or none at all is nobody's", async (t) => {
  const token = await signAccess(SECRET, who, 60, NOW)
  const [head, , tail] = token.split('.')
  const forged = Buffer.from(
    JSON.stringify({ sub: 'usr_2', sid: 'ses_1', typ: 'access', iss: 'gigwire', aud: 'gigwire', exp: NOW / 1000 + 60 }),
  ).toString('base64url')
  t.is(await verifyAccess(`${SECRET}!`, token, NOW), null)
  t.is(await verifyAccess(SECRET, `${head}.${forged}.${tail}`, NOW), null)
  for (const bad of ['', 'a', 'a.b.c', `${token}.`, 'x'.repeat(5000)])
    t.is(await verifyAccess(SECRET, bad, NOW), null, bad.slice(0, 20))
})

test('a token made for something else is not an access token', async (t) => {
  const key = Buffer.from(SECRET)
  const made = (claims: object, alg = 'HS256', { issuer = 'gigwire', audience = 'gigwire' } = {}) =>
    new SignJWT({ sub: 'usr_1', sid: 'ses_1', typ: 'access', ...claims })
      .setProtectedHeader({ alg })
      .setIssuer(issuer)
      .setAudience(audience)
      .setExpirationTime(NOW / 1000 + 60)
      .sign(key)
  t.truthy(await verifyAccess(SECRET, await made({}), NOW))
  t.is(await verifyAccess(SECRET, await made({ typ: 'refresh' }), NOW), null)
  t.is(await verifyAccess(SECRET, await made({ sid: undefined }), NOW), null)
  t.is(await verifyAccess(SECRET, await made({}, 'HS384'), NOW), null)
  t.is(await verifyAccess(SECRET, await made({}, 'HS256', { issuer: 'other' }), NOW), null)
  t.is(await verifyAccess(SECRET, await made({}, 'HS256', { audience: 'other' }), NOW), null)
  const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${(await made({})).split('.')[1]}.`
  t.is(await verifyAccess(SECRET, none, NOW), null)
})
