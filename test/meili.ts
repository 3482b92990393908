// A stand-in for a Meilisearch server, only for what its adapter does on the wire: how it sets up, waits for tasks, keeps
// connections, and takes refusals, silence and loss. Routes and shapes are those of the server's documentation; it does not
// search. What a search answers is proved against a real server (npm run test:services).
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type Document = { id: string; version: number }
type Task = {
  uid: number
  indexUid: string
  status: 'enqueued' | 'succeeded' | 'failed'
  error: { message: string } | null
}
type Answer = { status: number; body: unknown }
export type Asked = { method: string; path: string; body: any }

export type StandIn = {
  url: string
  /** All requests so far, and connections opened. */
  asked: Asked[]
  connections(): number
  documents: Map<string, Map<string, Document>>
  settings: Map<string, Record<string, unknown>>
  /** Looks at each request first: an answer, silence, or nothing special. */
  interfere: (asked: Asked) => Answer | 'silence' | null | Promise<Answer>
  /** Tasks are done at the second look; held ones when let go. */
  holdTasks(isHeld: boolean): void
  failTasks(message: string | null): void
  stop(): Promise<void>
}

const KEY = 'a-key-of-sixteen'

export const standIn = async (port = 0): Promise<StandIn> => {
  const documents: StandIn['documents'] = new Map()
  const settings: StandIn['settings'] = new Map()
  const tasks: Task[] = []
  let connections = 0
  let held = false
  let failure: string | null = null

  const task = (indexUid: string, work: () => void): Answer => {
    const one: Task = { uid: tasks.length, indexUid, status: 'enqueued', error: null }
    tasks.push(one)
    works.set(one.uid, work)
    return { status: 202, body: { taskUid: one.uid, indexUid, status: 'enqueued', type: 'x', enqueuedAt: 'now' } }
  }
  const works = new Map<number, () => void>()
  const settle = (one: Task) => {
    if (held || one.status !== 'enqueued') return
    if (failure === null) works.get(one.uid)!()
    one.status = failure === null ? 'succeeded' : 'failed'
    one.error = failure === null ? null : { message: failure }
  }
  const missing = (uid: string): Answer => refusal(404, 'index_not_found', `Index \`${uid}\` not found.`)
  const of = (uid: string) => {
    if (!documents.has(uid)) documents.set(uid, new Map())
    return documents.get(uid)!
  }

  const routes: [RegExp, (asked: Asked, uid: string) => Answer][] = [
    [/^GET \/health$/, () => ({ status: 200, body: { status: 'available' } })],
    [/^POST \/indexes$/, ({ body }) => task(body.uid, () => void (of(body.uid), settings.set(body.uid, {})))],
    [/^GET \/indexes\/([^/]+)$/, (_, uid) => (documents.has(uid) ? { status: 200, body: { uid } } : missing(uid))],
    [
      /^GET \/indexes\/([^/]+)\/stats$/,
      (_, uid) =>
        documents.has(uid)
          ? { status: 200, body: { numberOfDocuments: of(uid).size, rawDocumentDbSize: 4096, isIndexing: false } }
          : missing(uid),
    ],
    [/^GET \/indexes\/([^/]+)\/settings$/, (_, uid) => ({ status: 200, body: settings.get(uid) ?? {} })],
    [
      /^PATCH \/indexes\/([^/]+)\/settings$/,
      ({ body }, uid) => task(uid, () => settings.set(uid, { ...settings.get(uid), ...body })),
    ],
    [
      /^GET \/indexes\/([^/]+)\/settings\/synonyms$/,
      (_, uid) => ({
        status: 200,
        body: settings.get(uid)?.['synonyms'] ?? {},
      }),
    ],
    [
      /^PUT \/indexes\/([^/]+)\/settings\/synonyms$/,
      ({ body }, uid) => task(uid, () => settings.set(uid, { ...settings.get(uid), synonyms: body })),
    ],
    [
      /^POST \/indexes\/([^/]+)\/documents$/,
      ({ body }, uid) => task(uid, () => (body as Document[]).forEach((one) => of(uid).set(one.id, one))),
    ],
    [
      /^POST \/indexes\/([^/]+)\/documents\/delete-batch$/,
      ({ body }, uid) => task(uid, () => (body as string[]).forEach((id) => of(uid).delete(id))),
    ],
    [
      /^POST \/indexes\/([^/]+)\/documents\/fetch$/,
      ({ body }, uid) => {
        const ids: string[] = JSON.parse(String(body.filter).replace(/^id IN /, ''))
        const results = ids.flatMap((id) => of(uid).get(id) ?? [])
        return { status: 200, body: { results, offset: 0, limit: body.limit, total: results.length } }
      },
    ],
    [
      /^POST \/multi-search$/,
      ({ body }) => ({
        status: 200,
        body: { results: (body.queries as { indexUid: string }[]).map(({ indexUid }) => found(of(indexUid))) },
      }),
    ],
  ]

  const answer = (asked: Asked): Answer => {
    const [path, query] = asked.path.split('?')
    if (asked.method === 'GET' && path === '/tasks') return tasksAsked(new URLSearchParams(query))
    for (const [pattern, route] of routes) {
      const match = pattern.exec(`${asked.method} ${path}`)
      if (match) return route(asked, match[1] ?? '')
    }
    throw new Error(`the stand-in knows no ${asked.method} ${path}`)
  }
  const looked = new Set<number>()
  const tasksAsked = (query: URLSearchParams): Answer => {
    const uids = query.get('uids')?.split(',').map(Number)
    const open = query.get('statuses') !== null
    const some = tasks.filter((one) => (uids ? uids.includes(one.uid) : true))
    for (const one of some) {
      if (looked.has(one.uid) || !uids) settle(one)
      looked.add(one.uid)
    }
    const results = some.filter(({ status }) => !open || status === 'enqueued')
    return { status: 200, body: { results, total: results.length, limit: 20, from: null, next: null } }
  }

  const server = createServer((request, response) => void handle(request, response))
  server.on('connection', () => {
    connections += 1
  })
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const asked = { method: request.method!, path: request.url!, body: text === '' ? null : JSON.parse(text) }
    self.asked.push(asked)
    const special =
      request.headers.authorization === `Bearer ${KEY}`
        ? await self.interfere(asked)
        : refusal(403, 'invalid_api_key', 'The provided API key is invalid.')
    if (special === 'silence') return
    const { status, body } = special ?? answer(asked)
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body))
  }
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const self: StandIn = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    connections: () => connections,
    documents,
    settings,
    interfere: () => null,
    holdTasks: (isHeld) => {
      held = isHeld
    },
    failTasks: (message) => {
      failure = message
    },
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return self
}
standIn.key = KEY

export const refusal = (status: number, code: string, message: string): Answer => ({
  status,
  body: { message, code, type: 'invalid_request', link: `https://docs.meilisearch.com/errors#${code}` },
})

const found = (all: ReadonlyMap<string, Document>) => ({
  hits: [...all.values()].map((one) => ({ ...one, _rankingScore: 1 })),
  query: '',
  processingTimeMs: 1,
  limit: 20,
  offset: 0,
  estimatedTotalHits: all.size,
  facetDistribution: {},
  facetStats: {},
})
