# podpath's survey of an image: which of its tools could probe, and for which
# machine it is. Runs as: sh -c SCRIPT, and answers on standard output, one fact
# to a line: a name, a blank, and a value to the end of the line. In this order,
# lines without a value left out:
#
#	podpath-survey 1            the version of this format
#	bash PATH                   likewise for each of these tools that there is: bash python3
#	                            perl nc od hexdump; just the name for what is built into
#	                            the shell
#	bash-version VERSION        as 5.2.15(1)-release
#	machine MACHINE             as uname -m prints it, such as x86_64, aarch64, armv7l
#	END                         without it the survey was cut
#
# It starts at most two programs, and writes nothing.
# shellcheck shell=sh

LC_ALL=C

echo "podpath-survey 1"
for tool in bash python3 perl nc od hexdump; do
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
echo END
