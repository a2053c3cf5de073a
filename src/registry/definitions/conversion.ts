// The rules for how a definition's versions are converted.
// Follows apiextensions-apiserver/pkg/apis/apiextensions/validation (validateCustomResourceConversion).
import { hookUrlFaults } from '../../machinery/gourl.ts'
import { isObject, type JsonObject } from '../../machinery/json.ts'
import { cause, type StatusCause } from '../../machinery/status.ts'
import { dns1035LabelErrors } from '../../machinery/validation.ts'
import { Spot } from '../validation/spot.ts'
import { service as serviceFaults } from '../validation/webhooks.ts'
import { textAt } from './reading.ts'

const CONFIG = 'spec.conversion.webhookClientConfig'
const REVIEWS = 'spec.conversion.conversionReviewVersions'
const STRATEGIES = ['None', 'Webhook']
/** Of ConversionReview. */
const KNOWN_REVIEWS = ['v1', 'v1beta1']

/** Causes for spec.conversion. */
export function conversionCauses(spec: JsonObject): StatusCause[] {
  const { conversion } = spec
  if (!isObject(conversion)) return []
  const causes: StatusCause[] = []
  const strategy = textAt(conversion, 'strategy')
  if (strategy !== 'None' && spec['preserveUnknownFields'] === true) {
    const why = 'must be None if spec.preserveUnknownFields is true'
    causes.push(cause.invalid('spec.conversion.strategy', strategy, why))
  }
  if (strategy === '') causes.push(cause.required('spec.conversion.strategy'))
  else if (!STRATEGIES.includes(strategy))
    causes.push(cause.notSupported('spec.conversion.strategy', strategy, STRATEGIES))
  const webhook = isObject(conversion['webhook']) ? conversion['webhook'] : {}
  const config = isObject(webhook['clientConfig']) ? webhook['clientConfig'] : undefined
  const reviews = Array.isArray(webhook['conversionReviewVersions'])
    ? webhook['conversionReviewVersions'].map(String)
    : []
  if (strategy === 'Webhook') webhookCauses(config, reviews, causes)
  else {
    const why = 'should not be set when strategy is not set to Webhook'
    if (config) causes.push(cause.forbidden(CONFIG, why))
    if (reviews.length > 0) causes.push(cause.forbidden(REVIEWS, why))
  }
  return causes
}

function webhookCauses(
  config: JsonObject | undefined,
  reviews: readonly string[],
  causes: StatusCause[],
): void {
  if (!config) causes.push(cause.required(CONFIG, 'required when strategy is set to Webhook'))
  else if ((config['url'] === undefined) === (config['service'] === undefined))
    causes.push(cause.required(CONFIG, 'exactly one of url or service is required'))
  else if (typeof config['url'] === 'string') urlCauses(config['url'], causes)
  else
    serviceFaults(
      Spot.of({ [CONFIG]: config }, causes)
        .at(CONFIG)
        .at('service'),
    )
  if (reviews.length === 0) {
    causes.push(cause.required(REVIEWS))
    return
  }
  reviews.forEach((version, i) => {
    if (reviews.indexOf(version) < i)
      causes.push(cause.invalid(`${REVIEWS}[${i}]`, version, 'duplicate version'))
    else
      for (const fault of dns1035LabelErrors(version))
        causes.push(cause.invalid(`${REVIEWS}[${i}]`, version, fault))
  })
  if (!reviews.some((version) => KNOWN_REVIEWS.includes(version)))
    causes.push(cause.invalid(REVIEWS, reviews, `must include at least one of ${KNOWN_REVIEWS.join(', ')}`))
}

const CERTIFICATE = '-----BEGIN CERTIFICATE-----'

/** Certificates that are none are refused where the definition had none that were none before. */
export function bundleCauses(spec: JsonObject, before: JsonObject): StatusCause[] {
  const bundle = bundleOf(spec)
  const had = bundleOf(before)
  if (isGood(bundle) || !isGood(had)) return []
  const why = 'unable to load root certificates: unable to parse bytes as PEM block'
  return [cause.invalid(`${CONFIG}.caBundle`, bundle, why)]
}

function bundleOf({ conversion }: JsonObject): string {
  const webhook = isObject(conversion) ? conversion['webhook'] : undefined
  const config = isObject(webhook) ? webhook['clientConfig'] : undefined
  return isObject(config) ? textAt(config, 'caBundle') : ''
}

const isGood = (bundle: string): boolean =>
  bundle === '' || Buffer.from(bundle, 'base64').toString('latin1').includes(CERTIFICATE)

function urlCauses(url: string, causes: StatusCause[]): void {
  const at = `${CONFIG}.url`
  for (const { value, why } of hookUrlFaults(url)) {
    causes.push(value === undefined ? cause.required(at, why) : cause.invalid(at, value, why))
  }
}
