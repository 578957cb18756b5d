# podpath's prober for a POSIX shell with nc and either od or hexdump, as in a
# busybox image: speaks the protocol of package wire (probes/wire/wire.go) on
# its standard streams. Runs as: sh -c SCRIPT, or evaluated by a shell that has
# read it into $script, with its length as $0. It has no clock and says 0, and
# does not know its port.
#
# The nc of busybox runs a program on the connection (-e): this script again,
# which then knows that there is a connection, and sees how it ends. An nc
# without that has to say with -v that it is connected; it can do no Hold. nc
# differs from build to build, so its help text tells what it can do.
#
# Descriptors: 3 the answers, 4 what was received, on its way to dump, 5 the
# connection, 8 a line for each request that may begin, but for Holds. Each request has a pipe
# 9 for what is said about it; a held connection has a pipe 7 for its More and
# Drop, and all of them 6 to say where that is. A pipe with one end for both
# directions is opened through /proc, as nothing may be written to the disk.
# shellcheck shell=sh

LC_ALL=C
at_once=32
lifetime=600 # seconds; then whoever asked has long gone
part=192     # bytes to a line, because musl writes more than 1,024 in pieces
not_held='nothing\0040is\0040held\0040under\0040this\0040ID'

# say WORD...: one line with one write. When that fails nobody listens any more.
say() {
  printf '%s\n' "$*" >&3 || kill "$prober"
}

# own_pid: sets pid; $$ is that of the script also in its children.
own_pid() {
  read -r pid _ </proc/self/stat
}

# fail TEXT
fail() {
  rest=$1 text=''
  while [ "$rest" ]; do
    tail=${rest#?}
    char=${rest%"$tail"}
    case $char in
      [A-Za-z0-9./:_,=]) ;;
      [\ -~]) char=$(printf '\\0%03o' "'$char") ;;
      *) char='\0077' ;; # a question mark
    esac
    text=$text$char rest=$tail
  done
  say "$id" failed - 0 - "$text"
}

# hex: prints the bytes of its input in octal, some to a line.
hex() {
  if [ "$dumper" = od ]; then
    od -An -v -to1
  else
    hexdump -v -e '16/1 "%03o " "\n"'
  fi
}

# dump: the same for what the connection brings.
dump() {
  case $mode$op in
    piped*udp) dd bs=65535 count=1 | hex ;;
    piped*tcp) dd bs=1 count="$((count ? count : 1))" | hex ;; # or nothing is seen until nc ends
    *) hex ;;
  esac
}

# exchange COMMAND...: runs a command that connects or receives, for as long as the request may take, and answers.
exchange() {
  : | {
    exec 9<>/proc/self/fd/0 </dev/null
    {
      sleep "$seconds" >/dev/null &
      timer=$!
      printf '%s\n' "$timer" >&9
      "$@" <&5 4>&1 2>&9 &
      command=$!
      exec >&9
      if wait "$timer"; then # it was not killed
        echo late
        kill "$command"
      elif [ "$op" != hold ]; then
        kill "$command" # an nc that does not notice the end
      fi
      wait "$command"
    } | dump | answer
  }
}

# answer: reads what dump prints, and gives the answer when that ends.
answer() {
  data='' size=0 received=0
  while read -r line; do
    for byte in $line; do
      [ "$received" -lt "$count" ] || break 2
      if [ "$size" -eq "$part" ]; then
        say "$id" part "$connect_of_part" - - "$data"
        data='' size=0
      fi
      data="$data\\0$byte" size=$((size + 1)) received=$((received + 1))
    done
  done
  exec </dev/null
  read -r timer <&9
  kill "$timer"
  judge
  if [ "$result" = failed ]; then
    fail "${said:-$nc ended without a word}"
  else
    say "$id" "$result" "$connect" 0 - "${data:--}"
  fi
}

# judge: sets result and connect from what was said.
judge() {
  echo end >&9
  late='' said='' connect=-
  while read -r line <&9 && [ "$line" != end ]; do
    case $line in
      late) late=yes ;;
      connected) connect=0 ;;
      *) said="$said${said:+; }$line" ;;
    esac
  done
  [ "$mode$op" = pipedtcp ] && case $said in
    *open* | *succeeded* | *'onnected to'*) connect=0 ;;
  esac
  case $said in
    *'onnection refused'*) result=refused ;;
    *'No route to host'* | *nreachable* | *' is down'*) result=unreachable ;;
    *'reset by peer'* | *'roken pipe'*) result=reset ;;
    *'ermission denied'* | *'not permitted'*) result=denied ;;
    *'imed out'*) result=timeout ;;
    *) result='' ;;
  esac
  if [ -z "$result" ]; then
    case $late$op$connect in
      yeshold*) result=timeout ;; # whoever held it was ended
      yes*) [ "$count" = 0 ] && [ "$connect" = 0 ] && result=ok || result=timeout ;;
      tcp0 | hold0 | more*) result=ok ;;
      udp*) [ "$mode$received" = piped0 ] && [ "$count" != 0 ] && result=refused || result=ok ;;
      file*) [ "$said" ] && result=failed || result=ok ;;
      *) result=failed ;;
    esac
  fi
  [ "$received" -eq 0 ] || [ "$received" -lt "$count" ] || result=ok
  if [ "$op" = hold ] && [ "$result" != ok ]; then
    echo "$id:0" >&6
  fi
}

# transfer BLOCKS SIZE: sends the data, and receives that many blocks of that size. What it receives goes to standard output.
transfer() {
  [ "$payload" = - ] || printf %b "$payload" >&5 || exit
  [ "$count" -gt 0 ] || exit
  exec dd count="$1" bs="$2" <&5
}

# connected: runs in the place of nc, on a connection.
connected() {
  exec 5<&0
  case $op in tcp) echo connected >&9 ;; esac
  case $op in
    tcp) transfer "$count" 1 >&4 ;;
    udp) transfer 1 65535 >&4 ;;
    hold)
      held
      ;;
  esac
}

# held: does what is asked for a held connection.
held() {
  own_pid
  echo "$id:$pid" >&6 # before the Hold is answered, or it would be looked for in vain
  echo connected >&9
  exec </dev/null >/dev/null 2>&1 4>&- 9>&-
  while read -r id op timeout address port count payload <&7; do
    set_seconds
    case $op in
      more) exchange transfer 1 "$((count ? count : 1))" ;;
      drop)
        say "$id" ok - 0 - -
        return
        ;;
      *) return ;;
    esac
  done
}

# piped: nc itself, with what it shall send in a pipe that never ends.
piped() {
  [ "$payload" = - ] || printf %b "$payload" >&7
  case $op$count$payload in
    udp*) set -- -u ;;
    tcp0-) set -- -v -z ;;
    *) set -- -v ;;
  esac
  # shellcheck disable=SC2086 # these are words
  exec $nc "$@" "$address" "$port" <&7 4>&-
}

# set_seconds: from the timeout, as sleep takes it.
set_seconds() {
  if [ "$fractions" ]; then
    seconds=$((timeout / 1000)).$((timeout % 1000 + 1000))
    seconds=${seconds%.*}.${seconds#*.1}
  else
    seconds=$(((timeout + 999) / 1000))
  fi
}

# work: does one request.
work() {
  set_seconds
  connect_of_part=-
  case $op in
    file)
      path=$(printf %b "$address")
      case $path in /proc/self/*) path=/proc/$$/${path#/proc/self/} ;; esac
      exchange cat -- "$path"
      ;;
    tcp | udp | hold)
      why=$(cannot)
      if [ "$why" ]; then
        [ "$op" = hold ] && echo "$id:0" >&6
        fail "$why"
      elif [ "$mode" = piped ]; then
        : | {
          exec 7<>/proc/self/fd/0
          exchange piped
        }
      else
        [ "$op" = udp ] && set -- -u
        [ "$op" = udp ] || connect_of_part=0
        # Whoever holds the connection is asked through the pipe 7.
        # shellcheck disable=SC2086 # these are words
        : | {
          exec 7<>/proc/self/fd/0 </dev/null
          exchange $nc "$@" "$address" "$port" -e $shell -c "$script" sh \
            connected "$id" "$op" "$count" "$payload" "$fractions" "$dumper" "$prober"
        }
      fi
      ;;
    *) fail "sh cannot $op" ;;
  esac
  [ "$op" = hold ] || echo >&8
}

# cannot: prints why the request cannot be done here.
cannot() {
  if [ -z "$nc" ]; then
    echo "there is no nc"
  elif [ -z "$dumper" ]; then
    echo "there is neither od nor hexdump"
  elif [ -z "$mode" ]; then
    echo "this nc has neither -e, to run a program, nor -v, to say that it is connected"
  elif [ "$op" = udp ] && [ -z "$udp" ]; then
    echo "this nc has no -u, for UDP"
  elif [ "$op" = hold ] && [ "$mode" = piped ]; then
    echo "this nc has no -e, without which sh cannot hold a connection"
  fi
}

# look_around: finds out what there is to work with.
look_around() {
  nc='' mode='' udp='' dumper='' fractions=''
  help=$(busybox nc -h 2>&1 </dev/null)
  case $help in *Usage*) nc='busybox nc' ;; esac
  if command -v nc; then
    nc=nc
    help=$(nc -h 2>&1 </dev/null)
  fi
  case $help in
    *BusyBox*-e\ PROG*) mode=program ;;
    *[!a-z]-v[!a-z]*) mode=piped ;;
  esac
  case $help in *[!a-z]-u[!a-z]*) udp=yes ;; esac
  if command -v od; then
    dumper='od'
  elif command -v hexdump; then
    dumper='hexdump'
  fi
  sleep 0.001 && fractions=yes
  # The shell and the script, for nc -e: the command line is SHELL... -c SCRIPT.
  # Or what is there has read the script, of the length $0, into the variable.
  words=$(tr '\000' '\n' <"/proc/$$/cmdline")
  shell=${words%%
-c
*}
  [ "${#script}" = "$0" ] || script=${words#*
-c
}
}

# pass: hands More and Drop to the held connection of that ID.
pass() {
  case $holds in
    *" $id "*) ;;
    *) return 1 ;;
  esac
  find_holder "$id"
  [ "$pid" != 0 ] || return 1
  if [ "$op" = drop ]; then
    holds="${holds%%" $id "*} ${holds#*" $id "}"
    holders="${holders%%" $id:$pid"*}${holders#*" $id:$pid"}"
  fi
  printf '%s\n' "$id $op $timeout $address $port $count $payload" >"/proc/$pid/fd/7"
}

# find_holder ID: sets pid to the process that holds the connection, or to 0. It has said so before the Hold was answered.
find_holder() {
  while :; do
    case $holders in *" $1:"*) break ;; esac
    read -r line <&6
    holders="$holders $line "
  done
  pid=${holders##*" $1:"}
  pid=${pid%% *}
}

# guard: ends the prober at the end of its life.
guard() {
  sleep "$lifetime" &
  sleeper=$!
  trap 'kill "$sleeper"; exit' TERM
  wait "$sleeper" && kill "$prober"
}

# give_up: ends early, with all children.
give_up() {
  trap '' TERM
  kill "$guard"
  finish
  wait
  exit 1
}

# finish: ends the connections that are still held.
finish() {
  for id in $holds; do
    find_holder "$id"
    [ "$pid" = 0 ] || echo "0 end 0 - 0 0 -" >"/proc/$pid/fd/7"
  done
}

main() {
  asked=0 holds=' ' holders=' '
  own_pid
  prober=$pid
  guard >/dev/null &
  guard=$!
  trap give_up TERM
  look_around >/dev/null
  say podpath 1 sh
  i=0
  while [ "$i" -lt "$at_once" ]; do
    echo >&8
    i=$((i + 1))
  done
  while read -r id op timeout address port count payload; do
    asked=$((asked + 1))
    case $op in
      more | drop) pass || say "$id" failed - 0 - "$not_held" ;;
      *)
        case $op in
          hold) holds="$holds$id " ;; # it may take as long as all others
          *) read -r _ <&8 ;;
        esac
        work &
        ;;
    esac
  done
  kill "$guard"
  finish
  wait
  say END "$asked"
}

trap '' PIPE # a write that fails is noticed, and said
if [ "$1" = connected ]; then
  shift
  script='' mode=program connect_of_part=-
  id=$1 op=$2 count=$3 payload=$4 fractions=$5 dumper=$6 prober=$7 nc=nc
  connected
  exit
fi
# Standard error stays open as 9: when it closes, containerd closes the standard input of an exec.
exec 3>&1 5<&0 9>&2 2>/dev/null
: | {
  exec 8<>/proc/self/fd/0
  : | {
    exec 6<>/proc/self/fd/0 <&5
    main
  }
}
