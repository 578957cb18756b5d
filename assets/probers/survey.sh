# podpath's survey of an image: what of its tools could probe, and where a
# program could be written and run. Runs as: sh -c SCRIPT, and answers on
# standard output, one fact to a line: a name, a blank, and a value to the end
# of the line. In this order, lines without a value left out:
#
#	podpath-survey 1            the version of this format
#	bash PATH                   likewise for each of these tools that there is: bash python3
#	                            python perl nc busybox curl wget od hexdump; just the name
#	                            for what is built into the shell
#	bash-version VERSION        as 5.2.15(1)-release
#	machine MACHINE             as uname -m prints it, such as x86_64, aarch64, armv7l
#	dir PATH                    a folder that can be written and whose programs can be run,
#	                            best first: /tmp, the home folder, mounted volumes
#	END                         without it the survey was cut
#
# It starts at most two programs, and writes nothing.
# shellcheck shell=sh

LC_ALL=C

# usable FOLDER: that it can be written, and that its mount allows programs to run.
usable() {
  [ -d "$1" ] && [ -w "$1" ] && [ -x "$1" ] || return 1
  best='' allowed=no
  while read -r _ mount _ options _; do
    below=${mount%/}/
    case $1/ in
      "$below"*) ;;
      *) continue ;;
    esac
    if [ "${#mount}" -ge "${#best}" ]; then # of two at the same place the later one counts
      best=$mount allowed=yes
      case ,$options, in *,noexec,* | *,ro,*) allowed=no ;; esac
    fi
  done </proc/mounts
  [ "$allowed" = yes ]
}

# offer FOLDER: prints it when it is usable. Paths that would need quotes are not worth the trouble.
offer() {
  case $1 in
    *[!A-Za-z0-9./_-]* | '' | / | [!/]*) return ;;
  esac
  case $offered in *" $1 "*) return ;; esac
  offered="$offered $1 "
  if usable "$1"; then echo "dir $1"; fi
}

# volumes: offers what is mounted from a disk, as emptyDirs are. On tmpfs are secrets.
volumes() {
  while read -r device mount type _; do
    case $type in
      ext[234] | xfs | btrfs | f2fs | zfs | overlay) ;;
      *) continue ;;
    esac
    case $mount in
      /dev/* | /proc/* | /sys/* | /etc/*) ;; # files and folders that the runtime mounts
      *) [ "$device" ] && offer "$mount" ;;
    esac
  done </proc/mounts
}

echo "podpath-survey 1"
for tool in bash python3 python perl nc busybox curl wget od hexdump; do
  if path=$(command -v "$tool" 2>/dev/null) && [ "$path" ]; then
    echo "$tool $path"
  fi
done
if command -v bash >/dev/null 2>&1; then
  # shellcheck disable=SC2016 # bash expands it
  version=$(bash -c 'echo "$BASH_VERSION"' 2>/dev/null)
  [ "$version" ] && echo "bash-version $version"
fi
machine=$(uname -m 2>/dev/null)
[ "$machine" ] && echo "machine $machine"
offered=
offer /tmp
offer "${HOME-}"
volumes
echo END
