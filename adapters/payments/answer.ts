// Every answer is checked for the object it should be: the SDK resolves on some error pages, and then nobody knows what
// happened.
import type Stripe from 'stripe'
import { paymentsError } from './errors.ts'
import { PaymentsError } from './index.ts'

/** The SDK's client, loaded once in the background. */
export type Client = () => Promise<Stripe>

export type Expected = { object: string; prefix?: string }

export const ask = async <T extends { object: string }>(
  client: Client,
  expected: Expected,
  call: (stripe: Stripe) => Promise<Stripe.Response<T>>,
): Promise<T> => {
  try {
    const answer = await call(await client())
    requireStatus(answer)
    requireObject(answer, expected)
    return answer
  } catch (error) {
    throw paymentsError(error)
  }
}

type Listed<T> = { object: string; data: T[]; has_more: boolean }

export const askList = async <T extends { object: string }>(
  client: Client,
  expected: Expected,
  call: (stripe: Stripe) => Promise<Stripe.Response<Listed<T>>>,
): Promise<{ data: T[]; hasMore: boolean }> => {
  const answer = await ask(client, { object: 'list' }, call)
  if (!Array.isArray(answer.data)) throw unexpected(expected)
  for (const each of answer.data) requireObject(each, expected)
  return { data: answer.data, hasMore: answer.has_more }
}

/** How far a search through the newest objects goes: pages of 100. */
export const SEARCH_PAGES_MAX = 10
export const PAGE_SIZE = 100

type PageRequest = { limit: number; starting_after?: string }

export const askAll = async <T extends { id: string; object: string }>(
  client: Client,
  expected: Expected,
  call: (stripe: Stripe, page: PageRequest) => Promise<Stripe.Response<Listed<T>>>,
): Promise<T[]> => {
  const found: T[] = []
  for (let page = 0; page < SEARCH_PAGES_MAX; page += 1) {
    const last = found.at(-1)?.id
    const { data, hasMore } = await askList(client, expected, (stripe) =>
      call(stripe, { limit: PAGE_SIZE, ...(last !== undefined && { starting_after: last }) }),
    )
    found.push(...data)
    if (!hasMore || data.length === 0) return found
  }
  // An incomplete search must never pass for "not there".
  throw new PaymentsError(
    'unknown',
    'search_incomplete',
    `More than ${SEARCH_PAGES_MAX * PAGE_SIZE} objects to look through.`,
  )
}

export const requireObject = (value: unknown, expected: Expected): void => {
  const { object, id } = (value ?? {}) as { object?: unknown; id?: unknown }
  const hasId = expected.prefix === undefined || (typeof id === 'string' && id.startsWith(expected.prefix))
  if (object !== expected.object || !hasId) throw unexpected(expected)
}

const requireStatus = (answer: { lastResponse?: { statusCode?: number } }): void => {
  const status = answer.lastResponse?.statusCode ?? 0
  if (status < 200 || status > 299)
    throw new PaymentsError('unknown', 'unexpected_status', `The provider answered with status ${status}.`)
}

const unexpected = (expected: Expected): PaymentsError =>
  new PaymentsError(
    'unknown',
    'unexpected_answer',
    `The provider's answer is not the ${expected.object} that was asked for.`,
  )
