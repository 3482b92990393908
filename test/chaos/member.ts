// A process of a run that can be killed, paused, told to leave, and started again.
import type { ChildProcess } from 'node:child_process'
import { eventually } from '../node.ts'
import { end } from '../servers.ts'

const READY_WITHIN_MS = 60_000

export type Member<Role extends string = string> = {
  name: string
  role: Role
  /** Where clients reach it; 0 where they do not. */
  port: number
  /** Resolves when it serves. */
  start(): Promise<void>
  /** kill -9; resolves when it is gone. */
  kill(): Promise<void>
  /** SIGTERM; resolves when it has left by itself. */
  leave(): Promise<void>
  pause(): void
  resume(): void
  state(): 'up' | 'starting' | 'paused' | 'down'
}
type Named<Role extends string> = Pick<Member<Role>, 'name' | 'role' | 'port'>

export const member = <Role extends string>(
  named: Named<Role>,
  launch: () => ChildProcess,
  serves: (child: ChildProcess) => Promise<void>,
): Member<Role> => {
  let child: ChildProcess | null = null
  let state: ReturnType<Member['state']> = 'down'
  const gone = (one: ChildProcess) =>
    one.exitCode !== null || one.signalCode !== null
      ? Promise.resolve()
      : new Promise<void>((resolve) => one.once('exit', () => resolve()))
  return {
    ...named,
    state: () => state,
    start: async () => {
      state = 'starting'
      const own = launch()
      child = own
      await serves(own)
      if (child === own && state === 'starting') state = 'up'
    },
    kill: async () => {
      state = 'down'
      child?.kill('SIGKILL')
      if (child) await gone(child)
    },
    leave: async () => {
      state = 'down'
      if (child) await end(child)
    },
    pause: () => {
      if (child?.kill('SIGSTOP')) state = 'paused'
    },
    resume: () => {
      if (child?.kill('SIGCONT')) state = 'up'
    },
  }
}

/** A node is ready when its ops port says so. */
export const ready = async (child: ChildProcess, opsPort: number): Promise<void> => {
  const isReady = () =>
    fetch(`http://127.0.0.1:${opsPort}/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    )
  const isOver = () => child.exitCode !== null || child.signalCode !== null
  await eventually(async () => isOver() || (await isReady()), Boolean, READY_WITHIN_MS)
  if (isOver()) throw new Error(`a process ended at its start with ${child.exitCode ?? child.signalCode}`)
}
