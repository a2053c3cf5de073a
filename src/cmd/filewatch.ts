// Files that are read again when they change: configuration and certificates, without a restart.
// Follows k8s.io/apiserver/pkg/util/filesystem and pkg/server/dynamiccertificates.
import { type FSWatcher, watch } from 'node:fs'
import { dirname } from 'node:path'

/** Looked at this often too: not every file system tells of changes. Upstream's interval. */
const POLL_MS = 60_000
/** Changes that come together are one: certificate and key, or an editor's several writes. */
const SETTLE_MS = 100

/**
 * Calls `look` after anything happened in the folders of these files, and every minute; never twice at a time. `look` reads
 * them and finds out whether they changed. Answers how to stop.
 */
export function watchFiles(
  paths: readonly string[],
  look: () => Promise<void>,
  failed: (error: unknown) => void,
): () => void {
  let running: Promise<void> | undefined
  let again = false
  let stopped = false
  const run = (): void => {
    if (stopped) return
    if (running) return void (again = true)
    running = look()
      .catch(failed)
      .finally(() => {
        running = undefined
        if (!again) return
        again = false
        run()
      })
  }
  let settling: NodeJS.Timeout | undefined
  const changed = (): void => {
    settling ??= setTimeout(() => {
      settling = undefined
      run()
    }, SETTLE_MS).unref()
  }
  const watchers = [...new Set(paths.map((path) => dirname(path)))].flatMap((folder) =>
    watched(folder, changed, failed),
  )
  const poll = setInterval(run, POLL_MS).unref()
  return () => {
    stopped = true
    clearInterval(poll)
    clearTimeout(settling)
    for (const watcher of watchers) watcher.close()
  }
}

/** A mounted volume replaces its folder's links, not the files: so it is the folder that is watched. */
function watched(folder: string, changed: () => void, failed: (error: unknown) => void): FSWatcher[] {
  try {
    const watcher = watch(folder, { persistent: false }, changed)
    watcher.on('error', failed)
    return [watcher]
  } catch (error) {
    failed(error)
    return []
  }
}
