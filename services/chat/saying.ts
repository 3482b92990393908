// Saying something: what is said is looked at, then it goes to the sequencer.
import type { Call } from '../../mixins/node.ts'
import { refuse } from '../errors.ts'
import { mediaIdIn } from '../media/contract.ts'
import { judge } from '../moderation/contract.ts'
import { attached, spoken } from './conversation.ts'
import type { Handlers } from './parts.ts'
import type { Sender } from './sending.ts'
import type { Suspicions } from './suspicions.ts'

export const saying = (sequencer: Sender, suspicions: Suspicions): Handlers<'send'> => ({
  send: async ({ params, caller, meta, call, deadlineAt }) => {
    const { id: conversation, clientId } = params
    const sender = caller.id
    const judgement = judge(spoken(params.text))
    const { text, outcome, masked } = judgement
    const attachments = params.attachments ? await storedOnes(attached(params.attachments), call) : []
    const draft = {
      conversation,
      sender,
      clientId,
      text,
      attachments,
      deadlineAt,
      ...(masked && { masked }),
      ...(outcome === 'hold' && { held: true as const }),
    }
    const { message, known } = await sequencer.send(
      draft,
      outcome === 'pass' ? undefined : (id) => suspicions.note({ id, conversation, sender }, judgement),
    )
    if (known) meta.$statusCode = 200
    return message
  },
})

/** An attachment that names a stored file must be one. */
const storedOnes = async (attachments: string[], call: Call): Promise<string[]> => {
  const named = attachments.flatMap((one, at) => {
    const id = mediaIdIn(one)
    return id === null ? [] : [{ id, at }]
  })
  if (named.length === 0) return attachments
  const { known } = await call('media.known', { ids: named.map(({ id }) => id) })
  const unknown = named.find((_, index) => !known[index])
  if (unknown)
    throw refuse('validation_failed', 'there is no such file', {
      errors: [{ path: `attachments.${unknown.at}`, message: 'is no file that was stored here' }],
    })
  return attachments
}
