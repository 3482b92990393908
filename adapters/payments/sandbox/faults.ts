// What goes wrong on request: a bounded table, consumed in the order of what happens. A provider misbehaves in these
// ways on its own; asking for one only chooses when.

export type FaultKind =
  /** Executed and kept, the answer cut off half way. */
  | 'answer_lost'
  /** Cut off before anything runs; the key is not used up. */
  | 'connection_lost'
  /** 429 before anything runs; the key is not used up. */
  | 'rate_limited'
  /** 409 before anything runs, as if another request with the same key were under way. */
  | 'key_in_use'
  /** 500 before anything runs; the key is not used up. */
  | 'error_not_executed'
  /** Executed, yet answered 500; the key keeps that 500. */
  | 'error_executed'
  /** 502 from something in between whose JSON is not the provider's. Nothing runs. */
  | 'bad_gateway'
  /** Executed and kept at once, answered `ms` later; the key is in use until then. */
  | 'answer_delayed'
  | 'webhook_duplicated'
  /** Delivered `ms` later than it would be, so later ones overtake it. */
  | 'webhook_delayed'
  /** `ms` on the platform's clock after the refund succeeded. */
  | 'refund_fails_later'
  /** A payment is disputed `ms` on the platform's clock after it succeeded. */
  | 'disputed_later'
  | 'payout_fails_before_paid'
  /** `ms` on the platform's clock after it was paid. */
  | 'payout_fails_after_paid'

export type Fault = {
  kind: FaultKind
  /** The operation (`transfers.create`), for webhooks the event type; absent means any. */
  on?: string
  /** How many times it strikes; 1 unless given. */
  count?: number
  /** How many matching ones pass unharmed before it. */
  skip?: number
  ms?: number
}

export const FAULTS_MAX = 1_000

export type Faults = {
  add(fault: Fault): void
  clear(): void
  /** How many strikes are still to come. */
  left(): number
  /** The fault that strikes now, used up by asking. */
  take(kinds: FaultKind[], on: string): Fault | undefined
}

type Armed = Fault & { count: number; skip: number }

export const faultTable = (): Faults => {
  let table: Armed[] = []
  return {
    add: (fault) => {
      if (table.length >= FAULTS_MAX) throw new RangeError(`at most ${FAULTS_MAX} faults may be waiting`)
      table.push({ ...fault, count: fault.count ?? 1, skip: fault.skip ?? 0 })
    },
    clear: () => {
      table = []
    },
    left: () => table.reduce((sum, fault) => sum + fault.count, 0),
    take: (kinds, on) => {
      const found = table.find((fault) => kinds.includes(fault.kind) && (fault.on === undefined || fault.on === on))
      if (!found) return undefined
      if (found.skip > 0) {
        found.skip -= 1
        return undefined
      }
      found.count -= 1
      if (found.count < 1) table = table.filter((fault) => fault !== found)
      return found
    },
  }
}
