# shellcheck shell=bash
# What goes wrong in the network of a node, and how it is repaired.

# route_to NODE VERB TO: add or del the route from a node to the Pods of another.
route_to() {
  local number=${3#raspi00}
  on "$1" ip route "$2" "$(pod_range "$number")" via "$(address "$number")"
}

unroute() { route_to "$1" del "$2"; }
route() { route_to "$1" add "$2"; }

# drop NODE ADDRESS: after the choice of an endpoint, so that connections to a Service that go there are dropped too.
drop() { on "$1" iptables --wait --table mangle --insert POSTROUTING --destination "$2" --jump DROP; }
pass() { on "$1" iptables --wait --table mangle --delete POSTROUTING --destination "$2" --jump DROP; }

# flush NODE: connections that are open are forgotten too, or they would go on.
flush() {
  ! runs "$1" kube-proxy || { echo "kube-proxy runs on $1 and would set it up again; kill it first" >&2 && return 1; }
  inside "$1" "$BIN/kube-proxy" --config="$STATE/$1/kube-proxy.yaml" --cleanup >>"$STATE/log/$1.kube-proxy.log" 2>&1
  on "$1" conntrack --flush 2>/dev/null
}
