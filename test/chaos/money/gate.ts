// The way of one node to the payment provider: every call passes here, and may be let through, swallowed before or after it
// was executed, or answered late. So harm comes exactly where it hurts, and the product need not know.
import { Agent, createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type CallKind = 'create' | 'confirm' | 'cancel' | 'refund' | 'transfer' | 'payout' | 'reverse' | 'other'
export type Passing = {
  node: string
  kind: CallKind
  /** Our operation, as its metadata says; for a payment that exists, its id. */
  operation: string
  /** Has whoever asked given up? Then it never came to the provider. */
  isGone(): boolean
}
export type Gate = { port: number; close(): Promise<void> }
/** What is done about one call. What is not said happens as always. */
export type Harm = {
  /** Before it is sent; false: it never is. */
  before?(): Promise<boolean>
  /** Executed, not yet answered; false: it never is. */
  after?(): Promise<boolean>
  /** Answered. */
  answered?(): void
}

const KINDS: readonly [RegExp, CallKind][] = [
  [/^\/v1\/payment_intents$/, 'create'],
  [/^\/v1\/payment_intents\/[^/]+\/confirm$/, 'confirm'],
  [/^\/v1\/payment_intents\/[^/]+\/cancel$/, 'cancel'],
  [/^\/v1\/refunds$/, 'refund'],
  [/^\/v1\/transfers$/, 'transfer'],
  [/^\/v1\/transfers\/[^/]+\/reversals$/, 'reverse'],
  [/^\/v1\/payouts$/, 'payout'],
]
const kindOf = (method: string, path: string): CallKind =>
  method === 'POST' ? (KINDS.find(([pattern]) => pattern.test(path))?.[1] ?? 'other') : 'other'

export const openGate = async (
  node: string,
  provider: () => number,
  harm: (passing: Passing) => Promise<Harm | null>,
): Promise<Gate> => {
  const agent = new Agent({ keepAlive: true })
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await bytesOf(request)
    const path = (request.url ?? '').split('?')[0]!
    const form = new URLSearchParams(body.toString())
    const operation = form.get('metadata[op]') ?? /(?:payment_intents|transfers)\/([^/]+)/.exec(path)?.[1] ?? ''
    const isGone = () => response.destroyed || request.socket.destroyed
    const done = await harm({ node, kind: kindOf(request.method ?? '', path), operation, isGone })
    if ((await done?.before?.()) === false || isGone()) return void response.destroy()
    const answer = await forwarded(agent, provider(), request, body)
    if ((await done?.after?.()) === false) return void response.destroy()
    response.writeHead(answer.status, answer.headers)
    response.end(answer.body, () => done?.answered?.())
  }
  const server = createServer((request, response) => {
    // A provider that is down or a node that is gone: the other side sees a broken connection.
    serve(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      agent.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const bytesOf = async (stream: AsyncIterable<Buffer>): Promise<Buffer> => {
  const parts: Buffer[] = []
  for await (const part of stream) parts.push(part)
  return Buffer.concat(parts)
}

type Answered = { status: number; headers: Record<string, string | string[]>; body: Buffer }
const forwarded = (agent: Agent, port: number, { method, url, headers }: IncomingMessage, body: Buffer) =>
  new Promise<Answered>((resolve, reject) => {
    const sent = ask(
      { agent, host: '127.0.0.1', port, method, path: url, headers: { ...headers, connection: 'keep-alive' } },
      (answer) => {
        bytesOf(answer).then((bytes) => {
          const { connection: _c, 'keep-alive': _k, 'transfer-encoding': _t, ...kept } = answer.headers
          resolve({ status: answer.statusCode ?? 502, headers: kept as Answered['headers'], body: bytes })
        }, reject)
      },
    )
    sent.once('error', reject)
    sent.end(body)
  })
