// The platform's time. Everything that decides by time asks this and nothing else, so that a sandbox can move it.

export interface Clock {
  /** Milliseconds since the epoch, on the platform's clock. */
  now(): number
  /** How far the platform's clock is ahead of the machine's, in ms. 0 outside the sandbox. */
  offsetMs(): number
}

/** A clock that only ever moves forward: `moveTo` an earlier offset does nothing. */
export interface MovableClock extends Clock {
  moveTo(offsetMs: number): void
}

export const realClock = (): Clock => ({ now: () => Date.now(), offsetMs: () => 0 })

export const movableClock = (startOffsetMs = 0): MovableClock => {
  let offset = startOffsetMs
  return {
    now: () => Date.now() + offset,
    offsetMs: () => offset,
    moveTo: (offsetMs) => {
      if (offsetMs > offset) offset = offsetMs
    },
  }
}

export const isMovable = (clock: Clock): clock is MovableClock => 'moveTo' in clock
