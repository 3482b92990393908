// A browser that subscribed, and the push service it subscribed at: on loopback, for tests.
import { createDecipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { Agent } from 'node:https'
import { connect, type AddressInfo } from 'node:net'
import type { PushSubscription } from './index.ts'

export const browser = (endpoint = 'https://push.example/send/1') => {
  const pair = createECDH('prime256v1')
  pair.generateKeys()
  const auth = randomBytes(16)
  const subscription: PushSubscription = {
    endpoint,
    keys: { p256dh: pair.getPublicKey().toString('base64url'), auth: auth.toString('base64url') },
  }
  /** As RFC 8291 says a browser reads it, on its own. */
  const read = (record: Buffer): string => {
    const [salt, theirs] = [record.subarray(0, 16), record.subarray(21, 86)]
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), pair.getPublicKey(), theirs])
    const secret = Buffer.from(hkdfSync('sha256', pair.computeSecret(theirs), auth, info, 32))
    const key = Buffer.from(hkdfSync('sha256', secret, salt, 'Content-Encoding: aes128gcm\0', 16))
    const nonce = Buffer.from(hkdfSync('sha256', secret, salt, 'Content-Encoding: nonce\0', 12))
    const decipher = createDecipheriv('aes-128-gcm', key, nonce)
    decipher.setAuthTag(record.subarray(-16))
    const text = Buffer.concat([decipher.update(record.subarray(86, -16)), decipher.final()])
    return text.subarray(0, -1).toString()
  }
  return { subscription, read }
}

export type PushAsked = { url: string; headers: IncomingHttpHeaders; body: Buffer }
/** How it answers next, a path of its own perhaps otherwise; status 0: not at all. */
export type PushAnswer = { status: number; headers?: Record<string, string>; at?: Record<string, number> }

/** The agent leads every connection to it, whatever its name. */
export const openPushService = async (answering: PushAnswer) => {
  const asked: PushAsked[] = []
  const server = createServer(async (request, answer) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    asked.push({ url: request.url!, headers: request.headers, body: Buffer.concat(chunks) })
    // Never ended: nobody should wait for the rest.
    const status = answering.at?.[request.url!] ?? answering.status
    if (status !== 0) answer.writeHead(status, answering.headers).write('x'.repeat(100_000))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const agent = new Agent()
  agent.createConnection = () => connect((server.address() as AddressInfo).port, '127.0.0.1')
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { asked, answering, agent, close }
}
