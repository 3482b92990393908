// The indexes as they are to be: made when missing, their settings brought up to date.
import type { Meilisearch } from 'meilisearch'
import { MeilisearchRequestError } from 'meilisearch'
import { Refused } from './http.ts'
import { ensureSettings, GIG_SETTINGS, GONE_SETTINGS } from './settings.ts'
import { tasksDone } from './tasks.ts'
import type { Uids } from './writer.ts'

export type Synonyms = Record<string, string[]>

/** Answers whether the gigs' index had to be made. */
export const ensureIndexes = async (
  client: Meilisearch,
  { gigs, gone }: Uids,
  synonyms: Synonyms,
): Promise<boolean> => {
  const isNew = await ensureIndex(client, gigs)
  await ensureIndex(client, gone)
  const tasks = await Promise.all([
    ensureSettings(client, gigs, GIG_SETTINGS),
    ensureSettings(client, gone, GONE_SETTINGS),
    ensureSynonyms(client, gigs, synonyms),
  ])
  await tasksDone(
    client,
    tasks.filter((task) => task !== null),
  )
  return isNew
}

const ensureIndex = async (client: Meilisearch, uid: string): Promise<boolean> => {
  try {
    await client.getRawIndex(uid)
    return false
  } catch (error) {
    const isMissing =
      error instanceof MeilisearchRequestError && error.cause instanceof Refused && error.cause.status === 404
    if (!isMissing) throw error
  }
  // Another node may make it at the same moment: whose task comes second fails, and the index is there.
  const { taskUid } = await client.createIndex(uid, { primaryKey: 'id' })
  await tasksDone(client, [taskUid]).catch(() => client.getRawIndex(uid))
  return true
}

/** Replaces them where they differ; an update would keep the words that are gone. */
export const ensureSynonyms = async (client: Meilisearch, uid: string, wanted: Synonyms): Promise<number | null> => {
  const present = await client.index(uid).getSynonyms()
  if (plain(present) === plain(wanted)) return null
  return (await client.index(uid).updateSynonyms(wanted)).taskUid
}

const plain = (synonyms: Readonly<Record<string, readonly string[]>>) =>
  JSON.stringify(
    Object.entries(synonyms)
      .map(([word, others]) => [word, others.toSorted()])
      .toSorted(),
  )

export const dropIndexes = async (client: Meilisearch, { gigs, gone }: Uids): Promise<void> => {
  const tasks = await Promise.all([gigs, gone].map((uid) => client.deleteIndex(uid)))
  // One that never was is as gone as one that was.
  for (const { taskUid } of tasks) await tasksDone(client, [taskUid]).catch(() => undefined)
}
