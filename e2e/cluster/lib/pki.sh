# shellcheck shell=bash
# Keys, certificates and kubeconfigs, new at every start, in $STATE/pki.

readonly PKI=$STATE/pki

# pki MASTER ADDRESS: of a cluster whose API server is on the machine MASTER, at ADDRESS.
pki() {
  local master=$1 address=$2
  mkdir -p "$PKI"
  certificate ca "/CN=kubernetes-ca" CA:TRUE keyCertSign,cRLSign
  signed apiserver "/CN=kube-apiserver" \
    "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:localhost,DNS:$master,IP:127.0.0.1,IP:10.96.0.1,IP:$address"
  signed apiserver-kubelet-client "/O=system:masters/CN=kube-apiserver-kubelet-client"
  openssl ecparam -name prime256v1 -genkey -noout -out "$PKI/sa.key"
  openssl ec -in "$PKI/sa.key" -pubout -out "$PKI/sa.pub" 2>/dev/null

  user admin "/O=system:masters/CN=kubernetes-admin" "$address"
  user kube-controller-manager "/CN=system:kube-controller-manager" "$address"
  user kube-scheduler "/CN=system:kube-scheduler" "$address"
  user kube-proxy "/CN=system:kube-proxy" "$address"
}

# user NAME SUBJECT ADDRESS [NAMES]: a certificate and the kubeconfig that uses it.
user() {
  local name=$1 subject=$2 address=$3 names=${4:-}
  signed "$name" "$subject" "$names"
  cat >"$PKI/$name.kubeconfig" <<CONFIG
apiVersion: v1
kind: Config
current-context: pi
contexts:
- name: pi
  context: {cluster: pi, user: $name}
clusters:
- name: pi
  cluster:
    server: https://$address:6443
    certificate-authority-data: $(base64 -w0 "$PKI/ca.crt")
users:
- name: $name
  user:
    client-certificate-data: $(base64 -w0 "$PKI/$name.crt")
    client-key-data: $(base64 -w0 "$PKI/$name.key")
CONFIG
}

# signed NAME SUBJECT [NAMES]: a certificate of our authority.
signed() {
  local names=()
  [ -z "${3:-}" ] || names=(-addext "subjectAltName=$3")
  certificate "$1" "$2" CA:FALSE digitalSignature,keyEncipherment -CA "$PKI/ca.crt" -CAkey "$PKI/ca.key" \
    -addext "extendedKeyUsage=clientAuth,serverAuth" "${names[@]}"
}

# certificate NAME SUBJECT BASIC-CONSTRAINTS KEY-USAGE [OPTION...]: a new key and its certificate.
certificate() {
  local name=$1 subject=$2 constraints=$3 usage=$4
  shift 4
  openssl req -x509 -config <(printf '%s\n' '[req]' 'distinguished_name = dn' '[dn]') -days 30 -subj "$subject" \
    -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -keyout "$PKI/$name.key" -out "$PKI/$name.crt" \
    -addext "basicConstraints=critical,$constraints" -addext "keyUsage=critical,$usage" "$@" 2>/dev/null
}
