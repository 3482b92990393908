// What many ask at once is one question: everything that came in one turn of the loop, or while others were asked about.
// So a storm is few messages between nodes instead of one for each, and who asks alone waits for nobody.

/** Questions under way: what comes meanwhile is the next one. */
const QUESTIONS_AT_ONCE = 2
/** One that takes longer holds up nobody else: its node may be about to fall. */
const QUESTION_SLOW_MS = 50

export type Crowd<Q, A> = (question: Q) => Promise<A>
export type CrowdParts<Q, A> = {
  /** Answers in the order asked; NOT_NOW where one is to be asked again, which the first never is. */
  ask: (all: readonly Q[]) => Promise<readonly (A | typeof NOT_NOW)[]>
  /** Of one question. */
  most: number
}
export const NOT_NOW = Symbol('not now')

type Asked<Q, A> = { question: Q; resolve: (answer: A) => void; reject: (error: unknown) => void }

export const crowd = <Q, A>({ ask, most }: CrowdParts<Q, A>): Crowd<Q, A> => {
  let waiting: Asked<Q, A>[] = []
  let underWay = 0

  const flush = () => {
    while (waiting.length > 0 && underWay < QUESTIONS_AT_ONCE) {
      const all = waiting
      waiting = all.slice(most)
      underWay += 1
      let isCounted = true
      const next = () => {
        clearTimeout(slow)
        if (isCounted) underWay -= 1
        isCounted = false
        // Also where it was given up: some of it may have to be asked again.
        flush()
      }
      const slow = setTimeout(next, QUESTION_SLOW_MS)
      void put(all.slice(0, most)).finally(next)
    }
  }

  const put = async (all: readonly Asked<Q, A>[]): Promise<void> => {
    try {
      const answers = await ask(all.map(({ question }) => question))
      const later: Asked<Q, A>[] = []
      all.forEach((one, at) => {
        const answer = answers[at] as A | typeof NOT_NOW
        if (answer === NOT_NOW) later.push(one)
        else one.resolve(answer)
      })
      waiting = [...later, ...waiting]
    } catch (error) {
      for (const { reject } of all) reject(error)
    }
  }

  return (question) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(flush)
      waiting.push({ question, resolve, reject })
    })
}
