// Messages that a rule found something about: said to moderation durably, before the message is stored.
import type { Here } from '../../mixins/service.ts'
import { actorCollection, type ActorDoc } from '../../mixins/actor.ts'
import type { Judgement } from '../moderation/contract.ts'
import type { MessageDoc } from './messages.ts'

/** Keyed by the message. Carries what is said until moderation has heard it. */
export const suspicions = actorCollection<ActorDoc>('suspicions')

export type Suspicions = {
  /** Resolves when it is certain that moderation will hear of it. A judgement that passes costs nothing. */
  note(message: Pick<MessageDoc, 'id' | 'conversation' | 'sender'>, judgement: Judgement): Promise<void>
}

export const suspecting = async (here: Here): Promise<Suspicions> => {
  const book = await here.actor<ActorDoc>({ of: suspicions })
  return {
    note: async ({ id, conversation, sender }, { outcome, reasons }) => {
      if (outcome === 'pass') return
      await book.turn(id, (state) => ({
        next: state ?? { id, version: 0, outbox: [] },
        say: [
          {
            name: 'message.suspected',
            data: { message: id, conversation, sender, outcome, reasons: [...reasons] },
          },
        ],
        result: undefined,
      }))
    },
  }
}
