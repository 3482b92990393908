// What the demo accounts have been up to: a talk, and three orders in different places of their life, made by the actions
// themselves. Told again after a crash, it goes on where it was.
import type { Call, Command } from '../../../mixins/node.ts'
import { refusal } from '../../errors.ts'
import type { Caller } from '../../shapes.ts'
import { demoAccounts } from './accounts.ts'
import { gigId } from './gigs.ts'

const [buyer, seller] = demoAccounts.map(({ id, username, roles }): Caller => ({
  id,
  username,
  roles,
  sessionId: 'ses_demo',
})) as [Caller, Caller, Caller]

const TALK: readonly (readonly [Caller, string])[] = [
  [buyer, 'Hello! I saw your gig. Could you do something like it for a small bakery?'],
  [seller, 'Gladly. Is there a style you like, or colours you already use?'],
  [buyer, 'Warm colours, hand-drawn, nothing too polished. We open in three weeks.'],
  [seller, 'That is plenty of time. Order the basic package and tell me the name in the requirements.'],
  [buyer, 'Done, thank you!'],
]

export const tellStory = async (call: Call, now: number): Promise<void> => {
  await call('payment.onboard', { user: seller.id, email: `${seller.username}@demo.test`, country: 'US' })
  const conversation = await call('chat.open', { with: seller.id, gig: gigId(0) }, { meta: { caller: buyer } })
  for (const [at, [caller, text]] of TALK.entries())
    await call('chat.send', { id: conversation.id, clientId: `demo-${at}`, text }, { meta: { caller } })
  await orderUpTo(call, 0, 'reviewed', now)
  await orderUpTo(call, 1, 'delivered', now)
  await orderUpTo(call, 2, 'in_progress', now)
}

const STAGES = ['in_progress', 'delivered', 'completed', 'reviewed'] as const
type Stage = (typeof STAGES)[number]

/** One order of the seller's n-th gig, as far as it should go. */
const orderUpTo = async (call: Call, number: number, stage: Stage, now: number): Promise<void> => {
  const command: Command = { id: `demo-order-${number}`, at: now }
  const as = (caller: Caller) => ({ meta: { caller }, timeoutMs: 15_000 })
  const { id, requirements } = await call(
    'order.place',
    { gig: gigId(number), package: 'basic' },
    { meta: { caller: buyer, command } },
  )
  const reached = STAGES.indexOf(stage)
  await unlessDone(() => call('order.pay', { id, paymentMethod: 'pm_card_visa' }, as(buyer)))
  const answers = requirements.map((asked) => ({ id: asked.id, answer: 'Crumbs, a small bakery by the harbour.' }))
  if (answers.length > 0) await unlessDone(() => call('order.requirements', { id, answers }, as(buyer)))
  if (reached >= 1)
    await unlessDone(() =>
      call('order.deliver', { id, message: 'Here is the first version. I hope you like it!' }, as(seller)),
    )
  if (reached >= 2) await unlessDone(() => call('order.accept', { id }, as(buyer)))
  if (reached >= 3) {
    await unlessDone(() => call('review.create', { id, rating: 5, text: 'Lovely work, and a day early.' }, as(buyer)))
    await unlessDone(() =>
      call('review.create', { id, rating: 5, text: 'Clear brief, quick answers. A pleasure.' }, as(seller)),
    )
  }
}

/** A step taken before is refused now; that is as good. */
const unlessDone = async (step: () => Promise<unknown>): Promise<void> => {
  try {
    await step()
  } catch (error) {
    if (!['invalid_transition', 'conflict'].includes(refusal(error)?.code ?? '')) throw error
  }
}
