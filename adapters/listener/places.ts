// How many requests may wait for their answers: those that bring a body, which is kept, and those that do not, apart.
import type { ListenerOptions } from './index.ts'

/** Gives its place back, once. */
export type Leave = () => void

export const places = ({ requestsMax, bodylessMax = requestsMax }: ListenerOptions) => {
  const bodies = { taken: 0, max: requestsMax }
  const bodyless = { taken: 0, max: bodylessMax }
  const of = (bytesLeft: number) => (bytesLeft > 0 ? bodies : bodyless)
  return {
    areFull: (bytesLeft: number): boolean => of(bytesLeft).taken >= of(bytesLeft).max,
    take: (bytesLeft: number): Leave => {
      const row = of(bytesLeft)
      row.taken += 1
      return () => {
        row.taken -= 1
      }
    },
  }
}
