package pairtest

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// guests are the tests that use a pair.
type guests struct {
	linger time.Duration
	idle   *time.Timer // fires when there has been none for a while

	mutex sync.Mutex
	count int
}

func newGuests(linger time.Duration) *guests {
	return &guests{linger: linger, idle: time.NewTimer(linger)}
}

func (g *guests) some() bool {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.count > 0
}

// add counts a guest in or out.
func (g *guests) add(n int) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.count += n
	g.idle.Stop()
	if g.count == 0 {
		g.idle.Reset(g.linger)
	}
}

// welcome tells each guest where the servers are and waits until it leaves.
func (g *guests) welcome(ctx context.Context, door net.Listener, servers *pair.Pair) {
	for {
		guest, err := door.Accept()
		if err != nil {
			return // closed
		}
		g.add(1)
		go func() {
			defer g.add(-1)
			defer func() { _ = guest.Close() }() // it is the guest that ends it
			if err := json.NewEncoder(guest).Encode(introduce(ctx, servers)); err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, guest) // until it leaves, in whatever way
		}()
	}
}

// introduce says where the servers are now.
func introduce(ctx context.Context, servers *pair.Pair) greeting {
	var hello greeting
	for _, server := range servers.Nodes() {
		config, err := server.Config(ctx)
		if err != nil {
			return greeting{Error: err.Error()}
		}
		hello.Servers = append(hello.Servers, address{Name: server.Name(), URL: dsn(config)})
	}
	return hello
}

// dsn writes a server's address and login as a URL.
func dsn(config *pgx.ConnConfig) string {
	return serverURL(config, []string{hostPort(config)}, map[string][]string{"sslmode": {"allow"}})
}
