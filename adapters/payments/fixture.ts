// What the suites of this folder share: a sandbox on a directory of its own, and the sentences of a marketplace in
// short.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { movableClock, type MovableClock } from '../clock/index.ts'
import type { Payment, Payments } from './index.ts'
import { PaymentsError } from './index.ts'
import { openSandbox, type Sandbox, type SandboxOptions } from './sandbox.ts'

export const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }
export const usd = (amount: number) => ({ amount, currency: 'usd' })
export const returnUrl = 'http://127.0.0.1/back'
export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

export type Opened = { payments: Sandbox; clock: MovableClock; file: string }

export const directory = (t: ExecutionContext): string => {
  const path = mkdtempSync(join(tmpdir(), 'gigwire-payments-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

export const open = async (
  t: ExecutionContext,
  options: Partial<SandboxOptions> & { timeoutMs?: number } = {},
): Promise<Opened> => {
  const clock = movableClock()
  const file = join(directory(t), 'provider.sqlite')
  const payments = await openSandbox({ file, clock, log: quiet, ...options })
  t.teardown(() => payments.close())
  return { payments, clock, file }
}

export const ask = (payments: Payments, amount: number, key = 'create', currency = 'usd'): Promise<Payment> =>
  payments.createPayment({ amount: { amount, currency }, metadata: { op: key }, description: 'A logo' }, key)

export const confirm = (payments: Payments, id: string, paymentMethod: string, key: string): Promise<Payment> =>
  payments.confirmPayment(id, { paymentMethod, returnUrl }, key)

export const paid = async (payments: Payments, amount: number, key = 'paid'): Promise<Payment> => {
  const payment = await ask(payments, amount, `${key}:create`)
  return confirm(payments, payment.id, 'pm_card_visa', `${key}:confirm`)
}

export const payee = async (payments: Payments, key = 'payee'): Promise<string> =>
  (await payments.createAccount({ email: 'seller@example.test', country: 'US', metadata: { onboarding: 'auto' } }, key))
    .id

/** The class and code a call is refused with. */
export const refusal = async (call: Promise<unknown>): Promise<{ kind: string; code: string }> => {
  try {
    await call
  } catch (error) {
    if (error instanceof PaymentsError) return { kind: error.kind, code: error.code }
    throw error
  }
  return { kind: 'none', code: 'none' }
}

export const until = async (holds: () => boolean | Promise<boolean>, deadlineMs = 20_000): Promise<boolean> => {
  const end = Date.now() + deadlineMs
  while (Date.now() < end) {
    if (await holds()) return true
    await new Promise((resolve) => setTimeout(resolve, 15))
  }
  return false
}

export type Received = { body: Buffer; signature: string; headers: IncomingHttpHeaders }

/** Somebody who receives webhooks and answers as `status` says. */
export const receiver = async (t: ExecutionContext, status: (count: number) => number = () => 200) => {
  const received: Received[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      received.push({
        body: Buffer.concat(parts),
        signature: String(request.headers['stripe-signature']),
        headers: request.headers,
      })
      response.writeHead(status(received.length)).end()
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const types = () => received.map(({ body }) => (JSON.parse(body.toString()) as { type: string }).type)
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, received, types }
}
