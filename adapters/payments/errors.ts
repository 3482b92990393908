// Which class each failure of the provider belongs to. The caller's retry rule hangs on the class alone, so this table
// is the whole policy: a code first, then what kind of failure it was, and everything else is an unknown outcome.
import { PaymentsError } from './index.ts'

type Kind = PaymentsError['kind']

/** What the SDK's errors carry; anything else that was thrown has none of it. */
type Failure = { type?: string; rawType?: string; code?: string; param?: string; statusCode?: number; message?: string }

const BY_CODE: Record<string, Kind> = {
  rate_limit: 'rate',
  lock_timeout: 'rate',
  idempotency_key_in_use: 'in_use',
  balance_insufficient: 'definitive_later',
  insufficient_funds: 'definitive_later',
  account_closed: 'definitive',
  account_invalid: 'definitive',
  amount_too_large: 'definitive',
  amount_too_small: 'definitive',
  bank_account_unusable: 'definitive',
  charge_already_refunded: 'definitive',
  charge_disputed: 'definitive',
  charge_exceeds_source_limit: 'definitive',
  country_unsupported: 'definitive',
  email_invalid: 'definitive',
  insufficient_capabilities_for_transfer: 'definitive',
  no_account: 'definitive',
  payment_intent_unexpected_state: 'definitive',
  payment_method_unactivated: 'definitive',
  payouts_limit_exceeded: 'definitive_later',
  payouts_not_allowed: 'definitive',
  refund_disputed_payment: 'definitive',
  resource_missing: 'definitive',
  transfers_not_allowed: 'definitive',
}

const BY_STATUS: Record<number, Kind> = {
  400: 'bug',
  401: 'bug',
  402: 'definitive',
  403: 'bug',
  404: 'definitive',
  409: 'in_use',
  429: 'rate',
}

export const paymentsError = (thrown: unknown): PaymentsError => {
  if (thrown instanceof PaymentsError) return thrown
  const failure = (thrown ?? {}) as Failure
  const error = new PaymentsError(
    kindOf(failure),
    failure.code ?? failure.rawType ?? failure.type ?? 'no_answer',
    String(failure.message ?? thrown),
  )
  error.cause = thrown
  return error
}

const kindOf = (failure: Failure): Kind => {
  const status = failure.statusCode ?? 0
  // Without a whole answer, or with a server's failure, it may or may not have run, whatever the code says.
  if (status === 0 || status >= 500) return 'unknown'
  if (failure.code !== undefined && Object.hasOwn(BY_CODE, failure.code)) return BY_CODE[failure.code] as Kind
  // More than what is left to refund or reverse is refused without a code.
  if (status === 400 && failure.param === 'amount' && failure.code === undefined) return 'definitive'
  return BY_STATUS[status] ?? 'unknown'
}
