# shellcheck shell=bash
# The programs, compiled from their Go modules into a cache whose name says what they are made of.

readonly CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/podpath-cluster
readonly KUBERNETES_PROGRAMS=(kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl)

# CLUSTER is the folder with the Go modules k8s, etcd and coredns.
CLUSTER=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly CLUSTER

# version MODULE FILE: the version of MODULE that the go.mod FILE requires.
version() { awk -v module="$1" '$1 == "require" && $2 == module { print $3 }' "$2"; }

# fingerprint FILE...: twelve digits that change when a file does.
fingerprint() { cat "$@" | sha256sum | cut -c 1-12; }

KUBERNETES_VERSION=$(version k8s.io/kubernetes "$CLUSTER/k8s/go.mod")
BIN=$CACHE/$KUBERNETES_VERSION-$(fingerprint "$CLUSTER"/{k8s,etcd,coredns}/go.{mod,sum})/bin
readonly KUBERNETES_VERSION BIN

build() {
  local program
  for program in "${KUBERNETES_PROGRAMS[@]}"; do
    compile k8s "k8s.io/kubernetes/cmd/$program" "$program" "$(kubernetes_stamp)"
  done
  compile etcd go.etcd.io/etcd/server/v3 etcd
  compile coredns github.com/coredns/coredns coredns
}

# compile MODULE PACKAGE PROGRAM [LDFLAGS]: unless the cache has it.
compile() {
  local module=$1 package=$2 program=$3 flags=${4:-}
  [ ! -x "$BIN/$program" ] || return 0
  echo "building $program"
  mkdir -p "$BIN"
  (cd "$CLUSTER/$module" && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w $flags" -o "$BIN/.$program" "$package")
  mv "$BIN/.$program" "$BIN/$program" # complete, or not there at all
}

# kubernetes_stamp is what the release builds put into the version of every program.
kubernetes_stamp() {
  local minor=${KUBERNETES_VERSION#v1.} package
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    printf -- '-X %s ' "$package.gitVersion=$KUBERNETES_VERSION" "$package.gitMajor=1" "$package.gitMinor=${minor%%.*}" \
      "$package.gitTreeState=clean" "$package.gitCommit=none" "$package.buildDate=1970-01-01T00:00:00Z"
  done
}

# require_programs PROGRAM...: that they are built.
require_programs() {
  local program
  for program in "$@"; do
    [ -x "$BIN/$program" ] || { echo "$program is not built; run: $CLUSTER/cluster build" >&2 && exit 1; }
  done
}
