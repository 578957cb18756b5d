#!/usr/bin/env bash
# hold.sh MACHINE FOLDER: the first process of a machine, in new namespaces. It gives the machine its name and, in FOLDER,
# its own files where programs have them in a fixed place; then it reaps the children of programs that ended before them.
set -euo pipefail

readonly OWN=(/run/containerd /run/cni /var/lib/containerd /var/lib/kubelet /var/lib/cni /var/log/pods
  /var/log/containers /etc/cni/net.d)
machine=$1 folder=$2

hostname "$machine"
mount --make-rshared /
for place in "${OWN[@]}"; do
  mkdir -p "$place" "$folder$place"
  mount --bind "$folder$place" "$place"
done
touch "$folder/holding"

while :; do
  sleep infinity &
  wait
done
