// Loaded with --import: a guarantee of the money code is switched off, so that the simulation can be seen to notice.
import { mutate, type Piece } from '../mutation.ts'

const piece = (file: string, from: string, to: string): Piece => ({ file, from, to })
const operation = (from: string, to: string) => piece('/services/payment/operation.ts', from, to)

const RANDOM_KEY = operation('key: `${doc.id}:${name}:${attempt}`', 'key: `${doc.id}:${name}:${Math.random()}`')
const NO_LOOKING = operation("before?.name === name && before.state !== 'settled' &&", 'false &&')

/** The planted bugs of the reference first, by the names it gives them. */
export const MUTATIONS = {
  'random key per retry': [RANDOM_KEY, NO_LOOKING],
  'timeout treated as failure': [
    piece('/adapters/payments/errors.ts', "status >= 500) return 'unknown'", "status >= 500) return 'definitive'"),
  ],
  'webhook without dedupe': [
    piece('/services/payment/charge.ts', 'if (isOver(doc)) return { next: doc, say: [] }', ''),
    piece('/services/order/moves/paying.ts', 'if (order.paidAt !== null) return null', ''),
  ],
  'same key after a definitive error': [operation("...(verdict.action === 'renew' && { renew: true as const }),", '')],
  'new key without looking first': [NO_LOOKING],
  'trusting webhook order': [
    piece('/test/sim/market.ts', 'import { newDisbursement }', 'import { applied, newDisbursement }'),
    piece(
      '/test/sim/market.ts',
      '(event) => hearWebhook(event),',
      `(event, snapshot) => {
        const apply = (state, now) => ({ ...applied(state, snapshot, now), result: null })
        snapshot ? here.later(0, 'snapshot of ' + event.op, () => book.turn(event.op, apply)) : hearWebhook(event)
      },`,
    ),
    piece(
      '/services/payment/disbursement.ts',
      "if (doc.state !== 'transferred' && doc.state !== 'sent' && doc.state !== 'paid') return { next: doc, say: [] }",
      "if (doc.state === 'returned' || (doc.state === 'failed' && payout.status !== 'paid')) return { next: doc, say: [] }",
    ),
    piece('/services/payout/item.ts', "hasFailed ? moved : step(send(moved), 'paid',", "step(send(moved), 'paid',"),
  ],
  'no freeze during a dispute': [
    piece(
      '/services/order/moves/disputing.ts',
      'const { clearsAt, tips } = shifted(order, now - order.dispute!.openedAt)',
      'const { clearsAt, tips } = order',
    ),
  ],
  'no freeze during a chargeback': [
    piece('/services/order/timing.ts', "=> typeof frozenAt === 'number'", '=> frozenAt === undefined && false'),
  ],
  'two runners on a stale read': [
    piece('/services/ledger/postings.ts', 'guard: [`available:${seller}`],', 'guard: [],'),
    piece('/services/payout/item.ts', "byOpen: { keys: ['openOf'], unique: true }", "byOpen: { keys: ['openOf'] }"),
  ],
  'no version check': [piece('/test/sim/memory.ts', 'version !== (state?.version ?? 0)', 'false')],
  // ---- what came since
  'entries without dedupe': [
    piece('/services/ledger/decision.ts', "if (known.has(entry.id) || accepted.has(entry.id)) return 'known'", ''),
  ],
  'commands not remembered': [
    piece('/services/order/moves/taking.ts', 'command ? remembering(order, command) : order', 'order'),
  ],
  'release forgets refunds': [
    piece(
      '/services/order/moves/working.ts',
      'sharesOf(price, policy, goneOf(order))',
      'sharesOf(price, policy, 0 * goneOf(order))',
    ),
  ],
  'clearing forgets refunds': [
    piece(
      '/services/order/moves/waking.ts',
      'sharesOf(price, policy, goneOf(order))',
      'sharesOf(price, policy, 0 * goneOf(order))',
    ),
  ],
  'refund of what has cleared taken from clearing': [
    piece(
      '/services/order/moves/refunding.ts',
      "from: clearedAt === null ? 'clearing' : 'available'",
      "from: 'clearing'",
    ),
  ],
  'split forgets what the buyer got': [
    piece('/services/order/moves/disputing.ts', 'settled({ ...order, ...given.change }, now)', 'settled(order, now)'),
  ],
  'late payment kept': [
    piece(
      '/services/order/moves/paying.ts',
      'refunding(order, leftOf(order), now)',
      'refunding(order, 0 * leftOf(order), now)',
    ),
  ],
  'refund that came back forgotten': [
    piece('/services/order/moves/paying.ts', 'wasSettled: found.settled', 'wasSettled: false'),
  ],
  'tip paid twice': [
    piece('/services/payment/charge.ts', 'if (isOver(doc)) return { next: doc, say: [] }', ''),
    piece(
      '/services/order/moves/tipping.ts',
      "if (!tip || tip.status === 'paid' || tip.status === 'cleared' || tip.status === 'returned') return null",
      'if (!tip) return null',
    ),
  ],
  'withdrawn dispute gives no time back': [
    piece('/services/order/moves/disputing.ts', '...shifted(order, now - open.openedAt), ', ''),
  ],
  'nothing held during a chargeback': [
    piece('/services/order/moves/chargebacks.ts', 'held: held - before.held,', 'held: 0,'),
  ],
  'lost chargeback takes the whole price again': [
    piece('/services/order/moves/chargebacks.ts', 'const gone = Math.min(claim, leftOf(order))', 'const gone = claim'),
  ],
  'verdict believed before the money': [
    piece(
      '/services/payment/dispute.ts',
      "return taken === 0 || restored > 0 ? 'won' : null",
      "return taken === 0 || restored >= 0 ? 'won' : null",
    ),
  ],
  'refund that came back credited twice': [
    piece(
      '/services/order/moves/paying.ts',
      'const twice = Math.min(found.amount, writtenOff)',
      'const twice = 0 * Math.min(found.amount, writtenOff)',
    ),
  ],
  'reversal not looked for': [
    piece('/services/payment/calls.ts', 'before && before.reversed >= amount.amount', 'before && before.reversed < 0'),
  ],
} as const satisfies Record<string, readonly Piece[]>
export type Mutation = keyof typeof MUTATIONS

const name = process.env['SIM_MUTANT']
if (name !== undefined) mutate(MUTATIONS[name as Mutation])
