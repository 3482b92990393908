// The listener on uWebSockets.js: HTTP and WebSocket on one port, native code up to the handler.
// Its request object dies when the callback returns, so the head is read at once; its answer object dies when it ends
// or the client leaves, so whoever holds one asks first. The address of a PROXY protocol prefix is never read: any
// client can write one.
import net from 'node:net'
import type { HttpRequest, HttpResponse, us_listen_socket } from 'uWebSockets.js'
import { clientAddress, peers } from './address.ts'
import { type Addon, loadAddon } from './addon.ts'
import { answerTo, bare } from './answer.ts'
import { faultOf } from './framing.ts'
import type { Handler, Listener, ListenerOptions, OpenListener, Response, SocketHandlers } from './index.ts'
import { type Leave, places } from './places.ts'
import { createAnswers } from './uws-answer.ts'
import { headOf, UwsRequest } from './uws-request.ts'
import { uwsSockets } from './uws-sockets.ts'

/** Null where the addon can't be loaded; `explain` then hears why. `directory` keeps a copy for an older glibc. */
export const uwsListener = (directory?: string, explain?: (reason: string) => void): OpenListener | null => {
  const addon = loadAddon(directory, explain)
  return addon && ((options, handler, sockets) => open(addon, options, { handler, sockets }))
}

type Owner<State> = { handler: Handler; sockets: SocketHandlers<State> | null }

const open = async <State>(addon: Addon, options: ListenerOptions, { handler, sockets }: Owner<State>) => {
  const app = addon.App()
  const exchange = exchanges(options, handler)
  const topics = uwsSockets(addon, app, { sockets, exchange })
  // routes match letter by letter: what comes here is a GET and nothing like it
  app.get('/*', (res, req) => exchange.onRequest(res, req, 'GET'))
  app.any('/*', (res, req) => exchange.onRequest(res, req))
  const token = await listen(addon, app, options)
  const port = addon.us_socket_local_port(token as never)
  let state: 'open' | 'paused' | 'closed' = 'open'
  return {
    port,
    publish: (topic, text) => {
      if (state !== 'closed') topics.publish(topic, text)
    },
    subscribers: (topic) => (state === 'closed' ? 0 : app.numSubscribers(topic)),
    pause() {
      if (state !== 'open') return
      state = 'paused'
      addon.us_listen_socket_close(token)
    },
    async close() {
      if (state === 'closed') return
      state = 'closed'
      app.close()
    },
  } satisfies Listener
}

const listen = async (addon: Addon, app: ReturnType<Addon['App']>, { host, port, sharePort }: ListenerOptions) => {
  const option = sharePort ? 0 : addon.LIBUS_LISTEN_EXCLUSIVE_PORT
  let token: us_listen_socket | false = false
  for (let tries = port === 0 ? freePortTries : 1; !token && tries > 0; tries -= 1) {
    // uWebSockets leaves a port that the system picks unusable for minutes after it closed; a named one it doesn't
    const wanted = port === 0 ? await freePort(host, 0) : port
    app.listen(host, wanted, option, (given) => {
      token = given
    })
  }
  if (token) return token as us_listen_socket
  app.close()
  // it only says that it failed; the system tells Node why
  await freePort(host, port)
  throw new Error(`uWebSockets can't listen on ${host}:${port}`)
}

/** Somebody else may take it before we do. */
const freePortTries = 5

const freePort = (host: string, port: number) =>
  new Promise<number>((resolve, reject) => {
    const probe = net.createServer()
    probe.once('error', reject)
    probe.listen({ host, port, exclusive: true }, () => {
      const { port: found } = probe.address() as net.AddressInfo
      probe.close(() => resolve(found))
    })
  })

export type Exchanges = ReturnType<typeof exchanges>

/** Requests and their answers: counted, with a deadline each. */
const exchanges = (options: ListenerOptions, handler: Handler) => {
  const { requestTimeoutMs, bodyTimeoutMs } = options
  const settings = { peerOf: peers(), addressOf: clientAddress(options.trustProxy), bodyTimeoutMs }
  const { finish, finishUnread } = createAnswers()
  const waiting = places(options)

  /** Reads and checks the head; answers and gives null where it is refused. */
  const accept = (res: HttpResponse, req: HttpRequest, method?: string): UwsRequest | null => {
    const head = headOf(req, method)
    const fault = faultOf(head)
    if (fault === 0) return new UwsRequest(head, res, settings)
    finishUnread(res, bare(fault))
    return null
  }

  const onRequest = (res: HttpResponse, req: HttpRequest, method?: string) => {
    const request = accept(res, req, method)
    if (!request) return
    const bytesLeft = request.bytesLeft()
    if (waiting.areFull(bytesLeft)) return finish(request, bare(503))
    let answer: Response | Promise<Response>
    try {
      answer = handler(request)
    } catch (error) {
      answer = answerTo(error)
    }
    if (answer instanceof Promise) later(request, answer, waiting.take(bytesLeft))
    else finish(request, answer)
  }

  const later = (request: UwsRequest, promise: Promise<Response>, leave: Leave) => {
    const { res } = request
    request.keep()
    let isOver = false
    const over = () => {
      if (isOver) return false
      isOver = true
      leave()
      clearTimeout(timer)
      return true
    }
    const settle = (answer: Response) => {
      if (over()) res.cork(() => finish(request, answer))
    }
    const timer = setTimeout(() => {
      settle(bare(503))
      request.abort()
    }, requestTimeoutMs)
    res.onAborted(() => {
      if (over()) request.abort()
    })
    promise.then(settle, (error: unknown) => settle(answerTo(error)))
  }
  return { accept, finish, onRequest }
}
