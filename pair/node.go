package pair

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// connectTimeout bounds one attempt to connect where nobody says otherwise. A
// server that accepts TCP and then says nothing must not hold up a wait that
// reports its last error.
const connectTimeout = 5 * time.Second

// poolSize is what one node's pool may open: enough for a probe beside a check.
const poolSize = 8

// Resolver gives the address and credentials of a node. It is asked at each
// connect, because a published port changes when its container restarts. What
// it gives may be shared: it is copied before it is changed.
type Resolver func(ctx context.Context) (*pgx.ConnConfig, error)

// Node is one PostgreSQL server, primary or standby.
// It is safe for concurrent use; Close ends its connections.
type Node struct {
	name    string
	resolve Resolver

	mutex sync.Mutex
	pool  *pgxpool.Pool
	size  int32
	idle  time.Duration // 0 is what pgxpool takes for enough
}

// NewNode names a server that resolve finds. It does not connect.
func NewNode(name string, resolve Resolver) *Node {
	return &Node{name: name, resolve: resolve, size: poolSize}
}

// LimitPool bounds the pool that Pool opens: so many connections at most, and
// none that nobody has used for so long. It gives the node.
func (n *Node) LimitPool(size int32, idle time.Duration) *Node {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	n.size, n.idle = size, idle
	return n
}

// FromDSN names a server given as a connection string (URL or keywords and
// values, as in libpq). It does not connect.
func FromDSN(name, dsn string) (*Node, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("parse connection string of %s: %w", name, err)
	}
	return NewNode(name, func(context.Context) (*pgx.ConnConfig, error) {
		return config, nil
	}), nil
}

// Name is the name the node was given: a service name or an address.
func (n *Node) Name() string { return n.name }

// Config resolves the node's address and credentials as they are now. It is
// the caller's own.
func (n *Node) Config(ctx context.Context) (*pgx.ConnConfig, error) {
	config, err := n.resolve(ctx)
	if err != nil {
		return nil, fmt.Errorf("resolve %s: %w", n.name, err)
	}
	config = config.Copy()
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	return config, nil
}

// Pool is the node's connection pool. Each new connection resolves the
// address again. The pool lives until Close.
func (n *Node) Pool(ctx context.Context) (*pgxpool.Pool, error) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if n.pool != nil {
		return n.pool, nil
	}
	pool, err := n.newPool(ctx, n.size, n.idle)
	if err != nil {
		return nil, err
	}
	n.pool = pool
	return pool, nil
}

// NewPool opens a connection pool of its own, as Pool is, of so many connections
// at most; 0 is what pgxpool takes for enough. The caller closes it. Its Config
// names the server as it is reached now.
func (n *Node) NewPool(ctx context.Context, size int32) (*pgxpool.Pool, error) {
	return n.newPool(ctx, size, 0)
}

func (n *Node) newPool(ctx context.Context, size int32, idle time.Duration) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(sealed("")) // the node has the last word
	if err != nil {
		return nil, fmt.Errorf("configure pool of %s: %w", n.name, err)
	}
	// Who takes the pool's configuration for a connection beside it, to listen
	// for example, must not end up at another server.
	if config.ConnConfig, err = n.Config(ctx); err != nil {
		return nil, err
	}
	if size > 0 {
		config.MaxConns = size
	}
	if idle > 0 {
		config.MaxConnIdleTime, config.HealthCheckPeriod = idle, idle
	}
	config.BeforeConnect = func(ctx context.Context, connection *pgx.ConnConfig) error {
		resolved, err := n.Config(ctx)
		if err != nil {
			return err
		}
		*connection = *resolved
		return nil
	}
	// The pool outlives the call that made it, its cancellation must not.
	pool, err := pgxpool.NewWithConfig(context.WithoutCancel(ctx), config)
	if err != nil {
		return nil, fmt.Errorf("open pool of %s: %w", n.name, err)
	}
	return pool, nil
}

// Reset closes the pool's connections, those in use when they come back, and
// does not wait for them: for a node that is reached by another way from now on.
func (n *Node) Reset() {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if n.pool != nil {
		n.pool.Reset()
	}
}

// Close ends the node's pool. The node may be used again afterwards.
func (n *Node) Close() {
	n.mutex.Lock()
	pool := n.pool
	n.pool = nil
	n.mutex.Unlock()
	if pool != nil {
		pool.Close()
	}
}
