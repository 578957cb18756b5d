# shellcheck shell=bash
# A node: containerd, kubelet and kube-proxy of raspi00N, configured in $STATE/raspi00N.

# node NUMBER: start it and load the images. The master is powered on already.
node() {
  local node=raspi00$1 image
  is_up "$node" || power_on "$node"
  make_cgroups "$node"
  configure_node "$1"
  containerd "$node"
  wait_for "containerd on $node" 30 inside "$node" ctr version
  kubelet "$node"
  kube_proxy "$node"
  for image in "$IMAGES"/*.tar; do import_on "$image" "$1"; done
}

# start_program NODE PROGRAM: start one program again.
start_program() {
  local node=$1 program=$2
  case $program in
  etcd | kube-apiserver | kube-controller-manager | kube-scheduler | containerd | kubelet | kube-proxy) ;;
  *) echo "there is no program $program" >&2 && return 2 ;;
  esac
  ! runs "$node" "$program" || { echo "$program runs on $node already" >&2 && return 1; }
  "${program//-/_}" "$node"
}

containerd() { daemon "$1" containerd --config "$STATE/$1/containerd.toml"; }

kubelet() {
  daemon "$1" "$BIN/kubelet" --config="$STATE/$1/kubelet.yaml" --kubeconfig="$PKI/$1.kubeconfig" \
    --hostname-override="$1" --node-ip="$(address "${1#raspi00}")" \
    --node-labels="topology.kubernetes.io/zone=shelf-${1#raspi00}"
}

kube_proxy() { daemon "$1" "$BIN/kube-proxy" --config="$STATE/$1/kube-proxy.yaml"; }

# import FILE: load an image on every node.
import() {
  local file
  file=$(realpath "$1")
  all_nodes import_on "$file"
}

# import_on FILE NUMBER: load an image on raspi00NUMBER.
import_on() { inside "raspi00$2" ctr --namespace k8s.io images import "$1" >/dev/null; }

configure_node() {
  local node=raspi00$1
  user "$node" "/O=system:nodes/CN=system:node:$node" "$(address 1)" "DNS:$node,IP:$(address "$1"),IP:127.0.0.1"
  containerd_config >"$STATE/$node/containerd.toml"
  pod_network "$(pod_range "$1")" >"$STATE/$node/etc/cni/net.d/10-bridge.conflist"
  kubelet_config "$node" >"$STATE/$node/kubelet.yaml"
  kube_proxy_config "$node" >"$STATE/$node/kube-proxy.yaml"
}

# containerd_config: runc may not be allowed to make a process less likely to be killed, hence restrict_oom_score_adj.
containerd_config() {
  cat <<CONFIG
version = 2
[plugins."io.containerd.internal.v1.opt"]
  path = "/var/lib/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "registry.k8s.io/pause:3.10"
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
CONFIG
}

pod_network() {
  cat <<CONFIG
{"cniVersion": "0.4.0", "name": "pi", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false, "hairpinMode": true, "ipam": {
    "type": "host-local", "ranges": [[{"subnet": "$1"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}
]}
CONFIG
}

kubelet_config() {
  local node=$1
  cat <<CONFIG
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: $PKI/ca.crt}
authorization: {mode: Webhook}
tlsCertFile: $PKI/$node.crt
tlsPrivateKeyFile: $PKI/$node.key
clusterDNS: [10.96.0.10]
clusterDomain: cluster.local
resolvConf: /dev/null
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
cgroupDriver: cgroupfs
cgroupRoot: /podpath/$node
enforceNodeAllocatable: []
failSwapOn: false
failCgroupV1: false
localStorageCapacityIsolation: false
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 1Mi}
CONFIG
}

kube_proxy_config() {
  cat <<CONFIG
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
clientConnection: {kubeconfig: $PKI/kube-proxy.kubeconfig}
clusterCIDR: 10.244.0.0/16
hostnameOverride: $1
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
CONFIG
}
