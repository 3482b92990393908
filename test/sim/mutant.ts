// Loaded with --import: a guarantee of the money code is switched off by changing one piece of its source, so that the
// simulation can be seen to notice. A piece that is not there once is an error.
import { registerHooks } from 'node:module'

const piece = (file: string, from: string, to: string) => ({ file, from, to })
export const MUTATIONS = {
  'random key per retry': [
    piece(
      '/services/payment/operation.ts',
      'key: `${doc.id}:${name}:${attempt}`',
      'key: `${doc.id}:${name}:${Math.random()}`',
    ),
  ],
  'timeout treated as failure': [
    piece('/adapters/payments/errors.ts', "status >= 500) return 'unknown'", "status >= 500) return 'definitive'"),
  ],
  'entries without dedupe': [
    piece('/services/ledger/decision.ts', "if (known.has(entry.id) || accepted.has(entry.id)) return 'known'", ''),
  ],
  'same key after a refusal': [
    piece('/services/payment/operation.ts', "...(verdict.action === 'renew' && { renew: true as const }),", ''),
  ],
  'random key per retry, without looking': [
    piece(
      '/services/payment/operation.ts',
      'key: `${doc.id}:${name}:${attempt}`',
      'key: `${doc.id}:${name}:${Math.random()}`',
    ),
    piece('/services/payment/operation.ts', "before?.name === name && before.state !== 'settled' &&", 'false &&'),
  ],
  'new key without looking': [
    piece('/services/payment/operation.ts', "before?.name === name && before.state !== 'settled' &&", 'false &&'),
  ],
  'two reserves from a stale read': [
    piece('/services/ledger/postings.ts', 'guard: [`available:${seller}`],', 'guard: [],'),
    piece('/services/payout/item.ts', "byOpen: { keys: ['openOf'], unique: true }", "byOpen: { keys: ['openOf'] }"),
  ],
} as const
const name = process.env['SIM_MUTANT']
if (name !== undefined)
  registerHooks({
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context)
      let source: string | null = null
      for (const { file, from, to } of MUTATIONS[name as keyof typeof MUTATIONS]) {
        if (!url.endsWith(file)) continue
        source ??= String(loaded.source)
        if (source.split(from).length !== 2) throw new Error(`mutant: ${file} does not have ${from} once`)
        source = source.replace(from, () => to)
      }
      return source === null ? loaded : { ...loaded, source }
    },
  })
