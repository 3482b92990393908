// Source changed while it is loaded, piece by piece, so that a guarantee can be switched off to see a test fail and the
// product need not know. A process whose source does not have a piece once does not start.
import { registerHooks } from 'node:module'

export type Piece = { file: string; from: string; to: string }

/** From now on; told of each file that was changed. */
export const mutate = (pieces: readonly Piece[], changed: (file: string) => void = () => undefined): void =>
  void registerHooks({
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context)
      const own = pieces.filter(({ file }) => url.endsWith(file))
      if (own.length === 0) return loaded
      const source = own.reduce((text, { file, from, to }) => {
        if (text.split(from).length !== 2) throw new Error(`mutant: ${file} does not have ${from} once`)
        return text.replace(from, () => to)
      }, String(loaded.source))
      changed(url)
      return { ...loaded, source }
    },
  })

/** What a node of a chaos run says when it runs changed source. */
export const CHANGED = 'mutant: changed'
export const sayChanged = (file: string): void => console.error(`${CHANGED} ${file}`)
