// Offers in a conversation: each is one message in the seller's name, numbered like any other, that shows its status as it
// changes; id and seq stay. The offer actor says every change durably, so this may be told twice and never not at all.
import { refuse } from '../errors.ts'
import type { OfferCard } from '../offer/contract.ts'
import { isBlocked } from './blocking.ts'
import { conversations, otherOf } from './conversation.ts'
import { messages, publicMessage, type MessageDoc } from './messages.ts'
import type { Chat, Handlers } from './parts.ts'
import type { Sender } from './sending.ts'

/** How often a changed offer looks again after losing its write. */
const CHANGE_TRIES = 8

export const offering = (chat: Chat, sequencer: Sender): Handlers<'partner' | 'showOffer'> => {
  const { documents } = chat
  return {
    partner: async ({ params: { id, user } }) => {
      const conversation = await documents.get(conversations, id)
      if (!conversation?.members.includes(user)) return null
      const other = otherOf(conversation, user)
      return { id: other, blocked: await isBlocked(documents, user, other) }
    },
    showOffer: async ({ params: { id, seller, card }, deadlineAt }) => {
      const { message, known } = await sequencer.send({
        conversation: id,
        sender: seller,
        clientId: `offer:${card.id}`,
        // Whoever knows nothing of offers reads what it is about.
        text: card.title,
        attachments: [],
        offer: card,
        deadlineAt,
      })
      if (known) await retell(chat, message, card)
      return {}
    },
  }
}

/** Stores the status it has now, then says it: again where a crash may have come in between. */
const retell = async ({ documents, tell }: Chat, first: MessageDoc, card: OfferCard): Promise<void> => {
  const conversation = await documents.get(conversations, first.conversation)
  for (let attempt = 0; attempt < CHANGE_TRIES; attempt++) {
    const found = await documents.get(messages, first.id)
    // An open one changes once; what is over stays as it is.
    if (!found?.offer || card.status === 'open') return
    const isNews = found.offer.status === 'open'
    const shown = isNews ? { ...found, offer: card, version: found.version + 1 } : found
    if (isNews && !(await documents.replace(messages, shown, found.version)).ok) continue
    return tell(conversation?.members ?? [], 'message.edited', publicMessage(shown))
  }
  throw refuse('overloaded', 'this message is being changed too often', { retryAfterSeconds: 1 })
}
