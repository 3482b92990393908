import test from 'ava'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newVapidKeys } from '../adapters/push/vapid.ts'
import { startNode } from '../test/node.ts'

const keyOf = async (env: Record<string, string>): Promise<string | null> => {
  const node = await startNode({ services: [], env })
  try {
    return (await node.open('push')).publicKey
  } finally {
    await node.stop()
  }
}

test('a sandbox makes its push keys once and keeps them; elsewhere they are given, or push is off', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gigwire-push-'))
  t.teardown(() => rm(dataDir, { recursive: true, force: true }))
  const made = await keyOf({ DATA_DIR: dataDir })
  t.regex(made!, /^B[\w-]{86}$/)
  t.is(await keyOf({ DATA_DIR: dataDir }), made)
  const real = { STRIPE_SECRET_KEY: 'sk_test_x', STRIPE_WEBHOOK_SECRET: 'whsec_x', JWT_SECRET: 'x'.repeat(32) }
  t.is(await keyOf(real), null)
  const { publicKey, privateKey } = newVapidKeys()
  t.is(await keyOf({ ...real, VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey }), publicKey)
  const other = { VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: newVapidKeys().privateKey }
  await t.throwsAsync(keyOf({ ...real, ...other }), { message: /no pair/ })
})
