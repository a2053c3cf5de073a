#!/bin/bash
# Builds upstream's etcd from its Go module into .cache/etcd of the repository, where the tests find it.
# For machines that have Go, but no etcd on the PATH (Debian: apt-get install etcd-server).
# Takes a minute or two, once; the module and its dependencies are pinned by the version below.
set -euo pipefail

version=v3.6.5 # the release that Kubernetes 1.36 is tested with

repository=$(cd "$(dirname "$0")/.." && pwd)
target=$repository/.cache/etcd
if [ -x "$target" ]; then
  echo "$target is there"
  exit 0
fi
command -v go >/dev/null || { echo "building etcd needs Go" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >main.go <<'GO'
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
GO
go mod init etcd
go get "go.etcd.io/etcd/server/v3@$version"
mkdir -p "$(dirname "$target")"
CGO_ENABLED=0 go build -mod=mod -trimpath -ldflags '-s -w' -o "$target.tmp" .
mv "$target.tmp" "$target"
"$target" --version | head -1
