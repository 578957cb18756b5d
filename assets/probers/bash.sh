# podpath's prober for bash 4.2 and later: speaks the protocol of package wire
# (probes/wire/wire.go) on its standard streams. Runs as: bash -c SCRIPT.
# It needs nothing but bash, and cat for UDP.
#
# A pool of workers, each a child with a pipe of its own, does the requests,
# one at a time each; a Hold gets a worker for itself. bash cannot limit the
# time of a connect, so watch() interrupts the workers that take too long.
#
# Descriptors: 3 the answers, 4 the connection, 5 what bash says on stderr,
# 7 a datagram, 8 the numbers of the workers that are idle. Standard output
# leads to watch().
# shellcheck shell=bash

LC_ALL=C
IFS=' '
workers_at_most=32
lifetime=600 # seconds; then whoever asked has long gone
plain='A-Za-z0-9./:_,='

# clock sets now, in microseconds, and clockless where that is too coarse to be reported.
if ((BASH_VERSINFO[0] >= 5)); then
  clockless=0
  clock() { now=${EPOCHREALTIME/[.,]/}; }
else
  clockless=1
  clock() {
    read -r now _ </proc/uptime
    now=${now/./}0000
  }
fi

# since FROM: sets elapsed to the microseconds since then.
since() {
  clock
  elapsed=$((clockless ? 0 : now - $1))
}

# say LINE: one write, so that the lines of the workers never mix. When it fails nobody listens any more.
say() {
  printf '%s\n' "$1" 2>/dev/null >&3 || kill "$prober" 2>/dev/null
}

# message: sets message to what bash or cat has said on stderr since it was last asked.
message() {
  local line
  message=
  while read -r -t 0 -u 5; do
    read -r -t 1 -u 5 line || return 0
    message=${message:+$message; }${line#*: line *: }
  done
}

# understand: sets result to what message means.
understand() {
  case $message in
    *refused*) result=refused ;;
    *'timed out'* | *'Interrupted system call'*) result=timeout ;; # the latter is from watch()
    *'No route to host'* | *nreachable* | *' is down'*) result=unreachable ;;
    *'reset by peer'* | *'Broken pipe'*) result=reset ;;
    *'ermission denied'* | *'not permitted'*) result=denied ;;
    *) result=failed ;;
  esac
}

# encode TEXT: appends it to data in escaped form. What is frequent in tables of the kernel is escaped in one go; going
# through the rest takes bash much longer.
encode() {
  local rest=${1//\\/\\0134} run byte
  rest=${rest// /\\0040}
  rest=${rest//$'\n'/\\0012}
  while [[ $rest ]]; do
    # shellcheck disable=SC2295 # plain is part of the pattern
    run=${rest%%[!$plain\\]*}
    rest=${rest:${#run}}
    data+=$run
    if [[ $rest ]]; then
      printf -v byte %d "'${rest:0:1}"
      printf -v byte '\\0%03o' $((byte & 255)) # negative for 128 and up in some versions
      data+=$byte
      rest=${rest:1}
    fi
  done
}

# take SECONDS COUNT: reads up to COUNT bytes, but not beyond a NUL, from descriptor source into data.
take() {
  local chunk status size
  IFS= read -r -d '' -n "$2" -t "$1" -u "$source" chunk
  status=$?
  size=${#chunk}
  encode "$chunk"
  if ((status == 0 && size < $2)); then # read drops the NUL
    data+='\0000'
    ((size++))
  fi
  ((received += size))
  if ((received - given > 768 - 257)); then # the next chunk might not fit into the line
    say "$id part ${connect:--} - - $data"
    data=
    given=$received
  fi
  return "$status"
}

# receive COUNT [once]: reads until COUNT bytes, the end, or the deadline; once: until nothing more is there.
receive() {
  local left size seconds
  given=0 received=0 result=ok
  while ((received < $1)); do
    left=$(($1 - received))
    size=$((left < 256 ? left : 256))
    clock
    left=$((deadline - now))
    if [[ ${2-} && $received -gt 0 ]]; then
      read -r -t 0 -u "$source" || return 0
      # A slow machine may not get through all that is there in that time.
      take 0.01 "$size" || (($? > 128)) || return 0
      continue
    elif ((left <= 0)); then
      result=timeout
      return 0
    fi
    printf -v seconds '%d.%06d' $((left / 1000000)) $((left % 1000000))
    [[ ${2-} ]] && size=1
    take "$seconds" "$size" && continue
    if (($? > 128)); then
      result=timeout
    else
      ended
    fi
    return 0
  done
}

# receive_lines COUNT: as receive, for a table of the kernel. There read would begin anew for every chunk.
receive_lines() {
  local lines line
  given=0 received=0 result=ok
  mapfile -u "$source" lines || ended
  for line in "${lines[@]}"; do
    line=${line:0:$1-received}
    while [[ $line ]]; do
      encode "${line:0:256}"
      ((received += ${#line} < 256 ? ${#line} : 256))
      line=${line:256}
      if ((received - given > 768 - 257)); then
        say "$id part ${connect:--} - - $data"
        data=
        given=$received
      fi
    done
  done
}

# ended: sets result after the end of a stream: its regular end, unless something was said.
ended() {
  message
  [[ $message ]] && understand
}

# answer RESULT
answer() {
  since "$began"
  say "$id $1 ${connect:--} $elapsed - ${data:--}"
}

# fail TEXT
fail() {
  data=
  encode "$1"
  answer failed
}

# reach PATH: opens it as descriptor 4, within the time; false when it has answered that this failed.
reach() {
  printf '%s %s\n' "$BASHPID" "$timeout" # to watch()
  if [[ $1 == /dev/* && $op != file ]]; then
    exec 4<>"$1"
  else
    exec 4<"$1"
  fi
  local failed=$?
  printf '%s -\n' "$BASHPID"
  ((failed == 0)) && return 0
  message
  understand
  if [[ $result == failed ]]; then
    fail "$message"
  else
    answer "$result"
  fi
  return 1
}

# send: writes the payload of the request.
send() {
  [[ $payload == - ]] && return 0
  printf '%b' "$payload" >&4 && return 0
  ended
  return 1
}

# send_datagram: writes the payload with one write. printf alone would make one of each line.
send_datagram() {
  if [[ $payload != *'\0012'* ]]; then
    send
    return
  fi
  exec 7< <(
    printf '%b' "$payload"
    printf . >&5
  )
  read -r -n 1 -t 5 -u 5 # all of it is in the pipe now
  cat <&7 >&4
  exec 7<&-
}

tcp() {
  reach "/dev/tcp/$address/$port" || return 0
  since "$began"
  connect=$elapsed result=ok source=4
  send && receive "$count"
  exec 4>&-
  answer "$result"
}

udp() {
  local cat
  if ! type cat >/dev/null; then
    fail 'bash needs cat for UDP, and there is none'
    return
  fi
  reach "/dev/udp/$address/$port" || return 0
  result=ok source=7
  if send_datagram && ((count > 0)); then
    # A datagram has to be read at once, which bash's read does not do.
    exec 7< <(
      printf '%s\n' "$BASHPID"
      exec cat <&4
    )
    read -r -t 5 -u 7 cat
    receive "$count" once
    kill "$cat"
    exec 7<&-
  fi
  exec 4>&-
  message # of the kill, for one that had ended
  answer "$result"
}

file() {
  local path
  printf -v path %b "$address"
  reach "$path" || return 0
  source=4
  if [[ $path == /proc/net/* ]]; then
    receive_lines "$count"
  else # it may have NULs
    receive "$count"
  fi
  exec 4<&-
  if [[ $result == failed ]]; then
    fail "$message"
  else
    answer "$result"
  fi
}

hold() {
  held=
  reach "/dev/tcp/$address/$port" || return 0
  since "$began"
  connect=$elapsed held=yes
  answer ok
}

more() {
  result=ok source=4
  send && receive "$count" once
  answer "$result"
}

drop() {
  held=
  exec 4>&-
  answer ok
}

# work NUMBER: answers the requests on its input.
work() {
  local id op timeout address port count payload
  local began connect data deadline elapsed given message now received result held='' source
  exec 5<> <(:) 2>&5
  trap : USR1
  while read -r id op timeout address port count payload && [[ $op != end ]]; do
    connect='' data=''
    clock
    began=$now deadline=$((now + timeout * 1000))
    case $op in
      tcp | udp | file | hold) "$op" ;;
      more | drop)
        if [[ $held ]]; then
          "$op"
        else
          fail 'nothing is held under this ID'
        fi
        ;;
      *) fail "bash cannot $op" ;;
    esac
    [[ $1 == - ]] || printf '%s\n' "$1" >&8
  done
  printf '%s\n' "$1" >&8
}

# dispatch: hands each request to a worker.
dispatch() {
  local -A holders=()
  local -a pool=()
  local id rest worker requests=0 holding=0
  prober=$BASHPID
  printf '%s\n' "$prober" # to watch()
  exec 8<> <(:)
  say 'podpath 1 bash'
  while read -r id rest; do
    ((requests++))
    case $rest in
      hold\ *)
        release "$id"
        exec {worker}> >(work -)
        holders[$id]=$worker
        ((holding++))
        ;;
      more\ * | drop\ *) worker=${holders[$id]-} ;;
      *) idle ;;
    esac
    if [[ $worker ]]; then
      printf '%s\n' "$id $rest" >&"$worker"
    else
      say "$id failed - 0 - nothing\\0040is\\0040held\\0040under\\0040this\\0040ID"
    fi
    [[ $rest == drop\ * ]] && release "$id"
  done
  finish
  say "END $requests"
}

# idle: sets worker to one that has nothing to do.
idle() {
  while read -r -t 0 -u 8 || ((${#pool[@]} == workers_at_most)); do
    read -r -u 8 worker
    if [[ $worker != - ]]; then
      worker=${pool[worker]}
      return
    fi
    ((holding--)) # one that held a connection has ended
  done
  exec {worker}> >(work "${#pool[@]}")
  pool+=("$worker")
}

# release ID: ends the worker that holds a connection.
release() {
  local worker=${holders[$1]-}
  [[ $worker ]] || return 0
  printf '0 end\n' >&"$worker"
  exec {worker}>&-
  unset "holders[$1]"
}

# finish: waits until all workers have nothing to do, and ends them.
finish() {
  local worker left
  for worker in "${!holders[@]}"; do
    release "$worker"
  done
  left=$((${#pool[@]} + holding))
  while ((left > 0)); do
    read -r -u 8 worker
    ((left--))
  done
  for worker in "${pool[@]}"; do
    printf '0 end\n' >&"$worker"
  done
}

# watch: reads "PID MILLISECONDS" when a worker begins to connect, and "PID -" when that is over; interrupts those whose
# time has passed, and ends the prober at the end of its life. When all of them have ended so does its input.
watch() {
  local -A limits=()
  local pid left seconds next
  read -r prober
  while :; do
    next=5000000
    clock
    for pid in "${!limits[@]}"; do
      left=$((limits[$pid] - now))
      if ((left <= 0)); then
        kill -USR1 "$pid" 2>/dev/null || unset "limits[$pid]"
        left=100000 # the signal may have come just before the connect
      fi
      ((left < next)) && next=$left
    done
    printf -v seconds '%d.%06d' $((next / 1000000)) $((next % 1000000))
    if read -r -t "$seconds" pid left; then
      clock
      if [[ $left == - ]]; then
        unset "limits[$pid]"
      else
        limits[$pid]=$((now + left * 1000))
      fi
    elif (($? <= 128)); then
      return
    fi
    ((SECONDS < lifetime)) || kill "$prober" 2>/dev/null
  done
}

trap '' PIPE
exec 3>&1
dispatch | watch
