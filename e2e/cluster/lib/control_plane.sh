# shellcheck shell=bash
# The control plane. A function starts one program; its name is the program's, its first argument the machine.

control_plane() {
  power_on "$MASTER"
  etcd "$MASTER"
  kube_apiserver "$MASTER"
  wait_for "the API server" 60 kubectl get --raw /readyz
  kube_controller_manager "$MASTER"
  kube_scheduler "$MASTER"
}

kubectl() { on "$MASTER" "$BIN/kubectl" "$@"; }

# etcd does not wait for the disk: its data is thrown away with the cluster.
etcd() {
  daemon "$1" "$BIN/etcd" --data-dir "$STATE/etcd" --unsafe-no-fsync --log-level warn \
    --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
    --listen-peer-urls http://127.0.0.1:2380
}

kube_apiserver() {
  api_server "$1" --advertise-address="$(address 1)" \
    --kubelet-client-certificate="$PKI/apiserver-kubelet-client.crt" \
    --kubelet-client-key="$PKI/apiserver-kubelet-client.key" \
    --kubelet-certificate-authority="$PKI/ca.crt" --kubelet-preferred-address-types=InternalIP
}

# api_server MACHINE FLAG...: with what any cluster needs, and these flags.
api_server() {
  daemon "$1" "$BIN/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 --secure-port=6443 \
    --tls-cert-file="$PKI/apiserver.crt" --tls-private-key-file="$PKI/apiserver.key" \
    --client-ca-file="$PKI/ca.crt" --authorization-mode=Node,RBAC --allow-privileged=true \
    --service-account-key-file="$PKI/sa.pub" --service-account-signing-key-file="$PKI/sa.key" \
    --service-account-issuer=https://kubernetes.default.svc --service-cluster-ip-range=10.96.0.0/12 "${@:2}"
}

kube_controller_manager() {
  daemon "$1" "$BIN/kube-controller-manager" --kubeconfig="$PKI/kube-controller-manager.kubeconfig" \
    --service-account-private-key-file="$PKI/sa.key" --root-ca-file="$PKI/ca.crt" \
    --use-service-account-credentials --allocate-node-cidrs=false --bind-address=127.0.0.1 --leader-elect=false \
    --node-monitor-grace-period=20s
}

kube_scheduler() {
  daemon "$1" "$BIN/kube-scheduler" --kubeconfig="$PKI/kube-scheduler.kubeconfig" --bind-address=127.0.0.1 \
    --leader-elect=false
}
