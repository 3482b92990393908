// Stands between a client and a provider for tests, and writes down what goes by.
import { createServer, request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Recorded = {
  method: 'GET' | 'POST'
  path: string
  form: URLSearchParams
  /** The connected account it acts on. */
  account: string
  status: number
  body: unknown
}
export type Recorder = { port: number; recorded: Recorded[]; close(): void }

const read = async (message: IncomingMessage): Promise<Buffer> => {
  const parts: Buffer[] = []
  for await (const part of message as AsyncIterable<Buffer>) parts.push(part)
  return Buffer.concat(parts)
}

export const openRecorder = async (target: { port: number }): Promise<Recorder> => {
  const recorded: Recorded[] = []
  const server = createServer((asked, response) => {
    void read(asked).then((sent) => {
      const { method, url = '/', headers } = asked
      const onward = request({ host: '127.0.0.1', port: target.port, method, path: url, headers }, (answer) => {
        void read(answer).then((body) => {
          const { pathname, searchParams } = new URL(url, 'http://127.0.0.1')
          recorded.push({
            method: method as Recorded['method'],
            path: pathname,
            form: method === 'POST' ? new URLSearchParams(sent.toString()) : searchParams,
            account: String(headers['stripe-account'] ?? ''),
            status: answer.statusCode ?? 0,
            body: JSON.parse(body.toString()) as unknown,
          })
          response.writeHead(answer.statusCode ?? 502, answer.headers).end(body)
        })
      })
      onward.on('error', () => response.destroy())
      onward.end(sent)
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    recorded,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
