# shellcheck shell=bash
# The cgroups of the nodes' Pods: podpath/NODE in the one tree of cgroup v2, or in every tree of v1.

# make_cgroups NODE: the kubelet does not make its root itself.
make_cgroups() {
  local tree set
  for tree in $(cgroup_trees); do mkdir -p "$tree/podpath/$1"; done
  for set in podpath "podpath/$1"; do # v1: an empty set of processors takes no process
    [ -e /sys/fs/cgroup/cpuset/cpuset.cpus ] || continue
    cat /sys/fs/cgroup/cpuset/cpuset.cpus >"/sys/fs/cgroup/cpuset/$set/cpuset.cpus"
    cat /sys/fs/cgroup/cpuset/cpuset.mems >"/sys/fs/cgroup/cpuset/$set/cpuset.mems"
  done
}

# remove_cgroups: once the last process in them has ended.
remove_cgroups() {
  wait_for "the last processes in the Pods' cgroups" 10 no_cgroups
}

no_cgroups() {
  local tree
  for tree in $(cgroup_trees); do
    [ ! -d "$tree/podpath" ] || find "$tree/podpath" -depth -type d -exec rmdir {} + || return 1
  done
}

cgroup_trees() { findmnt --noheadings --list --output TARGET --types cgroup,cgroup2; }
