import test from 'ava'
import { createHmac } from 'node:crypto'
import { jwtVerify, SignJWT } from 'jose'
import { signAccess, verifyAccess } from './token.ts'

const SECRET = 'a secret of at least thirty-two letters'
const NOW = Date.UTC(2026, 0, 1)
const who = { userId: 'usr_1', sessionId: 'ses_1' }
const CLAIMS = { sub: 'usr_1', sid: 'ses_1', typ: 'access', iss: 'gigwire', aud: 'gigwire', exp: NOW / 1000 + 60 }

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
/** A token signed by hand with the right secret, whatever it says. */
const made = (claims: unknown, head: object = { alg: 'HS256', typ: 'JWT' }, hash = 'sha256') => {
  const signed = `${part(head)}.${part(claims)}`
  return `${signed}.${createHmac(hash, SECRET).update(signed).digest('base64url')}`
}

test('a token says who signed in until it expires', (t) => {
  const token = signAccess(SECRET, who, 60, NOW)
  t.deepEqual(verifyAccess(SECRET, token, NOW), { ...who, expiresAt: NOW + 60_000 })
  t.deepEqual(verifyAccess(SECRET, token, NOW + 59_999), { ...who, expiresAt: NOW + 60_000 })
  t.is(verifyAccess(SECRET, token, NOW + 60_000), null)
})

test('a token is one that any library reads, and one made by a library is taken', async (t) => {
  const key = Buffer.from(SECRET)
  const { payload, protectedHeader } = await jwtVerify(signAccess(SECRET, who, 60, NOW), key, {
    issuer: 'gigwire',
    audience: 'gigwire',
    currentDate: new Date(NOW),
  })
  t.like(payload, { sub: 'usr_1', sid: 'ses_1', typ: 'access', exp: NOW / 1000 + 60 })
  t.is(protectedHeader.alg, 'HS256')
  const theirs = await new SignJWT(CLAIMS).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(key)
  t.deepEqual(verifyAccess(SECRET, theirs, NOW), { ...who, expiresAt: NOW + 60_000 })
})

test("a token of another secret, a changed or truncated one, or none at all is nobody's", (t) => {
  const token = signAccess(SECRET, who, 60, NOW)
  const [head, body, tail] = token.split('.') as [string, string, string]
  t.is(verifyAccess(`${SECRET}!`, token, NOW), null)
  t.is(verifyAccess(SECRET, `${head}.${part({ ...CLAIMS, sub: 'usr_2' })}.${tail}`, NOW), null)
  for (let length = 0; length < token.length; length++)
    t.is(verifyAccess(SECRET, token.slice(0, length), NOW), null, String(length))
  for (const bad of ['', 'a', 'a.b.c', `${token}.`, `${token}=`, ` ${token}`, `${head}.${body}`, 'x'.repeat(5000)])
    t.is(verifyAccess(SECRET, bad, NOW), null, bad.slice(0, 20))
})

test('one signature has one spelling', (t) => {
  const token = signAccess(SECRET, who, 60, NOW)
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  // The last letter carries two bits that no byte has: decoded, four spellings are the same bytes.
  const taken = [...alphabet].filter((letter) => verifyAccess(SECRET, token.slice(0, -1) + letter, NOW))
  t.deepEqual(taken, [token.at(-1)])
})

test('a token does not choose how it is checked: no algorithm, another one, or more in the header is no token', (t) => {
  const heads = [
    { alg: 'none' },
    { alg: 'none', typ: 'JWT' },
    { alg: 'HS384', typ: 'JWT' },
    { alg: 'RS256', typ: 'JWT' },
    { alg: 'HS256', typ: 'JWT', crit: ['exp'] },
    { alg: 'HS256', typ: 'JWT', kid: '../../etc/passwd' },
    { typ: 'JWT', alg: 'hs256' },
  ]
  t.truthy(verifyAccess(SECRET, made(CLAIMS), NOW))
  for (const head of heads) {
    t.is(verifyAccess(SECRET, made(CLAIMS, head), NOW), null, JSON.stringify(head))
    t.is(verifyAccess(SECRET, `${part(head)}.${part(CLAIMS)}.`, NOW), null, JSON.stringify(head))
  }
  t.is(verifyAccess(SECRET, made(CLAIMS, undefined, 'sha384'), NOW), null)
  t.is(verifyAccess(SECRET, `${made(CLAIMS).split('.').slice(0, 2).join('.')}.`, NOW), null)
})

test('a token made for something else, or that says less than it must, is not an access token', (t) => {
  const others = [
    { ...CLAIMS, typ: 'refresh' },
    { ...CLAIMS, typ: undefined },
    { ...CLAIMS, sid: undefined },
    { ...CLAIMS, sub: 7 },
    { ...CLAIMS, iss: 'other' },
    { ...CLAIMS, aud: 'other' },
    { ...CLAIMS, aud: ['gigwire', 'other'] },
    { ...CLAIMS, exp: undefined },
    { ...CLAIMS, exp: '9999999999' },
    { ...CLAIMS, exp: NOW / 1000 },
    { ...CLAIMS, exp: NOW / 1000 - 1 },
    { ...CLAIMS, nbf: NOW / 1000 + 1 },
    { ...CLAIMS, nbf: 'now' },
    [],
    'text',
    null,
  ]
  for (const claims of others) t.is(verifyAccess(SECRET, made(claims), NOW), null, JSON.stringify(claims))
  t.truthy(verifyAccess(SECRET, made({ ...CLAIMS, nbf: NOW / 1000 }), NOW))
})
