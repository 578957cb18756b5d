# shellcheck shell=bash disable=SC2034 # its names are used by the other parts
# The network: a switch, three nodes and one machine that is no part of the cluster.
#
#   switch  198.51.100.1    the default route of all
#   raspi00N 198.51.100.1N  Pods in 10.244.(N-1).0/24
#   imac    198.51.100.50   knows no way to Pods and Services

readonly NODES=(raspi001 raspi002 raspi003) MASTER=raspi001 OUTSIDE=imac SWITCH=pisw
readonly MACHINES=("${NODES[@]}" "$OUTSIDE" "$SWITCH")

address() { echo "198.51.100.1$1"; }
pod_range() { echo "10.244.$(($1 - 1)).0/24"; }

# all_nodes COMMAND...: run COMMAND NUMBER for every node at the same time; fails if one does. A job in the background does
# not hear ctrl-c, so it is ended from here.
all_nodes() {
  local i jobs=()
  for i in 1 2 3; do
    "$@" "$i" &
    jobs+=($!)
  done
  # shellcheck disable=SC2064 # these jobs are meant
  trap "kill ${jobs[*]} 2>/dev/null || true" EXIT
  for i in "${jobs[@]}"; do wait "$i"; done
  trap - EXIT
}

network() {
  local i
  ip netns add "$SWITCH"
  on "$SWITCH" ip link set lo up
  on "$SWITCH" ip link add br0 type bridge
  on "$SWITCH" ip addr add 198.51.100.1/24 dev br0
  on "$SWITCH" ip link set br0 up
  for i in 1 2 3; do connect "raspi00$i" "$(address "$i")"; done
  for i in 1 2 3; do route_pods "$i"; done
  connect "$OUTSIDE" 198.51.100.50
}

# connect MACHINE ADDRESS: a network namespace with a cable to the switch.
connect() {
  local machine=$1 address=$2
  ip netns add "$machine"
  ip link add "to-$machine" netns "$SWITCH" type veth peer name eth0 netns "$machine"
  on "$SWITCH" ip link set "to-$machine" master br0 up
  on "$machine" ip link set lo up
  on "$machine" ip addr add "$address/24" dev eth0
  on "$machine" ip link set eth0 up
  on "$machine" ip route add default via 198.51.100.1
}

# route_pods NUMBER: the way from a node to the Pods of the others.
route_pods() {
  local i
  on "raspi00$1" sysctl -qw net.ipv4.ip_forward=1
  for i in 1 2 3; do
    [ "$i" = "$1" ] || on "raspi00$1" ip route add "$(pod_range "$i")" via "$(address "$i")"
  done
}

unplug() { on "$SWITCH" ip link set "to-$1" down; }
plug() { on "$SWITCH" ip link set "to-$1" up; }
