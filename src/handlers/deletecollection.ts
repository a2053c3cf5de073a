// DELETE of a collection: each selected object by the same steps as a single delete.
// Follows k8s.io/apiserver/pkg/endpoints/handlers/delete.go and Store.DeleteCollection.
import { StatusError } from '../machinery/status.ts'
import { checkDeleteOptions } from '../registry/deletion.ts'
import type { Entry } from '../storage/cache/entry.ts'
import { readDeleteOptions, remove } from './delete.ts'
import { select } from './list.ts'
import { listOptions } from './options.ts'
import type { Answer, ApiRequest } from './request.ts'
import type { Scope } from './scope.ts'
import { selectionOf } from './selection.ts'
import { viewOf } from './views.ts'

/** Objects deleted side by side: enough to share the disk's syncs. */
const WORKERS = 64

export async function deleteCollection(scope: Scope, request: ApiRequest): Promise<Answer> {
  const options = listOptions(request.query)
  const view = viewOf(scope, request, 'list')
  const selection = selectionOf(scope, request.info, options)
  const deleteOptions = await readDeleteOptions(request)
  checkDeleteOptions(deleteOptions)
  const { entries, meta } = await select(scope, selection, options)
  const removeOne = async (entry: Entry): Promise<void> => {
    const inNamespace = {
      ...request,
      info: { ...request.info, namespace: entry.namespace },
      body: request.body,
      warn: request.warn,
    }
    try {
      await remove(scope, { request: inNamespace, name: entry.name, options: deleteOptions })
    } catch (error) {
      if (!(error instanceof StatusError && error.code === 404)) throw error
    }
  }
  await inParallel(entries, removeOne)
  return { status: 200, contentType: view.contentType, body: view.list(entries, meta) }
}

/** Runs `work` on all, a bounded number at once; ends with the first error. */
async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < items.length) await work(items[next++] as T)
  }
  await Promise.all(Array.from({ length: Math.min(WORKERS, items.length) }, worker))
}
