// What a rule cannot decide alone about a gig: it may be honest work or not, so a person looks before anybody sees it. Pure.
import type { GigContent } from '../gig/contract.ts'
import { normal, unleeted } from './normal.ts'
import { abuseIn, doubtsIn } from './words.ts'

/** Empty: nobody has to look. */
export const doubtsAbout = (gig: GigContent): string[] => {
  const { title, description, tags, faq } = gig
  const said = [title, description, ...tags, ...faq.flatMap(({ question, answer }) => [question, answer])].join('\n')
  const plain = normal(said)
  const looks = [plain, unleeted(plain)]
  return [...new Set<string>(looks.flatMap((text) => [...doubtsIn(text), ...abuseIn(text)]))]
}
