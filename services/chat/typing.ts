// Typing: told to the other member as it happens, kept nowhere.
import { hearersOf, mustBelong } from './conversation.ts'
import type { Pacing } from './pacing.ts'
import type { Chat, Handlers } from './parts.ts'

export const typing = ({ mine }: Chat, pacing: Pacing): Handlers<'typing'> => ({
  typing: async ({ params: { id }, caller }) => {
    const conversation = mustBelong(await mine(id, caller), caller.id)
    const others = hearersOf(conversation, caller.id).filter((member) => member !== caller.id)
    if (others.length > 0) pacing.typing(id, caller.id, others)
    return {}
  },
})
