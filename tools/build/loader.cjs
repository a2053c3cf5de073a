// Loads the bundle's chunks. The build copies this file to dist/ as it is; the program and the library start here.
//
// Half of a start was reading, resolving and compiling modules. Chunks are CommonJS, so that node's own modules need no
// facade each, and V8 takes their compiled code from a file beside them (made by code-cache.js). Where that file was
// made by another Node, V8 refuses it, and compiles.
'use strict'
const { readFileSync } = require('node:fs')
const { createRequire, wrap } = require('node:module')
const { dirname, join } = require('node:path')
const { Script } = require('node:vm')

const modules = new Map()

/** The scripts that were loaded, by file: what code can be cached of. */
exports.scripts = new Map()

/** What the chunk of this name exports: "main", "index", or the path of another, from this folder. */
exports.load = (name) => loadFile(join(__dirname, `${name}.cjs`))

function loadFile(file) {
  const known = modules.get(file)
  if (known !== undefined) return known.exports
  const script = new Script(wrap(readFileSync(file, 'latin1')), { filename: file, cachedData: codeOf(file) })
  exports.scripts.set(file, script)
  const module = { exports: {} }
  modules.set(file, module)
  const folder = dirname(file)
  const outside = createRequire(file)
  const required = (id) => (id.startsWith('.') ? loadFile(join(folder, id)) : outside(id))
  script.runInThisContext().call(module.exports, module.exports, required, module, file, folder)
  return module.exports
}

function codeOf(file) {
  try {
    return readFileSync(`${file}.code`)
  } catch {
    return undefined // not made: a build of the library alone
  }
}
