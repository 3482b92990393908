// Offers in a conversation: each is one message in the seller's name, numbered like any other, that shows its status as it
// changes; id and seq stay. The offer actor says every change durably, so this may be told twice and never not at all.
import { isRefused } from '../errors.ts'
import { changer } from './changing.ts'
import { isBlockedIn, otherOf } from './conversation.ts'
import type { Chat, Handlers } from './parts.ts'
import type { Sender, Sent } from './sending.ts'
import type { Tails } from './tails.ts'

export const offering = (chat: Chat, sequencer: Sender, tails: Tails): Handlers<'partner' | 'showOffer'> => {
  const change = changer(chat, sequencer, tails)
  return {
    partner: async ({ params: { id, user } }) => {
      // As stored: this node may not be the conversation's owner.
      const conversation = await chat.roster.read(id)
      if (!conversation?.members.includes(user)) return null
      return { id: otherOf(conversation, user), blocked: isBlockedIn(conversation, user) }
    },
    showOffer: async ({ params: { id, seller, card }, deadlineAt }) => {
      const draft = {
        conversation: id,
        sender: seller,
        clientId: `offer:${card.id}`,
        // Whoever knows nothing of offers reads what it is about.
        text: card.title,
        attachments: [],
        offer: card,
        deadlineAt,
      }
      const sent = await sequencer.send(draft).catch(nullWhenBlocked)
      // An open one changes once; what is over stays as it is.
      if (sent?.known)
        await change({ params: { id, message: sent.message.id }, deadlineAt }, (message) =>
          message.offer?.status === 'open' && card.status !== 'open' ? { ...message, offer: card } : null,
        )
      return {}
    },
  }
}

/** Blocked since it was made: the other is not shown it. */
const nullWhenBlocked = (error: unknown): Sent | null => {
  if (isRefused(error, 'forbidden')) return null
  throw error
}
