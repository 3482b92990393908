import test from 'ava'
import { randomBytes } from 'node:crypto'
import { isRefused } from '../errors.ts'
import { deriveInWasm, HASHES_AT_ONCE, HASHES_WAITING_MAX, isOutdated, PARAMETERS, passwords } from './password.ts'

const LIGHT = { memoryKiB: 64, passes: 1, lanes: 1 }

test('a password matches its own hash and no other does', async (t) => {
  const { hash, matches } = passwords(LIGHT)
  const encoded = await hash('correct horse')
  t.true(await matches('correct horse', encoded))
  t.false(await matches('correct horsf', encoded))
  t.not(encoded, await hash('correct horse'), 'the salt is new each time')
})

test('nobody signs in where there is no hash, and it costs the same work', async (t) => {
  const { matches } = passwords(LIGHT)
  t.false(await matches('', ''))
  t.false(await matches('anything', 'not a hash'))
})

test('an accented password matches however the keyboard composes it', async (t) => {
  const { hash, matches } = passwords(LIGHT)
  t.true(await matches('cafe\u0301 latte', await hash('caf\u00e9 latte')))
})

test('the hash names the parameters asked for today, and an older one is outdated', async (t) => {
  const today = await passwords().hash('x')
  t.regex(today, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  t.false(isOutdated(today))
  t.true(isOutdated(await passwords(LIGHT).hash('x')))
})

test('an old hash still matches under new parameters', async (t) => {
  const old = await passwords(LIGHT).hash('x')
  t.true(await passwords({ ...LIGHT, passes: 2 }).matches('x', old))
})

test('WebAssembly and Node derive the same bytes', async (t) => {
  const salt = randomBytes(16)
  const tag = await deriveInWasm(Buffer.from('x'), salt, PARAMETERS)
  const encoded = `$argon2id$v=19$m=19456,t=2,p=1$${salt.toString('base64').replaceAll('=', '')}$${tag.toString('base64').replaceAll('=', '')}`
  t.true(await passwords().matches('x', encoded))
})

test('a flood of sign-ins is refused at once beyond the queue, and the rest are served', async (t) => {
  const { hash } = passwords(LIGHT)
  const asked = Array.from({ length: HASHES_AT_ONCE + HASHES_WAITING_MAX + 5 }, () =>
    hash('x').catch((error: unknown) => error),
  )
  const answers = await Promise.all(asked)
  t.is(answers.filter((answer) => isRefused(answer, 'overloaded')).length, 5)
  t.is(typeof (await hash('x')), 'string')
})
