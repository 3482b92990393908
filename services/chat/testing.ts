// What chat's tests share: people, nodes, and what is told to somebody.
import { startNode, type TestNode } from '../../test/node.ts'
import account from '../account/account.service.ts'
import { refusal } from '../errors.ts'
import type { Caller } from '../shapes.ts'
import chat from './chat.service.ts'
import type { Message } from './contract.ts'

export const person = (username: string): Caller => ({
  id: `usr_${username.padStart(26, '0')}`,
  username,
  roles: ['buyer'],
  sessionId: 'ses_1',
})
export const as = (caller: Caller) => ({ meta: { caller } })
export const numbersTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1)

export const codeOf = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'no refusal',
    (error: unknown) => refusal(error)?.code ?? String(error),
  )

type Services = Parameters<typeof startNode>[0]['services']
export const startChat = async (
  people: readonly Caller[],
  { more = [], dataDir, cluster, name }: { more?: Services; dataDir?: string; cluster?: string; name?: string } = {},
): Promise<TestNode> => {
  const node = await startNode({
    services: [account, chat, ...more],
    env: { ...(dataDir && { DATA_DIR: dataDir }), ...(name && { NODE_ID: name }) },
    ...(cluster && { broker: { transporter: 'Fake', namespace: cluster } }),
  })
  for (const who of people) await signUp(node, who)
  return node
}

export const signUp = (node: TestNode, { id, username }: Caller) =>
  node.call('account.ensure', {
    id,
    email: `${username}@chat.test`,
    password: '',
    username,
    displayName: username,
    roles: ['buyer'],
  })

export const open = async (node: TestNode, from: Caller, to: Caller): Promise<string> =>
  (await node.call('chat.open', { with: to.id }, as(from))).id
export const send = (node: TestNode, id: string, from: Caller, clientId: string, text = clientId) =>
  node.call('chat.send', { id, clientId, text }, as(from))
/** Sends on that very node, as if it were the owner. */
export const sendOn = (node: TestNode, id: string, from: Caller, clientId: string, text = clientId) =>
  node.broker.call<Message, object>(
    'chat.send',
    { id, clientId, text },
    { nodeID: node.id, meta: { caller: from }, retries: 0 },
  )
export const editOn = (node: TestNode, id: string, from: Caller, message: string, text: string) =>
  node.broker.call<Message, object>(
    'chat.edit',
    { id, message, text },
    { nodeID: node.id, meta: { caller: from }, retries: 0 },
  )

export type Told = { ev: string; data: Message & { user?: string; seq: number } }
/** What a person's connections on this node are told from now on. */
export const listen = async (node: TestNode, { id }: Caller): Promise<{ told: Told[]; stop: () => Promise<void> }> => {
  const told: Told[] = []
  const attachment = (await node.open('fanout')).attach({
    users: (users, frame) => void (users.includes(id) && told.push(JSON.parse(frame) as Told)),
    topic: () => undefined,
  })
  attachment.hold(id)
  return { told, stop: () => attachment.detach() }
}
