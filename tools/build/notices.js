// Part of the build: the licences of the packages whose code the bundle holds, which go where it goes.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One text with the licence of every package among the files, by name. Throws where a package has none. */
export function noticesOf(files, root) {
  const folders = new Set(files.map((file) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(file)?.[0]))
  folders.delete(undefined)
  return [...folders]
    .sort()
    .map((folder) => noticeOf(join(root, folder)))
    .join('\n')
}

function noticeOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
  if (file === undefined && license === undefined) throw new Error(`${name} states no licence`)
  const text = file === undefined ? '' : readFileSync(join(folder, file), 'utf8').trim() + '\n'
  return `${'-'.repeat(80)}\n${name} ${version} (${license})\n\n${text}`
}
