#!/usr/bin/env bash
# Runs one function of upstream's kubectl suite, or with "inline" what stands between the functions, against an API
# server that runs. kubectl-suite.ts calls it, in the folder of the suite, and sets
#
#   SECURE_API_PORT   port of the API server       WORK   a folder of this run: HOME, and what the suite writes
#
# It does what hack/make-rules/test-cmd.sh and setup() of test/cmd/legacy-script.sh would, but starts no server and
# builds nothing; the suite's files are sourced as they are.
set -o errexit -o nounset -o pipefail
wanted=$1

source hack/lib/init.sh
source hack/lib/test.sh
source test/cmd/legacy-script.sh

export KUBE_TEMP=$WORK HOME=$WORK TMPDIR=$WORK ALLOW_SKEW=true TERM=dumb
export KUBE_CACHE_MUTATION_DETECTOR=true KUBE_PANIC_WATCH_DECODE_ERROR=true
export SUPPORTED_RESOURCES=("*")
trap stop-proxy EXIT
kube::util::ensure-gnu-sed

CONTEXT=test
kubectl config set-credentials test-admin --token admin-token
kubectl config set-cluster local --insecure-skip-tls-verify --server "https://127.0.0.1:${SECURE_API_PORT}"
kubectl config set-context "${CONTEXT}" --user test-admin --cluster local
kubectl config use-context "${CONTEXT}"

# runTests calls this for each function; here it runs the one that is wanted, in a namespace of its own: some functions
# count on the namespace that the one before them has left.
record_command() {
  if [[ ${wanted} == inline ]]; then return; fi
  set +o nounset +o errexit
  (
    create_and_use_new_namespace
    "${wanted}"
  )
  local code=$?
  set -o nounset -o errexit
  if [[ ${code} -ne 0 ]]; then foundError=${wanted}; fi
}

# With WHAT, runTests sets its variables, calls record_command once and cleans up.
if [[ ${wanted} == inline ]]; then unset WHAT; else export WHAT=one; fi
runTests
