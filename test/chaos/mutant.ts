// Loaded into a node with --import: one piece of its source is another from then on. So a guarantee can be switched off to
// see the test fail, and the product need not know. A node whose source does not have the piece does not start.
import { registerHooks } from 'node:module'

export type Mutation = { file: string; from: string; to: string }
/** What a node says when it runs changed source. */
export const CHANGED = 'mutant: changed'

export const MUTATIONS = {
  /** Two messages may have one number: whoever wrongly thinks he is the owner is not stopped any more. */
  fencing: {
    file: '/services/chat/messages.ts',
    from: "bySeq: { keys: ['conversation', 'seq'], unique: true }",
    to: "bySeq: { keys: ['conversation', 'seq'], unique: false }",
  },
} as const satisfies Record<string, Mutation>

const name = process.env['CHAOS_MUTANT']
if (name !== undefined) {
  const { file, from, to } = MUTATIONS[name as keyof typeof MUTATIONS]
  registerHooks({
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context)
      if (!url.endsWith(file)) return loaded
      const source = String(loaded.source)
      if (source.split(from).length !== 2) throw new Error(`mutant: ${file} does not have ${from} once`)
      console.error(`${CHANGED} ${file}`)
      return { ...loaded, source: source.replace(from, to) }
    },
  })
}
