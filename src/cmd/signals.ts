// Runs until the user or the system says stop, then stops cleanly.

/** Resolves after SIGINT or SIGTERM and `stop`; a second signal ends the process at once. */
export async function untilStopped(stop: () => Promise<void>): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  await stop()
  process.exit(0)
}
