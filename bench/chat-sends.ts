// The process that bench/chat.ts measures: chat on a store with so many conversations, sent to from within, and beside it
// bare inserts of the same documents into a collection of the same size and indexes in the same store.
import { randomInt } from 'node:crypto'
import { ServiceBroker } from 'moleculer'
import { collection, FIND_MAX, type Documents, type Found } from '../adapters/documents/index.ts'
import { nodeOf, type Node } from '../mixins/node.ts'
import { brokerOptions } from '../moleculer.config.ts'
import chat from '../services/chat/chat.service.ts'
import { messages, type MessageDoc } from '../services/chat/messages.ts'
import { conversationId, LINE, messageDoc, seedConversations, seedMessages } from './conversations.ts'
import { answerParent, UNLIMITED } from './harness.ts'
import { inBulk, userId } from './people.ts'
import { histogram, percentile } from './swarm.ts'

export type Filling = { conversations: number; dataDir: string }
export type What = 'send' | 'insert'
/** `among`: conversations drawn from, spread over all of them. */
export type Sending = { what: What; among: number; inFlight: number; ms: number }
export type Sent = { perSecond: number; cpuMicros: number; p50Ms: number; p99Ms: number; count: number }
export type Checked = { conversations: number; messages: number; problems: string[] }

/** What chat stores, without chat: the same keys and as many documents, so that only chat's own work differs. */
const bare = collection<MessageDoc>('bench-messages', messages.indexes)
/** What is written a moment after the answer belongs to the message, too: the lists of a busy chat are, every five seconds. */
const SETTLE_MS = { insert: 500, send: 6500 }
const CHECKED_MAX = 500

/** People enough for a pair of their own for every conversation. */
const pairs = (conversations: number) => {
  const side = Math.ceil(Math.sqrt(conversations)) + 1
  return (at: number): readonly [number, number] => [Math.floor(at / side), side + (at % side)]
}

type State = {
  node: Node
  documents: Documents
  conversations: number
  /** The last number of conversations that were sent to, by chat and bare. */
  seqs: Record<What, Map<number, number>>
  stop(): Promise<void>
}
let state: State | null = null
let made = 0

const fill = async ({ conversations, dataDir }: Filling): Promise<object> => {
  const env = { PORT: '0', OPS_PORT: '0', LOG_LEVEL: 'warn', DEMO: '0', RATE_LIMITS: UNLIMITED, DATA_DIR: dataDir }
  const broker = new ServiceBroker(brokerOptions(env))
  const node = nodeOf(broker, broker.logger)
  const documents = await node.open('documents')
  const pair = pairs(conversations)
  await seedConversations(documents, conversations, pair)
  await seedMessages(documents, conversations, pair, 1)
  await documents.declare([bare])
  await inBulk(
    conversations,
    (at) => messageDoc(at, 1, { sender: userId(pair(at)[1]), senderSeq: 1, sentAt: Date.now() }),
    (docs) => documents.insertMany(bare, docs),
  )
  broker.createService(chat)
  await broker.start()
  const seqs = { send: new Map<number, number>(), insert: new Map<number, number>() }
  state = { node, documents, conversations, seqs, stop: () => broker.stop() }
  return {}
}

const round = async ({ what, among, inFlight, ms }: Sending): Promise<Sent> => {
  const now = state!
  const pair = pairs(now.conversations)
  const step = now.conversations / among
  const act = what === 'send' ? send : insert
  const took = histogram()
  let count = 0
  const before = process.cpuUsage()
  const startedAt = performance.now()
  const worker = async () => {
    while (performance.now() < startedAt + ms) {
      const at = Math.floor(randomInt(among) * step)
      const from = performance.now()
      await act(now, at, userId(pair(at)[0]))
      took.add(performance.now() - from)
      count += 1
    }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  const wallSeconds = (performance.now() - startedAt) / 1000
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS[what]))
  const { user, system } = process.cpuUsage(before)
  return {
    count,
    perSecond: count / wallSeconds,
    cpuMicros: (user + system) / count,
    p50Ms: percentile([took.counts()], 0.5),
    p99Ms: percentile([took.counts()], 0.99),
  }
}

const send = async ({ node, seqs }: State, at: number, sender: string): Promise<void> => {
  made += 1
  const caller = { id: sender, username: sender, roles: ['buyer' as const], sessionId: 'ses_bench' }
  const params = { id: conversationId(at), clientId: `bench-${made}`, text: LINE }
  await node.call('chat.send', params, { meta: { caller } })
  seqs.send.set(at, (seqs.send.get(at) ?? 1) + 1)
}

const insert = async ({ node, documents, seqs }: State, at: number, sender: string): Promise<void> => {
  made += 1
  const seq = (seqs.insert.get(at) ?? 1) + 1
  seqs.insert.set(at, seq)
  const doc = messageDoc(at, seq, { sender, senderSeq: seq - 1, sentAt: Date.now() })
  const outcome = await documents.insert(bare, { ...doc, id: node.newId('msg'), clientId: `bench-${made}` })
  if (!outcome.ok) throw new Error(`a bare insert met ${outcome.conflict}`)
}

/** Of the conversations that were sent to: every number once, without a gap, as many as were acknowledged. */
const check = async (): Promise<Checked> => {
  const { documents, seqs } = state!
  const problems: string[] = []
  let checked = 0
  const sent = [...seqs.send].slice(0, CHECKED_MAX)
  for (const [at, last] of sent) {
    const numbers = await numbersOf(documents, conversationId(at))
    const wrong = numbers.findIndex((seq, before) => seq !== before + 1)
    if (wrong >= 0) problems.push(`${conversationId(at)} has ${numbers[wrong]} where ${wrong + 1} was due`)
    if (numbers.length !== last) problems.push(`${conversationId(at)} has ${numbers.length} messages of ${last}`)
    checked += numbers.length
  }
  return { conversations: sent.length, messages: checked, problems }
}

const numbersOf = async (documents: Documents, conversation: string): Promise<number[]> => {
  const numbers: number[] = []
  let cursor: string | null = null
  do {
    const page: Found<MessageDoc> = await documents.find(messages, {
      index: 'bySeq',
      equals: { conversation },
      limit: FIND_MAX,
      cursor,
    })
    numbers.push(...page.docs.map(({ seq }) => seq))
    cursor = page.next
  } while (cursor)
  return numbers
}

const stop = async (): Promise<object> => {
  await state!.stop()
  return {}
}

type Asked = { fill: Filling } | { round: Sending } | { check: true } | { stop: true }
if (import.meta.main)
  answerParent((asked: Asked): Promise<object> => {
    if ('fill' in asked) return fill(asked.fill)
    if ('round' in asked) return round(asked.round)
    return 'check' in asked ? check() : stop()
  })
