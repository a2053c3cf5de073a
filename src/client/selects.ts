// Whether an object's selector wants given labels, compiled once for as long as the object stays as it is.
// Follows metav1.LabelSelectorAsSelector of k8s.io/apimachinery.
import { type LabelSelector, NOTHING, selectorOfObject } from '../machinery/labels.ts'
import type { LabelSelector as SelectorObject } from './kinds/meta.v1.gen.ts'

const compiled = new WeakMap<object, LabelSelector>()

/** An absent, an empty and an unreadable selector select nothing: no controller takes on all that there is. */
export function selectsLabels(
  selector: SelectorObject | undefined,
  labels: Readonly<Record<string, string>>,
): boolean {
  if (selector === undefined) return false
  let matcher = compiled.get(selector)
  if (!matcher) compiled.set(selector, (matcher = compile(selector)))
  return matcher.matches(labels)
}

function compile(selector: SelectorObject): LabelSelector {
  try {
    const matcher = selectorOfObject(selector)
    return matcher.empty ? NOTHING : matcher
  } catch {
    return NOTHING
  }
}
