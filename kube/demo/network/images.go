package network

import "strings"

// image is what is known of the images of some name.
type image struct {
	name string
	kind string // of its listeners
	port uint16 // where it listens though no port is declared; 0 for nowhere
	// programs are those that commands can be run of, between blanks.
	programs string
}

const (
	coreutils = " sh cat ls env hostname "
	glibc     = coreutils + "getent "
	busybox   = coreutils + "busybox nc wget nslookup od hexdump "
)

// images are matched by the last part of a name, before its tag. The last one
// is for all others.
var images = []image{
	{"nginx", "http", 80, glibc},
	{"httpd", "http", 80, glibc},
	{"redis", "redis", 6379, glibc + "bash "},
	{"python", "http", 0, busybox + "python3 "},
	{"perl", "http", 0, glibc + "perl bash "},
	{"busybox", "echo", 0, busybox},
	{"curl", "echo", 0, busybox + "curl "},
	{"netshoot", "echo", 0, busybox + "bash curl getent "},
	{"echo", "http", 0, ""},
	{"whoami", "http", 80, ""}, // from here on nothing but the program itself
	{"coredns", "dns", 0, ""},
	{"kube-proxy", "http", 0, ""},
	{"kube-apiserver", "https", 0, ""},
	{"controller", "ingress", 0, glibc + "bash curl "},
	{"node", "echo", 0, coreutils + "bash "}, // calico/node
	{"", "echo", 0, coreutils},
}

func imageOf(name string) image {
	name = name[strings.LastIndexByte(name, '/')+1:]
	name, _, _ = strings.Cut(name, ":")
	for _, i := range images {
		if i.name == name || i.name == "" {
			return i
		}
	}
	return image{}
}

func (i image) has(program string) bool { return strings.Contains(i.programs, " "+program+" ") }
