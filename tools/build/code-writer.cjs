// Loaded into the program while it is built (see code-cache.js): when it ends, writes the code that V8 has compiled.
'use strict'
const { renameSync, writeFileSync } = require('node:fs')
const { scripts } = require('../../dist/loader.cjs')

process.on('exit', () => {
  for (const [file, script] of scripts) {
    writeFileSync(`${file}.code.new`, script.createCachedData())
    renameSync(`${file}.code.new`, `${file}.code`)
  }
})
