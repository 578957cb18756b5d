package cluster

import (
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// User is somebody with few rights: a ServiceAccount whose token is in a file that the kubeconfig names.
type User struct {
	// Kubeconfig is the user's file. Its namespace is the user's.
	Kubeconfig string
	// Name is how the API server calls the user.
	Name string

	cluster                   *Cluster
	namespace, account, token string
}

// Rule is a right: verbs on a resource, such as "pods", "pods/exec" or "endpointslices.discovery.k8s.io".
type Rule struct{ Verbs, Resource string }

// View is what podpath needs in a namespace to show it: see and follow its objects.
var View = []Rule{
	{"get,list,watch", "pods"},
	{"get,list,watch", "services"},
	{"get,list,watch", "endpointslices.discovery.k8s.io"},
	{"get,list,watch", "events"},
}

// Probe is what podpath needs besides to look out of the Pods of a namespace.
var Probe = []Rule{
	{"create,get", "pods/exec"},
	{"list", "ingresses.networking.k8s.io"},
	{"list", "networkpolicies.networking.k8s.io"},
}

// User makes a user who may do in a namespace what the rules say, and nothing else anywhere.
func (c *Cluster) User(namespace string, rules ...Rule) *User {
	c.t.Helper()
	folder := c.t.TempDir()
	u := &User{
		Kubeconfig: filepath.Join(folder, "config"),
		Name:       fmt.Sprintf("system:serviceaccount:%s:user", namespace),
		cluster:    c,
		namespace:  namespace,
		account:    "user",
		token:      filepath.Join(folder, "token"),
	}
	for i, rule := range rules {
		role := fmt.Sprintf("%s-%d", u.account, i)
		c.Kubectl("--namespace", namespace, "create", "role", role, "--verb="+rule.Verbs, "--resource="+rule.Resource)
		c.Kubectl("--namespace", namespace, "create", "rolebinding", role, "--role="+role,
			"--serviceaccount="+namespace+":"+u.account)
	}
	u.Renew()
	u.write()
	return u
}

// AllowEverywhere lets the user do what a rule says in all namespaces, and to what is in none, such as nodes.
func (u *User) AllowEverywhere(rule Rule) {
	u.cluster.t.Helper()
	role := fmt.Sprintf("%s-%s", u.namespace, rule.Resource)
	u.cluster.Kubectl("create", "clusterrole", role, "--verb="+rule.Verbs, "--resource="+rule.Resource)
	u.cluster.Kubectl("create", "clusterrolebinding", role, "--clusterrole="+role,
		"--serviceaccount="+u.namespace+":"+u.account)
	u.cluster.t.Cleanup(func() {
		u.cluster.Kubectl("delete", "clusterrolebinding/"+role, "clusterrole/"+role)
	})
}

// Renew writes a new token, of an account that is made if Revoke removed it, into the user's file.
func (u *User) Renew() {
	t := u.cluster.t
	t.Helper()
	u.cluster.Eventually("the account of "+u.Name, long, func() error {
		out, err := u.cluster.output("kubectl", "--namespace", u.namespace, "create", "token", u.account)
		if err != nil {
			if made, err := u.cluster.output("kubectl", "--namespace", u.namespace, "create", "serviceaccount", u.account); err != nil {
				return fmt.Errorf("%w: %s", err, made)
			}
			return fmt.Errorf("%w: %s", err, out)
		}
		return os.WriteFile(u.token, []byte(out), 0o600)
	})
}

// Revoke makes the user's token worthless, as if it had expired: the API server, which remembers a good token for 10 s,
// then answers 401 to new requests. It does not end watches that run.
func (u *User) Revoke() {
	u.cluster.t.Helper()
	u.cluster.Kubectl("--namespace", u.namespace, "delete", "serviceaccount", u.account)
}

// write makes the kubeconfig.
func (u *User) write() {
	t := u.cluster.t
	t.Helper()
	config, err := clientcmd.LoadFromFile(u.cluster.Kubeconfig)
	if err != nil {
		t.Fatalf("read the admin's kubeconfig: %v", err)
	}
	context := config.Contexts[config.CurrentContext]
	context.AuthInfo, context.Namespace = u.account, u.namespace
	config.AuthInfos = map[string]*api.AuthInfo{u.account: {TokenFile: u.token}}
	if err := clientcmd.WriteToFile(*config, u.Kubeconfig); err != nil {
		t.Fatalf("write a kubeconfig for %s: %v", u.Name, err)
	}
}
