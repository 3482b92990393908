// Moves at the same moment, over the running services: whatever two of them, it is as if one had come first.
import test from 'ava'
import { as, BODIES, codeOf, MOVES, openLife, PEOPLE, usd, type Life, type Path, type Who } from '../../test/living.ts'

let life: Life
test.before(async () => {
  life = await openLife()
})
test.after.always(() => life?.stop())

type Ask = { name: string; go: Path }

/** Every move somebody may take where the order is, and what an admin may decide. */
const possible = async (id: string): Promise<Ask[]> => {
  const { node, by, giveBack, resolve } = life
  const moves: Ask[] = []
  for (const who of ['buyer', 'seller'] as const satisfies Who[]) {
    const { allowedActions } = await node.call('order.get', { id }, as(who))
    for (const move of allowedActions.filter((action) => MOVES.has(action) && !PROVIDERS.has(action))) {
      // A party answers what is proposed, and proposes with a body of its own.
      const agrees = who === 'buyer' && ['extend', 'refund-offer'].includes(move)
      moves.push({ name: `${who} ${move}`, go: by(who, move, agrees ? {} : BODIES[move]) })
    }
  }
  const { status, dispute } = await life.read(id)
  if (status === 'disputed' && dispute) moves.push({ name: 'admin splits', go: resolve(1000) })
  if (['in_progress', 'delivered', 'completed'].includes(status))
    moves.push({ name: 'admin gives back all', go: giveBack(5575) })
  return moves
}
/** Moves that wait for the provider before they are one step of the order. */
const PROVIDERS = new Set(['pay', 'tip', 'extras'])

/** All that an order came to, whoever moved it when. */
const outcome = async (id: string, codes: Record<string, string>) => {
  const { status, revisionsLeft, refunded, cancelProposedBy, extensionProposed, refundOffered, dispute } =
    await life.read(id)
  return {
    codes,
    status,
    revisionsLeft,
    refunded: refunded?.amount ?? 0,
    proposals: [cancelProposedBy, extensionProposed?.days, refundOffered?.amount.amount],
    dispute: [dispute?.openedBy, dispute?.status],
    events: (await life.timeline(id)).map(({ type, actor }) => `${type} by ${actor.role}`).filter(isDecided),
    held: await life.owed(`escrow:${id}`),
  }
}
/** When the provider has sent a refund is not the parties' doing. */
const isDecided = (event: string) => !event.startsWith('refunded ')

const inTurn = async (id: string, asks: readonly Ask[]) => {
  const codes: Record<string, string> = {}
  for (const { name, go } of asks) codes[name] = await codeOf(go(id))
  return outcome(id, codes)
}
const atOnce = async (id: string, asks: readonly Ask[]) => {
  const codes: Record<string, string> = {}
  await Promise.all(asks.map(async ({ name, go }) => (codes[name] = await codeOf(go(id)))))
  return outcome(id, codes)
}

const PLACES: Record<string, (life: Life) => Path[]> = {
  'at work': ({ paid }) => [paid],
  'at work, with proposals of the seller': ({ paid, by }) => [
    paid,
    by('seller', 'extend'),
    by('seller', 'refund-offer'),
    by('seller', 'cancel'),
  ],
  delivered: ({ delivered }) => delivered,
  'delivered, with a proposal to cancel': ({ delivered, by }) => [...delivered, by('seller', 'cancel')],
  completed: ({ delivered, by }) => [...delivered, by('buyer', 'accept')],
  disputed: ({ disputed }) => disputed,
  'a contested dispute': ({ disputed, by }) => [...disputed, by('seller', 'dispute/answer', { agree: false })],
}
for (const [place, wayOf] of Object.entries(PLACES))
  test.serial(`${place}: of any two moves at the same moment one comes first`, async (t) => {
    t.timeout(120_000)
    const way = wayOf(life)
    const moves = await possible(await life.at(...way))
    t.true(moves.length >= 2)
    for (const [at, one] of moves.entries())
      for (const other of moves.slice(at + 1)) {
        const serial = [
          await inTurn(await life.at(...way), [one, other]),
          await inTurn(await life.at(...way), [other, one]),
        ]
        const raced = await atOnce(await life.at(...way), (at + moves.indexOf(other)) % 2 ? [one, other] : [other, one])
        t.true(
          serial.map(text).includes(text(raced)),
          `${one.name} and ${other.name}: ${text(raced)} is neither of\n${serial.map(text).join('\n')}`,
        )
      }
    t.deepEqual((await life.node.call('order.verify', {})).problems, [])
    t.deepEqual((await life.node.call('ledger.trialBalance', {}, as('admin'))).totals, [usd(0)])
  })
const text = (outcome: { codes: Record<string, string> }) =>
  JSON.stringify({ ...outcome, codes: Object.entries(outcome.codes).sort() })

/** What must not happen twice, asked eight times at once. */
const ONCE: Record<string, { way: (life: Life) => Path[]; ask: (life: Life) => Path }> = {
  accepting: { way: ({ delivered }) => delivered, ask: ({ by }) => by('buyer', 'accept') },
  delivering: { way: ({ paid }) => [paid], ask: ({ by }) => by('seller', 'deliver') },
  'agreeing to cancel': {
    way: ({ delivered, by }) => [...delivered, by('seller', 'cancel')],
    ask: ({ by }) => by('buyer', 'cancel'),
  },
  'agreeing to a refund': {
    way: ({ paid, by }) => [paid, by('seller', 'refund-offer')],
    ask: ({ by }) => by('buyer', 'refund-offer', {}),
  },
  'deciding a dispute': { way: ({ disputed }) => disputed, ask: ({ resolve }) => resolve(1000) },
  'giving all back': { way: ({ delivered }) => delivered, ask: ({ giveBack }) => giveBack(5575) },
}
for (const [name, { way, ask }] of Object.entries(ONCE))
  test.serial(`${name} eight times at once is ${name} once`, async (t) => {
    const id = await life.at(...way(life))
    const codes = await Promise.all(Array.from({ length: 8 }, () => codeOf(ask(life)(id))))
    t.deepEqual(codes.toSorted(), [...Array<string>(7).fill('invalid_transition'), 'taken'])
  })

test.serial('one tip asked for eight times at once under one key is paid once', async (t) => {
  const { node, at, by, delivered, timeline } = life
  const id = await at(...delivered, by('buyer', 'accept'))
  const command = { id: 'one-tip', at: node.clock.now() }
  const options = { meta: { caller: PEOPLE.buyer, command }, timeoutMs: 30_000 }
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => node.call('order.tip', { id, amount: usd(1500) }, options)),
  )
  for (const { tips } of answers)
    t.deepEqual(
      tips.map(({ amount, status }) => [amount.amount, status]),
      [[1500, 'paid']],
    )
  t.is((await timeline(id)).filter(({ type }) => type === 'tipped').length, 1)
})

test.serial('what the clock does and what a person does at that moment: one of them', async (t) => {
  const { at, delivered, ask, node, timeline } = life
  const ids = await Promise.all(Array.from({ length: 6 }, () => at(...delivered)))
  const due = Date.parse((await life.read(ids.at(-1)!)).autoCompleteAt!)
  const [, ...codes] = await Promise.all([
    life.advance(due + 1000 - node.clock.now()),
    ...ids.map((id, one) => codeOf(ask(id, 'buyer', one % 2 ? 'accept' : 'dispute'))),
  ])
  for (const [one, id] of ids.entries()) {
    const ends = (await timeline(id)).filter(({ type }) => /^(accepted|auto_completed|disputed)$/.test(type))
    t.is(ends.length, 1, JSON.stringify(ends))
    t.is(codes[one] === 'taken', ends[0]!.type !== 'auto_completed')
  }
})
