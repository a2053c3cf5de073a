// Which form of an OpenAPI document an Accept header asks for: JSON or gnostic's protobuf.
// Follows k8s.io/kube-openapi/pkg/handler and handler3, which have a negotiation of their own.

export type OpenApiForm = 'json' | 'protobuf'

/** Headers are short; more clauses than this are noise. */
const MAX_CLAUSES = 64

/** The media type that answers carry. */
export function mediaType(form: OpenApiForm, version: 'v2' | 'v3'): string {
  return form === 'json'
    ? 'application/json'
    : `application/com.github.proto-openapi.spec.${version}.v1.0+protobuf`
}

/** Undefined where nothing in the header can be served, which is a 406 without a body. */
export function negotiateOpenApi(accept: string | undefined, version: 'v2' | 'v3'): OpenApiForm | undefined {
  if (accept === undefined || accept.trim() === '') return 'json'
  const protobuf = mediaType('protobuf', version)
  // The old name has an "@", which is no legal media type; clients still send it.
  const forms = new Map<string, OpenApiForm>([
    ['application/json', 'json'],
    ['application/*', 'json'],
    ['*/*', 'json'],
    [protobuf, 'protobuf'],
    [protobuf.replace('.v1.0', '@v1.0'), 'protobuf'],
  ])
  const clauses = accept.split(',', MAX_CLAUSES).map((clause) => {
    const [type = '', ...parameters] = clause.split(';').map((part) => part.trim())
    const q = Number(parameters.find((part) => part.startsWith('q='))?.slice(2) ?? '1')
    return { form: forms.get(type), quality: Number.isNaN(q) ? 1 : q }
  })
  return clauses.filter(({ form }) => form !== undefined).sort((a, b) => b.quality - a.quality)[0]?.form
}
