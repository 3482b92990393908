// For the client's tests: a storage like a browser's, a link that can be cut, a gateway with a real chat behind it.
import { connect as dial, createServer, type AddressInfo, type Socket } from 'node:net'
import chat from '../services/chat/chat.service.ts'
import { gig } from '../services/gig/contract.ts'
import { accounts, actorOf, person, startGateway, type People, type TestGateway } from '../services/gateway/testing.ts'
import type { Caller } from '../services/shapes.ts'
import { connect } from './index.ts'
import type { Client, Message, Options, StorageLike } from './index.ts'

/** `localStorage` in memory; one that takes no more throws, as browsers' do. */
export const webStorage = (entriesMax = Infinity): StorageLike => {
  const entries = new Map<string, string>()
  return {
    get length() {
      return entries.size
    },
    key: (at) => [...entries.keys()][at] ?? null,
    getItem: (key) => entries.get(key) ?? null,
    setItem: (key, value) => {
      if (entries.size >= entriesMax && !entries.has(key)) throw new Error('QuotaExceededError')
      entries.set(key, value)
    },
    removeItem: (key) => void entries.delete(key),
  }
}

export type Cuttable = {
  url: string
  /** Links made so far. */
  made(): number
  open(): number
  /** Ends every link without a word. */
  cut(): void
  /** What the server says on the links there are is lost from now on; what it is told arrives. */
  deafen(): void
  /** Nothing goes through any link, and none ends. */
  stall(): void
  /** No new links, or again. */
  refuse(refused: boolean): void
  stop(): Promise<void>
}

export const cuttable = async (socketUrl: string): Promise<Cuttable> => {
  const { port, hostname, pathname } = new URL(socketUrl)
  const links = new Set<{ client: Socket; server: Socket; deaf: boolean; stalled: boolean }>()
  let made = 0
  let refusing = false
  const proxy = createServer((client) => {
    if (refusing) return void client.destroy()
    made++
    const server = dial(Number(port), hostname)
    const one = { client, server, deaf: false, stalled: false }
    links.add(one)
    client.on('data', (bytes) => void (one.stalled || server.write(bytes)))
    server.on('data', (bytes) => void (one.stalled || one.deaf || client.write(bytes)))
    const end = () => {
      links.delete(one)
      client.destroy()
      server.destroy()
    }
    for (const side of [client, server]) side.on('close', end).on('error', end)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const cut = () => {
    for (const { client, server } of links) {
      client.destroy()
      server.destroy()
    }
  }
  return {
    url: `ws://127.0.0.1:${(proxy.address() as AddressInfo).port}${pathname}`,
    made: () => made,
    open: () => links.size,
    cut,
    deafen: () => {
      for (const one of links) one.deaf = true
    },
    stall: () => {
      for (const one of links) one.stalled = true
    },
    refuse: (refused) => {
      refusing = refused
    },
    stop: async () => {
      cut()
      await new Promise((resolve) => proxy.close(resolve))
    },
  }
}

export type Talk = TestGateway & {
  people: People
  conversation: string
  /** A conversation of these two that is not the first one. */
  meet(one: string, other: string): Promise<string>
  /** A client of this person with short waits. */
  client(user: string, options?: Partial<Options>): Client
}
export const [ann, bob, cid] = ['usr_ann', 'usr_bob', 'usr_cid']

export const startTalk = async (env: Record<string, string> = {}): Promise<Talk> => {
  const people: People = new Map()
  const callers = new Map<string, Caller>([ann, bob, cid].map((id) => [id, person(people, id)]))
  const cards = ({ params }: { params: unknown }) =>
    (params as { ids: string[] }).ids.map((id) => ({ id, username: id, displayName: id }))
  const gateway = await startGateway({
    services: [accounts(people, { cards }), chat, actorOf(gig, { tail: () => ({ seq: 0, events: [] }) })],
    env: { RATE_LIMITS: 'account=100000/100000,address=100000/100000,messages=100000/100000', ...env },
  })
  const clients = new Set<Client>()
  const meet = async (one: string, other: string) =>
    (await gateway.call('chat.open', { with: other }, { meta: { caller: callers.get(one)! } })).id
  return {
    ...gateway,
    people,
    meet,
    conversation: await meet(ann, bob),
    client: (user, options = {}) => {
      const one = connect({
        url: gateway.socketUrl,
        token: () => gateway.tokenOf(user),
        minDelayMs: 20,
        maxDelayMs: 200,
        ...options,
      })
      clients.add(one)
      return one
    },
    stop: async () => {
      for (const one of clients) one.close()
      await gateway.stop()
    },
  }
}

/** What a client was told, as it came; of one conversation if it is named. */
export const listening = (client: Client, conversation?: string) => {
  const heard = {
    messages: [] as Message[],
    states: [] as string[],
    codes: [] as (number | undefined)[],
    gaps: 0,
    seqs: () => heard.messages.map(({ seq }) => seq),
  }
  client.on('message', (message) => {
    if (!conversation || message.conversation === conversation) heard.messages.push(message)
  })
  client.on('gap', () => void heard.gaps++)
  client.on('state', ({ state, code }) => {
    heard.states.push(state)
    if (state === 'waiting') heard.codes.push(code)
  })
  return heard
}
