// Keeps a product that does not answer out of the way: after a few failures nobody asks it any more, except one probe.

export type Breaker = {
  /** True: ask the product. */
  closed(): boolean
  worked(): void
  failed(): void
  /** Opens at once: the product is known to be gone. */
  trip(): void
  /** Probes now instead of after the pause: there is reason to hope. Does nothing while closed. */
  retry(): void
  stop(): void
}

export type BreakerOptions = {
  /** Failures in a row that open it. */
  failuresMax: number
  /** First pause before a probe; doubles with each failed probe up to the maximum. */
  pauseMs: number
  pauseMsMax: number
  /** One question to the product. True: it answers as it should. At most one is under way. */
  probe: () => Promise<boolean>
  /** Called after each change, before anyone else can ask `closed`. */
  changed: (closed: boolean) => void
}

/** Starts open: a product has to prove itself first. */
export const breaker = (options: BreakerOptions): Breaker => {
  let state: 'closed' | 'open' | 'stopped' = 'open'
  let failures = 0
  let pauseMs = options.pauseMs
  let probing = false
  let timer: NodeJS.Timeout | undefined

  const close = (): void => {
    state = 'closed'
    failures = 0
    pauseMs = options.pauseMs
    options.changed(true)
  }

  const open = (): void => {
    if (state !== 'closed') return
    state = 'open'
    options.changed(false)
    probeLater()
  }

  const probeLater = (): void => {
    clearTimeout(timer)
    timer = setTimeout(() => void probe(), pauseMs).unref()
    pauseMs = Math.min(pauseMs * 2, options.pauseMsMax)
  }

  const probe = async (): Promise<void> => {
    if (probing || state !== 'open') return
    probing = true
    clearTimeout(timer)
    const well = await options.probe().catch(() => false)
    probing = false
    if (state !== 'open') return
    if (well) close()
    else probeLater()
  }

  return {
    closed: () => state === 'closed',
    worked: () => {
      failures = 0
    },
    failed: () => {
      failures += 1
      if (failures >= options.failuresMax) open()
    },
    trip: open,
    retry: () => void probe(),
    stop: () => {
      state = 'stopped'
      clearTimeout(timer)
    },
  }
}
