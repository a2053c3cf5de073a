// The rooms' import rules, one row a room; docs/architecture.md shows them as a table. `make check` holds them,
// cycles and type-only imports included. Tests keep to their room's rules; what crosses rooms stands in test/.

/** What each room may import besides itself. Paths under src/, as regular expressions. */
const ROOMS = {
  machinery: [],
  schema: ['machinery/'],
  cel: ['machinery/', 'schema/'],
  storage: ['machinery/'],
  pki: ['machinery/'],
  authn: ['machinery/', 'pki/', 'cel/'],
  authz: ['machinery/', 'cel/'],
  audit: ['machinery/'],
  fairness: ['machinery/'],
  admission: ['machinery/', 'schema/', 'cel/'],
  // Of pki what reads certificate requests, which nobody signs there.
  registry: ['machinery/', 'schema/', 'cel/', 'pki/(pem|request|tlv)\\.ts$'],
  handlers: ['machinery/', 'schema/', 'admission/', 'registry/', 'storage/interface\\.ts$', 'storage/cache/'],
  server: [
    'machinery/',
    'schema/',
    'pki/',
    'authn/',
    'authz/',
    'audit/',
    'fairness/',
    'admission/',
    'registry/',
    'handlers/',
    'storage/interface\\.ts$',
    'storage/cache/',
  ],
  aggregator: [
    'machinery/',
    'handlers/request\\.ts$',
    'server/exchange\\.ts$',
    'server/extensions\\.ts$',
    'server/discovery-order\\.ts$',
    'server/openapi/merge\\.ts$',
  ],
  client: ['machinery/'],
  controllers: ['machinery/', 'client/', 'pki/', 'cel/'],
  scheduler: ['machinery/', 'client/'],
  kubelet: ['machinery/', 'client/', 'pki/'],
  cloud: ['machinery/', 'client/'],
  proxy: ['machinery/', 'client/', 'pki/'],
  dns: ['machinery/', 'client/', 'pki/'],
}

/** One package, one owner. */
const OWNERS = {
  express: 'src/server/',
  'prom-client': 'src/server/',
  jose: 'src/authn/',
  'js-yaml': 'src/schema/',
  yaml: 'src/(schema|cmd)/',
  jsonpatch: 'src/schema/',
  lmdb: 'src/storage/lmdb/',
  etcd3: 'src/storage/etcd/',
  '@grpc/grpc-js': 'src/storage/encryption/',
  '@noble/ciphers': 'src/storage/encryption/',
  'node-forge': 'src/pki/',
  re2js: 'src/schema/regexp/',
  commander: 'src/cmd/',
  pino: 'src/cmd/',
  '@kubernetes/client-node': 'src/client/',
}

const rooms = Object.entries(ROOMS).map(([room, allowed]) => ({
  name: `room-${room}`,
  comment: `src/${room} may import only: itself${allowed.map((path) => ', ' + path).join('')}`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: { path: '^src/', pathNot: [room + '/', ...allowed].map((path) => `^src/${path}`) },
}))

const owners = Object.entries(OWNERS).map(([name, owner]) => ({
  name: `owner-of-${name}`,
  comment: `only ${owner} imports ${name}`,
  severity: 'error',
  from: { path: '^src/', pathNot: `^${owner}` },
  to: { path: `(^|/)node_modules/(@types/)?${name}/` },
}))

module.exports = {
  forbidden: [
    {
      name: 'no-cycle',
      comment: 'Two files that need each other are one file, or lack a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'rooms-known',
      comment: 'A new room needs a row in ROOMS above.',
      severity: 'error',
      from: { path: '^src/', pathNot: [`^src/(${Object.keys(ROOMS).join('|')}|cmd)/`, '^src/index\\.ts$'] },
      to: {},
    },
    {
      name: 'cmd-is-the-root',
      comment: 'Only the composition roots wire rooms together, and nothing imports them.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/cmd/', '^src/index\\.ts$'] },
      to: { path: '^src/cmd/' },
    },
    {
      name: 'controllers-alone',
      comment: 'No controller imports another.',
      severity: 'error',
      from: { path: '^src/controllers/([^/.]+)' },
      to: { path: '^src/controllers/', pathNot: '^src/controllers/$1[/.]' },
    },
    {
      name: 'no-test-in-product',
      comment: 'What ships does not import tests.',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.(test|suite|fixture)\\.ts$|/fixture\\.ts$' },
      to: { path: '\\.(test|suite|fixture)\\.ts$|/fixture\\.ts$|^test/' },
    },
    {
      name: 'no-dev-package-in-product',
      comment: 'A package that the product imports is a dependency, not a devDependency.',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.(test|suite|fixture)\\.ts$|/fixture\\.ts$' },
      to: {
        dependencyTypes: ['npm-dev'],
        dependencyTypesNot: ['type-only'],
        pathNot: 'node_modules/@types/',
      },
    },
    {
      name: 'no-unresolved',
      comment: 'An import that leads nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'owner-known',
      comment: 'A package that nobody owns: give it a row in OWNERS above and in docs/dependencies.md.',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.(test|suite|fixture)\\.ts$|/fixture\\.ts$' },
      to: {
        path: '(^|/)node_modules/',
        pathNot: [
          `(^|/)node_modules/(@types/)?(${Object.keys(OWNERS).join('|')})/`,
          'node_modules/@types/node/',
        ],
      },
    },
    ...rooms,
    ...owners,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
}
