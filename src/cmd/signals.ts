// Runs until the user or the system says stop, then stops cleanly.

/**
 * Ends the process after SIGINT or SIGTERM and `stop`; a second signal ends it at once. Where `work` rejects before, it
 * stops as well, and rejects with that.
 */
export async function untilStopped(stop: () => Promise<void>, work?: Promise<void>): Promise<void> {
  const asked = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
  try {
    await Promise.race(work ? [asked, work.then(() => asked)] : [asked])
  } catch (error) {
    await stop()
    throw error
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  await stop()
  process.exit(0)
}

/** Any time will do. */
const MAX_IDLE_MS = 60_000

/** Without it a process whose connections have not begun or have ended would end: the clock's timers keep none alive. */
export function stayAlive(): void {
  setInterval(() => undefined, MAX_IDLE_MS)
}
