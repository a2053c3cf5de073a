// Says in one line when Node is too old, before anything stranger happens. The bound stands in package.json's engines.
import { readFileSync } from 'node:fs'

const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const [major, minor] = engines.node.match(/\d+/g).map(Number)
const [ownMajor, ownMinor] = process.versions.node.split('.').map(Number)
if (ownMajor < major || (ownMajor === major && ownMinor < minor)) {
  console.error(`dinghy needs Node ${major}.${minor} or newer; this is ${process.version}`)
  process.exit(1)
}
