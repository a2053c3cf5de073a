import { describe, expect, it } from 'vitest'
import { moduleOf, readInterfaces } from './interfaces.ts'

const MODULE = `import { Quantity } from "../api/resource";
/**
 * A thing.
 *
 * It has a part.
 */
export interface Thing extends Base {
    /** Which kind of part. */
    part?: Part;
    /**
     * The path, as in
     *   a/*\\/b
     */
    "path": string;
    silent: { [name: string]: Quantity };
}
export interface Part {
    /** Its name. */
    name?: string;
}
`

describe('interfaces', () => {
  it('have descriptions of their own and of their fields', () => {
    expect(Object.fromEntries(readInterfaces(MODULE))).toEqual({
      Thing: {
        '': 'A thing.\n\nIt has a part.',
        part: 'Which kind of part.',
        path: 'The path, as in\n  a/*/b',
      },
      Part: { name: 'Its name.' },
    })
  })

  it('stand in the module of their group and version', () => {
    expect(moduleOf('io.k8s.api.core.v1.Pod')).toBe('core/v1')
    expect(moduleOf('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta')).toBe('meta/v1')
    expect(moduleOf('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON')).toBe('apiextensions/v1')
    expect(moduleOf('io.k8s.apimachinery.pkg.version.Info')).toBeUndefined()
  })
})
