// kubectl create token, with all its flags, and what such a token opens.
import { decodeJwt } from 'jose'
import { describe, expect, it } from 'vitest'
import { findKubectl, type Kubectl, useKubectl } from './driver.ts'

const program = await findKubectl('1.36')

interface Claims {
  readonly aud: string[]
  readonly exp: number
  readonly iat: number
  readonly sub: string
  readonly 'kubernetes.io': Readonly<Record<string, { name: string; uid: string }>>
}

describe.skipIf(program === undefined).concurrent('kubectl create token', () => {
  const kubectl = useKubectl(program)

  const claimsOf = async (k: Kubectl, line: string): Promise<Claims> =>
    decodeJwt<Claims>((await k(`create token ${line}`)).trim()) as unknown as Claims

  /** A kubectl line for somebody who has nothing but the token. */
  const asBearer = (token: string): string => {
    const { url, caCert } = kubectl.cluster()
    const ca = kubectl.file('ca.crt', caCert)
    return `--kubeconfig /dev/null --server ${url} --certificate-authority ${ca} --token ${token.trim()}`
  }

  it('prints a token that opens what its account may', async () => {
    const k = await kubectl.namespace('open')
    const token = await k('create token default')
    expect(await k(`${asBearer(token)} auth whoami -o jsonpath={.status.userInfo.username}`)).toBe(
      'system:serviceaccount:open:default',
    )
    expect(await k.fails(`${asBearer(token)} get configmaps`)).toContain(
      'User "system:serviceaccount:open:default" cannot list resource "configmaps"',
    )
    await k('create rolebinding view --clusterrole=view --serviceaccount=open:default')
    expect(await k(`${asBearer(token)} get configmaps -o name`)).toBe('')
    await k('delete serviceaccount default')
    expect(await k.fails(`${asBearer(token)} get configmaps`)).toContain('Unauthorized')
  })

  it('takes audiences and a duration', async () => {
    const k = await kubectl.namespace('flags')
    const claims = await claimsOf(k, 'default --audience=a --audience=b --duration=2h')
    expect(claims.aud).toEqual(['a', 'b'])
    expect(claims.exp - claims.iat).toBe(7200)
    expect(await k.fails('create token default --duration=1m')).toContain(
      'may not specify a duration less than 10 minutes',
    )
    expect(await k.fails('create token nobody')).toContain('serviceaccounts "nobody" not found')
  })

  it('binds to a secret, a pod, a node', async () => {
    const k = await kubectl.namespace('bound')
    await k('create secret generic s')
    await k('run p --image=i')
    await k('create -f -', { stdin: '{"apiVersion":"v1","kind":"Node","metadata":{"name":"bound-node"}}' })
    for (const [kind, name] of [
      ['Secret', 's'],
      ['Pod', 'p'],
      ['Node', 'bound-node'],
    ] as const) {
      const uid = await k(`get ${kind} ${name} -o jsonpath={.metadata.uid}`)
      const flags = `--bound-object-kind=${kind} --bound-object-name=${name}`
      const claims = await claimsOf(k, `default ${flags} --bound-object-uid=${uid}`)
      expect(claims['kubernetes.io'][kind.toLowerCase()]).toEqual({ name, uid })
      expect(await k.fails(`create token default ${flags} --bound-object-uid=other`)).toContain(
        'the UID in the bound object reference (other) does not match the UID in record',
      )
    }
  })

  it('prints the whole request', async () => {
    const k = await kubectl.namespace('whole')
    const request = JSON.parse(await k('create token default -o json')) as Record<string, object>
    expect(request).toMatchObject({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: { name: 'default', namespace: 'whole' },
      spec: { expirationSeconds: 3600, audiences: ['https://kubernetes.default.svc'] },
      status: { expirationTimestamp: expect.stringMatching(/Z$/), token: expect.stringContaining('.') },
    })
  })
})
