// For tests: a node with a gateway on free ports and actors whose answers the test decides.
import type { ServiceSchema } from 'moleculer'
import WebSocket from 'ws'
import type { ServiceContract } from '../../mixins/contract.ts'
import type { Ctx } from '../../mixins/service.ts'
import { service } from '../../mixins/service.ts'
import { signAccess } from '../../mixins/token.ts'
import { eventually, startNode, type StartOptions, type TestNode } from '../../test/node.ts'
import { uwsListener } from '../../adapters/listener/uws.ts'
import { account } from '../account/contract.ts'
import { refuse } from '../errors.ts'
import type { Caller, Role } from '../shapes.ts'
import gateway from './gateway.service.ts'

export type Handlers = Record<string, (ctx: Ctx) => unknown>

/** An actor made of handlers; what has none is not found. Schemas and roles are checked as everywhere. */
export const actorOf = (declared: ServiceContract, handlers: Handlers): ServiceSchema =>
  service(
    declared,
    () =>
      ({
        actions: Object.fromEntries(
          Object.keys(declared.actions).map((name) => [
            name,
            async (ctx: Ctx) => (handlers[name] ? handlers[name](ctx) : Promise.reject(refuse('not_found'))),
          ]),
        ),
        hears: Object.fromEntries(declared.hears.map((event) => [event, async () => undefined])),
      }) as never,
  )

/** Accounts by id; whoever is not there is signed out. */
export type People = Map<string, Caller>
export const accounts = (people: People, handlers: Handlers = {}): ServiceSchema =>
  actorOf(account, {
    who: ({ params }) =>
      (params as { sessions: { userId: string }[] }).sessions.map(({ userId }) => people.get(userId) ?? null),
    ...handlers,
  })

export const person = (people: People, id: string, roles: Role[] = ['buyer']): Caller => {
  const caller: Caller = { id, username: id, roles, sessionId: `ses_${id}` }
  people.set(id, caller)
  return caller
}

export type TestGateway = TestNode & {
  base: string
  opsBase: string
  socketUrl: string
  ask(
    method: string,
    path: string,
    options?: {
      headers?: Record<string, string>
      token?: string
      body?: unknown
      raw?: string | Uint8Array<ArrayBuffer>
    },
  ): Promise<Answer>
  tokenOf(userId: string, ttlSeconds?: number): Promise<string>
}
export type Answer = { status: number; headers: Headers; text: string; json: never }

export const startGateway = async ({
  services = [],
  env = {},
  ...more
}: Partial<StartOptions>): Promise<TestGateway> => {
  const node = await startNode({ services: [gateway, ...services], env: { LISTENER: 'node', ...env }, ...more })
  const { port, opsPort } = (await node.broker.call('gateway.address')) as { port: number; opsPort: number }
  const base = `http://127.0.0.1:${port}`
  return {
    ...node,
    base,
    opsBase: `http://127.0.0.1:${opsPort}`,
    socketUrl: `ws://127.0.0.1:${port}/v1/realtime`,
    tokenOf: async (userId, ttlSeconds = 900) =>
      signAccess(node.settings.jwtSecret, { userId, sessionId: `ses_${userId}` }, ttlSeconds, Date.now()),
    ask: async (method, path, { headers = {}, token, body, raw } = {}) => {
      const sent = {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      }
      const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body))
      const response = await fetch(base + path, {
        method,
        headers: sent,
        redirect: 'manual',
        ...(payload !== undefined && { body: payload }),
      })
      const text = await response.text()
      return { status: response.status, headers: response.headers, text, json: parsed(text) as never }
    },
  }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

export type SocketFrame = {
  id?: unknown
  ok?: true
  ev?: string
  data?: unknown
  error?: { code: string; message: string; retryAfter?: number }
  [more: string]: unknown
}

/** A client's socket that keeps every frame it hears. */
export const connect = async (
  url: string,
  { token, protocols = ['gigwire.v1'] }: { token?: string; protocols?: string[] } = {},
) => {
  const socket = new WebSocket(url, protocols, token ? { headers: { authorization: `Bearer ${token}` } } : {})
  const frames: SocketFrame[] = []
  const state = { closed: null as number | null }
  socket.on('message', (text) => frames.push(JSON.parse(String(text)) as SocketFrame))
  socket.on('close', (code) => {
    state.closed = code
  })
  await new Promise((resolve, reject) => {
    socket.on('open', resolve)
    socket.on('error', reject)
  })
  const send = (frame: object) => socket.send(JSON.stringify(frame))
  return {
    socket,
    frames,
    send,
    state,
    ask: async (frame: SocketFrame): Promise<SocketFrame> => {
      send(frame)
      return (await eventually(() => frames.find(({ id }) => id === frame.id), Boolean))!
    },
    heard: (ev: string) => eventually(() => frames.find((frame) => frame.ev === ev), Boolean),
    closed: () =>
      eventually(
        () => state.closed,
        (code) => code !== null,
      ),
  }
}

/** The listeners that this machine can load. */
export const LISTENERS = uwsListener() ? ['node', 'uws'] : ['node']
