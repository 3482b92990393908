// Notifications and messages never wait for each other: with twenty thousand people to be told, and nobody telling them, a
// message is sent as ever; and whoever is killed while telling goes on, so that each is told exactly once.
import test from 'ava'
import { join } from 'node:path'
import type { Documents } from '../adapters/documents/index.ts'
import { openSqlite } from '../adapters/documents/sqlite.ts'
import account from '../services/account/account.service.ts'
import chat from '../services/chat/chat.service.ts'
import { conversations, pairOf } from '../services/chat/conversation.ts'
import { inbox, rowId } from '../services/chat/inbox.ts'
import { messages } from '../services/chat/messages.ts'
import { dispatches } from '../services/notification/dispatch.ts'
import { notifications, type NotificationDoc } from '../services/notification/notifications.ts'
import { DEFAULTS, preferences } from '../services/notification/preferences.ts'
import { startMarket } from './market.ts'
import { eventually, startNode } from './node.ts'

const READERS = 50
const WRITERS = 400
const ALL = READERS * WRITERS
const BULK = 1000
/** Parts of the queue that are told of when the process is killed, so many ms after that was seen: in any phase of a batch. */
const KILLS = [
  { part: 0.05, afterMs: 5 },
  { part: 0.2, afterMs: 15 },
  { part: 0.35, afterMs: 25 },
  { part: 0.5, afterMs: 40 },
]
const MANY = { limit: 1000 }
const reader = (n: number) => `usr_reader${n}`
const writer = (n: number) => `usr_writer${n}`

test('twenty thousand people to be told delay no message, and a kill on the way tells each exactly once', async (t) => {
  t.timeout(240_000)
  const market = await startMarket()
  const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }
  try {
    const by = (name: string) => ({
      email: `${name}@queue.test`,
      password: 'a-long-password',
      username: name,
      displayName: name,
    })
    const [ann, bob] = await Promise.all(
      ['ann', 'bob'].map(async (name) => (await market.ask('POST', '/v1/auth/register', { body: by(name) })).body),
    )
    const opened = await market.ask('POST', '/v1/conversations', {
      token: ann.accessToken,
      body: { with: bob.user.id },
    })
    await market.kill()

    const documents = await openSqlite({ file: join(market.dataDir, 'documents.sqlite'), log: quiet })
    await documents.declare([conversations, messages, inbox, notifications, preferences, dispatches] as never)
    await seed(documents)
    const due = () => documents.count(inbox, { index: 'byDue', to: Date.now() })
    t.is(await due(), ALL)

    // Nobody is there who tells: the queue cannot get shorter, and the message is stored and answered.
    const node = await startNode({ services: [account, chat], env: { DATA_DIR: market.dataDir } })
    const caller = { id: ann.user.id, username: 'ann', roles: ann.user.roles, sessionId: 'ses_1' }
    const params = { id: opened.body.id, clientId: 'one', text: 'Hello' }
    t.is((await node.call('chat.send', params, { meta: { caller } })).seq, 1)
    t.is(await due(), ALL)
    await node.stop()

    await market.start()
    const made = () => countAll(documents)
    for (const { part, afterMs } of KILLS) {
      const before = await eventually(made, (count) => count > ALL * part, 60_000)
      await new Promise((resolve) => setTimeout(resolve, afterMs))
      await market.kill()
      t.true(before < ALL, 'it was killed on the way')
      await market.start()
    }
    await eventually(made, (count) => count >= ALL, 120_000)
    t.is(await eventually(due, (count) => count === 0, 30_000), 0)
    // Bob's grace has passed on the way or passes now.
    const list = () => market.ask('GET', '/v1/notifications', { token: bob.accessToken }).then(({ body }) => body)
    const admin = await market.ask('POST', '/v1/auth/login', {
      body: { email: 'admin@demo.test', password: 'demo-password' },
    })
    await market.ask('POST', '/v1/sandbox/clock', { token: admin.body.accessToken, body: { advanceSeconds: 60 } })
    t.is((await eventually(list, ({ unread }) => unread > 0)).data.length, 1)
    await eventually(
      () => documents.scan(dispatches, MANY),
      ({ docs }) => docs.length > 0,
    )
    await market.kill()

    const told = await all(documents)
    t.is(told.length, ALL + 1)
    t.is(new Set(told.map(({ user, about }) => `${user}/${about.id}`)).size, ALL + 1)
    t.true(told.every(({ data, readAt }) => data.count === 1 && readAt === null))
    const letters = await documents.scan(dispatches, MANY)
    t.deepEqual(
      letters.docs.map(({ user }) => user),
      [bob.user.id],
      'who wants no letters has none',
    )
    await documents.close()
  } catch (error) {
    t.log(market.output().slice(-4000))
    throw error
  } finally {
    await market.stop()
  }
})

/** As chat leaves it: every reader has one unread message of every writer, and their while is over. */
const seed = async (documents: Documents) => {
  const at = Date.now() - 60_000
  await documents.insertMany(
    preferences,
    Array.from({ length: READERS }, (_, n) => ({
      id: reader(n),
      version: 1,
      settings: { ...DEFAULTS, email: 'off' as const },
    })),
  )
  const pairs = Array.from({ length: ALL }, (_, n) => {
    const [from, to] = [writer(Math.floor(n / READERS)), reader(n % READERS)]
    return { id: `cnv_queue${n}`, from, to }
  })
  for (let start = 0; start < ALL; start += BULK) {
    const some = pairs.slice(start, start + BULK)
    await documents.insertMany(
      conversations,
      some.map(({ id, from, to }) => ({
        id,
        version: 1,
        pair: pairOf(from, to),
        members: [from, to],
        gig: null,
        createdAt: at,
      })),
    )
    await documents.insertMany(
      messages,
      some.map(({ id, from }) => ({
        id: `msg_${id}`,
        version: 1,
        conversation: id,
        seq: 1,
        sender: from,
        senderSeq: 1,
        clientId: 'one',
        text: 'Hello',
        attachments: [],
        sentAt: at,
        editedAt: null,
        deleted: false,
      })),
    )
    await documents.insertMany(
      inbox,
      some.map(({ id, to }) => ({
        id: rowId(id, to),
        version: 1,
        user: to,
        conversation: id,
        lastAt: at,
        readSeq: 0,
        dueAt: at + 30_000,
      })),
    )
  }
}

const countAll = async (documents: Documents): Promise<number> => documents.count(notifications, { index: 'byUnread' })

const all = async (documents: Documents): Promise<NotificationDoc[]> => {
  const found: NotificationDoc[] = []
  let after: string | null = null
  do {
    const page: { docs: NotificationDoc[]; next: string | null } = await documents.scan(notifications, {
      ...MANY,
      after,
    })
    found.push(...page.docs)
    after = page.next
  } while (after)
  return found
}
