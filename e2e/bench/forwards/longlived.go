package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"podpath/e2e/bench/process"
	"podpath/e2e/bench/table"
)

const longLived = 1000 // connections

// measureOpen opens many connections that stay, and looks where they went and what they cost.
func measureOpen(ctx context.Context, all ways, figures *table.Table) error {
	release, err := openMany(ctx, all.direct)
	defer release()
	if err != nil {
		return err
	}
	if err := rest(ctx, 2*time.Second); err != nil {
		return err
	}
	memory, err := process.ResidentMiB(all.direct.pid)
	if err != nil {
		return err
	}
	counts, err := established(all.none.ports[httpPort])
	if err != nil {
		return err
	}
	sum := 0
	for _, n := range counts {
		sum += n
	}
	if sum < longLived {
		return fmt.Errorf("%d connections to the Pods are open, want %d", sum, longLived)
	}
	figures.AtMost(fmt.Sprintf("%d long-lived connections: most of a Pod, of the mean", longLived),
		float64(slices.Max(counts))*float64(len(counts))/float64(sum), 1.02, "", strings.Trim(fmt.Sprint(counts), "[]")+"; kubectl: one Pod has all")
	figures.AtMost(fmt.Sprintf("direct: RSS with %d open connections", longLived), memory, 80, "MiB", "–")
	return nil
}

// openMany opens them, eight at a time, and has each answer once. Release closes those that there are.
func openMany(ctx context.Context, w *way) (release func(), err error) {
	var mu sync.Mutex
	var closes []func()
	var group errgroup.Group // without a context, which would end with it
	group.SetLimit(clients)
	for range longLived {
		group.Go(func() error {
			conn, done, err := dial(ctx, w.address(httpPort))
			if err != nil {
				return err
			}
			mu.Lock()
			closes = append(closes, done)
			mu.Unlock()
			if _, err := io.WriteString(conn, page); err != nil {
				return err
			}
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				return err
			}
			return answer.Body.Close()
		})
	}
	err = group.Wait()
	return func() {
		for _, done := range closes {
			done()
		}
	}, err
}

// established counts this machine's open connections to each address, as the kernel knows them (man 5 proc).
func established(addresses []string) ([]int, error) {
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return nil, err
	}
	counts := make([]int, len(addresses))
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line)
		if len(fields) < 4 || fields[3] != "01" {
			continue
		}
		if i := slices.Index(addresses, kernelAddress(fields[2])); i >= 0 {
			counts[i]++
		}
	}
	return counts, nil
}

// kernelAddress reads 0301F40A:0050, an address in the machine's order of bytes and a port.
func kernelAddress(word string) string {
	host, port, _ := strings.Cut(word, ":")
	raw, err := hex.DecodeString(host)
	number, portErr := strconv.ParseUint(port, 16, 16)
	if err != nil || portErr != nil || len(raw) != net.IPv4len {
		return ""
	}
	ip := make(net.IP, net.IPv4len)
	binary.NativeEndian.PutUint32(ip, binary.BigEndian.Uint32(raw))
	return net.JoinHostPort(ip.String(), strconv.FormatUint(number, 10))
}
