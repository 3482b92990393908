// Blocking: who blocked a person takes no messages from them and sees nothing of them.
import type { Documents } from '../../adapters/documents/index.ts'
import { refuse } from '../errors.ts'
import { blocks, rowId } from './inbox.ts'
import type { Chat, Handlers } from './parts.ts'

export const isBlocked = async (documents: Documents, from: string, by: string): Promise<boolean> =>
  (await documents.get(blocks, rowId(by, from))) !== null

export const blocking = ({ documents, now }: Chat): Handlers<'block'> => ({
  block: async (ctx) => {
    const { id: blocked } = ctx.params
    if (blocked === ctx.caller.id) throw refuse('validation_failed', 'nobody blocks themselves')
    const [card] = await ctx.call('account.cards', { ids: [blocked] })
    if (!card) throw refuse('not_found', 'there is no such person')
    await documents.insert(blocks, {
      id: rowId(ctx.caller.id, blocked),
      version: 1,
      blocker: ctx.caller.id,
      blocked,
      at: now(),
    })
    return { blocked: true }
  },
})
