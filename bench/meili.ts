// The Meilisearch that MEILI_URL and MEILI_KEY name, with an index of the measurement's own, dropped when it is over.
import type { Engine } from '../adapters/engine/index.ts'

export type Peer = { engine: Engine; drop(): Promise<void> }

export const openMeili = async (name: string): Promise<Peer | null> => {
  const url = process.env['MEILI_URL']
  if (!url) return null
  const key = process.env['MEILI_KEY'] ?? ''
  const [{ openMeilisearchEngine }, { Meilisearch }] = await Promise.all([
    import('../adapters/engine/meilisearch.ts'),
    import('meilisearch'),
  ])
  const index = `${name}_${process.pid}`
  const log = { info() {}, warn: console.warn, error: console.error }
  const engine = await openMeilisearchEngine({ url, key, index, log })
  return {
    engine,
    async drop() {
      await engine.close()
      const client = new Meilisearch({ host: url, ...(key && { apiKey: key }) })
      await Promise.all([index, `${index}_gone`].map((uid) => client.deleteIndex(uid)))
    },
  }
}
