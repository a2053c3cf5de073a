// The volumes on a node that are attached before they are mounted: those that its pods use, as the node's status tells of
// them, so that nobody detaches what is mounted.
// Follows GetVolumesInUse of k8s.io/kubernetes/pkg/kubelet/volumemanager.

export class NodeVolumes {
  /** Who uses them, by the volumes' names. */
  readonly #users = new Map<string, Set<string>>()

  /** The pod of this uid uses these from now on. */
  take(uid: string, names: Iterable<string>): void {
    for (const name of names) this.#users.set(name, (this.#users.get(name) ?? new Set()).add(uid))
  }

  /** It uses none any more; returns whether it used one. */
  giveBack(uid: string): boolean {
    let didUse = false
    for (const [name, users] of this.#users) {
      if (!users.delete(uid)) continue
      didUse = true
      if (users.size === 0) this.#users.delete(name)
    }
    return didUse
  }

  /** In order. */
  names(): string[] {
    return [...this.#users.keys()].sort()
  }
}
