# shellcheck shell=bash
# Waiting with a limit, and who may run this.

# wait_for WHAT SECONDS COMMAND...: try COMMAND five times a second until it succeeds.
wait_for() {
  local what=$1 until=$((SECONDS + $2))
  shift 2
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS >= until)); then
      echo "timed out waiting for $what; the logs are in $STATE/log" >&2
      return 1
    fi
    sleep .2
  done
}

require_root() {
  [ "$(id -u)" = 0 ] && return
  echo "$0 needs root: it makes network namespaces, mounts and cgroups. Try: sudo $0 ..." >&2
  exit 1
}
