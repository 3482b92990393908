// Typing: told to the other member as it happens, kept nowhere.
import { isBlocked } from './blocking.ts'
import { otherOf } from './conversation.ts'
import type { Chat, Handlers } from './parts.ts'

export const typing = ({ documents, mine, tell }: Chat): Handlers<'typing'> => ({
  typing: async ({ params, caller }) => {
    const conversation = await mine(params.id, caller)
    const other = otherOf(conversation, caller.id)
    if (!(await isBlocked(documents, caller.id, other)))
      tell([other], 'typing', { conversation: conversation.id, user: caller.id })
    return {}
  },
})
