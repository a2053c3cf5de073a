// YAML of whatever another view shows in JSON. There are no watches in YAML.
import { readJson } from '../machinery/jsontext.ts'
import type { Status } from '../machinery/status.ts'
import { toYaml } from '../schema/yaml/yaml.ts'
import type { Entry } from '../storage/cache/entry.ts'
import { type EventType, type ListMeta, type View, YAML_TYPE } from './view.ts'

const yamlOf = (json: Buffer): Buffer => Buffer.from(toYaml(readJson(json.toString())))

export class YamlView implements View {
  readonly contentType = YAML_TYPE
  readonly streamContentType = YAML_TYPE
  readonly key: string
  readonly #json: View

  constructor(json: View) {
    this.#json = json
    this.key = `yaml ${json.key}`
  }

  object(entry: Entry): Buffer {
    return yamlOf(this.#json.object(entry))
  }

  list(entries: readonly Entry[], meta: ListMeta): Iterable<Buffer> {
    return [yamlOf(Buffer.concat([...this.#json.list(entries, meta)]))]
  }

  frame(type: EventType, entry: Entry): Buffer {
    return yamlOf(this.#json.frame(type, entry))
  }

  bookmark(resourceVersion: string, initialEventsEnd: boolean): Buffer {
    return yamlOf(this.#json.bookmark(resourceVersion, initialEventsEnd))
  }

  errorFrame(status: Status): Buffer {
    return yamlOf(this.#json.errorFrame(status))
  }
}
