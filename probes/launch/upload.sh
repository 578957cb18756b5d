# Writes a program of SIZE bytes and a SHA-256 SUM from stdin into the first
# directory that is writable and where programs may run, or deletes it when SIZE
# is 0:
#
#   sh -c SCRIPT sh SIZE SUM NAME DIRECTORY...
#
# It answers with the lines "file PATH", "size BYTES" and "sha256 SUM", as far
# as there are tools for that, and END. No line "file" means no directory.
# shellcheck shell=sh
size=$1 sum=$2 name=$3
shift 3
umask 077
set -- "$@" "${HOME%/}" # of root it may be /, which is not tried

# Volumes such as an emptyDir may be the only places that are writable.
if [ -r /proc/mounts ]; then
  while read -r _ directory _; do
    case $directory in
    / | /proc* | /sys* | /dev* | /etc/*) ;;
    *) set -- "$@" "$directory" ;;
    esac
  done </proc/mounts
fi

for directory; do
  [ -d "$directory" ] || continue # single files are mounted, too
  file=$directory/$name
  if [ "$size" = 0 ]; then
    rm -f "$file" || exit 1
    continue
  fi
  [ -w "$directory" ] || continue

  # A tiny program tells whether the directory is mounted noexec.
  if ! { echo '#!/bin/sh' >"$file" && chmod 700 "$file" && "$file"; } 2>/dev/null; then
    rm -f "$file" 2>/dev/null
    continue
  fi
  echo "file $file"
  cat >"$file"

  # Input that ends early means that podpath is gone: nobody else cleans up.
  # Either tool tells.
  if got=$(wc -c <"$file" 2>/dev/null); then
    got=$((got)) # some wc write blanks before it
    echo "size $got"
    [ "$got" = "$size" ] || rm -f "$file"
  fi
  if got=$(sha256sum "$file" 2>/dev/null); then
    echo "sha256 ${got%% *}"
    [ "${got%% *}" = "$sum" ] || rm -f "$file"
  fi
  break
done
echo END
