# shellcheck shell=bash
# What an installer such as kubeadm or k3s adds to bare nodes: who is the control plane, the Pods' addresses, DNS, Ingress.

all_ready() { [ "$(kubectl get nodes --no-headers 2>/dev/null | grep -c ' Ready ')" = "${#NODES[@]}" ]; }

addons() {
  local i
  kubectl label node "$MASTER" node-role.kubernetes.io/control-plane= >/dev/null
  kubectl taint node "$MASTER" node-role.kubernetes.io/control-plane:NoSchedule >/dev/null
  for i in 1 2 3; do
    kubectl patch node "raspi00$i" --patch "{\"spec\": {\"podCIDR\": \"$(pod_range "$i")\"}}" >/dev/null
  done
  kubectl apply --filename "$HERE/coredns.yaml" --filename "$HERE/ingress.yaml" >/dev/null
  kubectl --namespace kube-system rollout status deployment/coredns --timeout=120s >/dev/null
  kubectl --namespace ingress rollout status deployment/ingress --timeout=120s >/dev/null
}
