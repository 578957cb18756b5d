# shellcheck shell=bash
# A machine: a network namespace with a name and, if programs run on it, one process that holds its mounts, process ids
# and host name. When that process is killed the kernel ends everything that ran on the machine and drops its mounts, so
# nothing can be left behind.

# on MACHINE COMMAND...: run a command in a machine's network, with the mounts and process ids of this one. Not with
# `ip netns exec`: that mounts a new /sys, without the cgroups.
on() {
  local machine=$1
  shift
  [ -e "/run/netns/$machine" ] || { echo "there is no machine $machine; start it: $0 up" >&2 && return 1; }
  nsenter --net="/run/netns/$machine" "$@"
}

# power_on MACHINE: start the process that holds the machine whose network namespace is there already.
power_on() {
  local machine=$1
  mkdir -p "$STATE/$machine" "$STATE/log"
  nsenter --net="/run/netns/$machine" setsid unshare --mount --uts --pid --fork --kill-child --mount-proc \
    "$CLUSTER/lib/hold.sh" "$machine" "$STATE/$machine" >"$STATE/log/$machine.log" 2>&1 </dev/null &
  echo $! >"$STATE/$machine/holder"
  wait_for "$machine" 10 test -e "$STATE/$machine/holding"
}

# is_up MACHINE: whether its holder lives. A process of that id that is not in the machine's network is another's.
is_up() { [ "/proc/$(cat "$STATE/$1/holder" 2>/dev/null)/ns/net" -ef "/run/netns/$1" ]; }

# inside MACHINE COMMAND...: run a command in all namespaces of a machine.
inside() {
  local machine=$1 holder
  shift
  is_up "$machine" || { echo "$machine is down" >&2 && return 1; }
  holder=$(cat "$STATE/$machine/holder")
  nsenter --target "$holder" --net --mount --uts --pid="/proc/$holder/ns/pid_for_children" "$@"
}

# daemon MACHINE PROGRAM [ARG...]: start a program on a machine, with its output in a log of its name. It gets no other open
# file: one of the caller's, such as a lock, would stay open as long as it runs.
daemon() (
  local machine=$1 program=$2 fd
  for fd in /proc/self/fd/*; do
    fd=${fd##*/}
    ((fd <= 2)) || eval "exec $fd>&-" 2>/dev/null || true
  done
  inside "$machine" setsid --fork "${@:2}" >>"$STATE/log/$machine.${program##*/}.log" 2>&1 </dev/null
)

# runs MACHINE PROGRAM: whether it does. The kernel keeps 15 letters of a program's name.
runs() { inside "$1" pgrep --exact "${2:0:15}" >/dev/null; }

# kill_program MACHINE PROGRAM: end it at once, and wait until it has.
kill_program() {
  inside "$1" pkill -KILL --exact "${2:0:15}" || { echo "no $2 runs on $1" >&2 && return 1; }
  wait_for "the end of $2 on $1" 10 eval "! runs '$1' '$2'"
}

# remove_machine MACHINE: switch it off, with all that runs on it, sessions of people included. One that is not there is fine.
remove_machine() {
  local machine=$1 until=$((SECONDS + 10)) processes
  while processes=$(ip netns pids "$machine" 2>/dev/null) && [ -n "$processes" ]; do
    ((SECONDS < until)) || { echo "cannot end the processes of $machine: ${processes//$'\n'/ }" >&2 && return 1; }
    # shellcheck disable=SC2086 # one word each
    kill -KILL $processes 2>/dev/null || true
    sleep .1
  done
  [ ! -e "/run/netns/$machine" ] || ip netns del "$machine"
}
