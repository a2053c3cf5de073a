#!/bin/bash
# Builds upstream's sample-apiserver from its Go module into .cache/sample-apiserver of the repository, where the tests
# find it: an extension server that is none of ours.
# Takes a few minutes, once; the module and its dependencies are pinned by the version below.
set -euo pipefail

version=v0.36.3

repository=$(cd "$(dirname "$0")/.." && pwd)
target=$repository/.cache/sample-apiserver
if [ -x "$target" ]; then
  echo "$target is there"
  exit 0
fi
command -v go >/dev/null || { echo "building sample-apiserver needs Go" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
go mod init sample
go get "k8s.io/sample-apiserver@$version"
mkdir -p "$(dirname "$target")"
CGO_ENABLED=0 go build -mod=mod -trimpath -ldflags '-s -w' -o "$target.tmp" k8s.io/sample-apiserver
mv "$target.tmp" "$target"
echo "built $target"
