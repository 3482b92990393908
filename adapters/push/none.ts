// Where web push is not set up: nobody can subscribe, and nothing is sent.
import { type Push, PushError } from './index.ts'

export const noPush = (): Push => {
  const refused = () => new PushError('web push is not set up', 'never')
  return {
    publicKey: null,
    check: () => {
      throw refused()
    },
    send: () => Promise.reject(refused()),
    close: async () => undefined,
  }
}
