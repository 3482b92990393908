// Loaded into a money node with --import: a guarantee is switched off by changing pieces of its source, so that the judge can
// be seen to notice. A node whose source does not have a piece does not start.
import { registerHooks } from 'node:module'

export type Mutation = { file: string; from: string; to: string }
/** What a node says when it runs changed source. */
export const CHANGED = 'mutant: changed'

export const MUTATIONS: Record<string, readonly Mutation[]> = {
  /** Whoever wrongly thinks they are the owner is not stopped any more: the later write stands, whatever was there. */
  fencing: [
    {
      file: '/adapters/documents/sqlite-statements.ts',
      from: 'VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING`',
      to: 'VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET version = excluded.version, doc = excluded.doc`',
    },
    {
      file: '/adapters/documents/sqlite-statements.ts',
      from: 'doc = ? WHERE id = ? AND version = ?`',
      to: 'doc = ? WHERE id = ? AND ? > 0`',
    },
  ],
  /** What was sent once is sent under another key the next time, and nobody looks whether it had been done. */
  idempotency: [
    {
      file: '/services/payment/operation.ts',
      from: 'key: `${doc.id}:${name}:${attempt}`',
      to: 'key: `${doc.id}:${name}:${Math.random()}`',
    },
    {
      file: '/services/payment/operation.ts',
      from: "before?.name === name && before.state !== 'settled' &&",
      to: 'false &&',
    },
  ],
}

const name = process.env['CHAOS_MUTANT']
if (name !== undefined)
  registerHooks({
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context)
      let source: string | null = null
      for (const { file, from, to } of MUTATIONS[name]!) {
        if (!url.endsWith(file)) continue
        source ??= String(loaded.source)
        if (source.split(from).length !== 2) throw new Error(`mutant: ${file} does not have ${from} once`)
        source = source.replace(from, () => to)
      }
      if (source === null) return loaded
      console.error(`${CHANGED} ${url}`)
      return { ...loaded, source }
    },
  })
