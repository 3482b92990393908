// Loaded into a node with --import: a guarantee of chat is switched off in it.
import { mutate, sayChanged, type Piece } from '../mutation.ts'

const MUTATIONS = {
  /** Two messages may have one number: whoever wrongly thinks he is the owner is not stopped any more. */
  fencing: {
    file: '/services/chat/messages.ts',
    from: "bySeq: { keys: ['conversation', 'seq'], unique: true }",
    to: "bySeq: { keys: ['conversation', 'seq'], unique: false }",
  },
} as const satisfies Record<string, Piece>

const name = process.env['CHAOS_MUTANT']
if (name !== undefined) mutate([MUTATIONS[name as keyof typeof MUTATIONS]], sayChanged)
