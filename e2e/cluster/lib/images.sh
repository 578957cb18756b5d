# shellcheck shell=bash
# The container images, made from Debian's packages and our own programs: there is no registry to pull from.
# Their names are those of the manifests that people copy; what is inside is what Debian has.

IMAGES=$CACHE/images-$(fingerprint /etc/os-release "$CLUSTER"/{k8s,etcd,coredns}/go.sum \
  "$CLUSTER"/lib/images.sh "$CLUSTER"/images/go.mod "$CLUSTER"/images/*/*)
readonly IMAGES

images() {
  [ ! -e "$IMAGES/done" ] || return 0
  require_programs coredns
  local work
  work=$(mktemp -d)
  # shellcheck disable=SC2064 # the folder of now is meant
  trap "rm -rf '$work'" EXIT
  mkdir -p "$IMAGES"
  (cd "$CLUSTER/images" && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o "$work" ./mkimage ./echo ./ingress ./pause)
  local python
  # awk reads to the end: whoever stops at the first match lets apt-cache die of SIGPIPE, at times.
  python=$(apt-cache depends python3-minimal | awk 'match($0, /python3\.[0-9]+/) && !name { name = substr($0, RSTART, RLENGTH) } END { print name }')
  unpack_debian "$work/debian" nginx redis-server "$python"-minimal "lib$python-minimal" "lib$python-stdlib" perl-base curl

  pause_image "$work"
  busybox_image "$work"
  nginx_image "$work"
  redis_image "$work"
  echo_image "$work"
  ingress_image "$work"
  python_image "$work" "$python"
  perl_image "$work"
  curl_image "$work"
  shell_image "$work"
  coredns_image "$work"
  touch "$IMAGES/done"
}

require_images() { [ -e "$IMAGES/done" ] || { echo "there are no images; run: $CLUSTER/cluster images" >&2 && exit 1; }; }

# unpack_debian FOLDER PACKAGE...: the packages, and those that they need and this machine lacks, unpacked but not installed.
unpack_debian() {
  local folder=$1 package
  shift
  mkdir -p "$folder.debs/partial" "$folder"
  apt-get install -qq --no-install-recommends --download-only --reinstall \
    -o "Dir::Cache::archives=$folder.debs/" -o APT::Sandbox::User=root "$@" >/dev/null
  for package in "$folder".debs/*.deb; do dpkg -x "$package" "$folder"; done
}

# image WORK FILE NAME:TAG COMMAND...: the folder WORK/FILE as an image.
image() {
  local work=$1 file=$2 name=$3
  shift 3
  "$work/mkimage" "$IMAGES/$file.tar" "$name" "$work/$file.root" "$@"
  echo "made $name"
}

pause_image() {
  install -D "$1/pause" "$1/pause.root/pause"
  image "$1" pause registry.k8s.io/pause:3.10 /pause
}

# echo_image has no shell in it, like the images called distroless.
echo_image() {
  install -D "$1/echo" "$1/echo.root/echo"
  image "$1" echo example.test/echo:1 /echo
}

ingress_image() {
  install -D "$1/ingress" "$1/ingress.root/ingress"
  image "$1" ingress example.test/ingress:1 /ingress
}

# python_image WORK PYTHON: the standard library, and no other program.
python_image() {
  local root=$1/python.root library=/usr/lib/$2
  bare_root "$root"
  add_program "$1/debian" "$root" "/usr/bin/$2"
  mv "$root/usr/bin/$2" "$root/usr/bin/python3"
  mkdir -p "$root/usr/lib"
  cp -R "$1/debian$library" "$root/usr/lib/"
  rm -rf "$root$library"/config-* # for compiling C
  add_libraries "$1/debian" "$root" "$root$library"/lib-dynload/*.so
  image "$1" python example.test/python:1 python3 -m http.server 8080
}

# perl_image has what Debian's perl-base has, and no other program.
perl_image() {
  local root=$1/perl.root modules
  bare_root "$root"
  add_program "$1/debian" "$root" /usr/bin/perl
  for modules in "$1"/debian/usr/lib/*/perl-base; do
    mkdir -p "$root${modules#"$1/debian"}"
    cp -R "$modules/." "$root${modules#"$1/debian"}"
  done
  install "$CLUSTER/images/perl/serve.pl" "$root/"
  image "$1" perl example.test/perl:1 perl /serve.pl
}

# curl_image does nothing until somebody runs curl in it.
curl_image() {
  local root=$1/curl.root
  bare_root "$root"
  add_program "$1/debian" "$root" /usr/bin/curl
  install "$1/pause" "$root/"
  image "$1" curl example.test/curl:1 /pause
}

# shell_image has a shell that knows nothing but what it is told, and five tools: enough to take a program in and run it.
shell_image() {
  local root=$1/shell.root program
  bare_root "$root"
  folders "$root" bin
  for program in dash cat chmod rm sleep sha256sum; do add_program / "$root" "$(command -v "$program")"; done
  ln -sf "$(command -v dash)" "$root/bin/sh"
  install "$1/pause" "$root/"
  image "$1" shell example.test/shell:1 /pause
}

coredns_image() {
  install -D "$BIN/coredns" "$1/coredns.root/coredns"
  mkdir -p "$1/coredns.root/etc/ssl/certs"
  image "$1" coredns registry.k8s.io/coredns/coredns:v1.14.7 /coredns
}

busybox_image() {
  local root=$1/busybox.root applet
  folders "$root" bin var
  install /bin/busybox "$root/bin/busybox"
  for applet in $(/bin/busybox --list); do
    [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
  done
  echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
  echo 'root:x:0:' >"$root/etc/group"
  image "$1" busybox docker.io/library/busybox:1.35 sleep 1000000
}

nginx_image() {
  local root=$1/nginx.root
  shell_root "$root"
  folders "$root" etc/nginx var/lib/nginx var/log/nginx usr/share/nginx/html
  add_program "$1/debian" "$root" /usr/sbin/nginx
  cp "$CLUSTER/images/nginx/nginx.conf" "$root/etc/nginx/"
  cp "$CLUSTER/images/nginx/index.html" "$root/usr/share/nginx/html/"
  image "$1" nginx docker.io/library/nginx:1.12 nginx
}

redis_image() {
  local root=$1/redis.root
  shell_root "$root"
  add_program "$1/debian" "$root" /usr/bin/redis-server
  image "$1" redis docker.io/library/redis:3.2 redis-server --protected-mode no
}

# pack NAME:TAG PROGRAM: an image of nothing but one static program, on every node.
pack() {
  local work
  work=$(mktemp -d)
  # shellcheck disable=SC2064 # the folder of now is meant
  trap "rm -rf '$work'" EXIT
  (cd "$CLUSTER/images" && go build -o "$work" ./mkimage)
  install -D "$2" "$work/root/$(basename "$2")"
  "$work/mkimage" "$work/image.tar" "$1" "$work/root" "/$(basename "$2")"
  import "$work/image.tar"
}

# folders ROOT FOLDER...: the folders that every container expects, and these.
folders() {
  local root=$1 folder
  shift
  for folder in tmp etc run proc sys dev root data "$@"; do mkdir -p "$root/$folder"; done
  chmod 1777 "$root/tmp"
}

# bare_root ROOT: where a program of Debian runs, without a shell or anything else.
bare_root() {
  local root=$1
  folders "$root" usr/bin
  printf '%s\n' 'root:x:0:0:root:/root:/bin/false' 'nobody:x:65534:65534::/:/bin/false' >"$root/etc/passwd"
  printf '%s\n' 'hosts: files dns' 'passwd: files' >"$root/etc/nsswitch.conf"
}

# shell_root ROOT: a small Debian: bash and a few tools, no curl, no wget.
shell_root() {
  local root=$1 program
  folders "$root" bin usr/bin usr/sbin
  for program in bash ls cat cp mkdir rm chmod sleep uname; do add_program / "$root" "/bin/$program"; done
  for program in env head id getent tee true; do add_program / "$root" "/usr/bin/$program"; done
  ln -s bash "$root/bin/sh"
  printf '%s\n' 'root:x:0:0:root:/root:/bin/bash' 'nobody:x:65534:65534::/:/bin/false' >"$root/etc/passwd"
  printf '%s\n' 'root:x:0:' 'nogroup:x:65534:' 'adm:x:4:' >"$root/etc/group"
  printf '%s\n' 'hosts: files dns' 'passwd: files' 'group: files' >"$root/etc/nsswitch.conf"
}

# add_program FROM ROOT PATH: the program PATH of the tree FROM, and its libraries.
add_program() {
  local from=${1%/} root=$2 path=$3
  install -D "$from$path" "$root$path"
  add_libraries "$from" "$root" "$from$path"
}

# add_libraries FROM ROOT FILE...: the libraries that the files are linked to, from the tree FROM or from this machine.
add_libraries() {
  local from=${1%/} root=$2 library
  LD_LIBRARY_PATH=$(find "$from"/{lib,usr/lib} -maxdepth 1 -name '*-linux-gnu*' -printf '%p:' 2>/dev/null) ldd "${@:3}" |
    awk '/not found/ { print "cannot find " $1 >"/dev/stderr"; exit 1 } /^\t/ && match($0, /\/[^ ]+/) { print substr($0, RSTART, RLENGTH) }' |
    sort -u |
    while read -r library; do
      [ -e "$root${library#"$from"}" ] || install -D "$(readlink -f "$library")" "$root${library#"$from"}"
    done
}
