package conformance

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// wherePrimary is whichever server takes writes, found at each connect, as an
// application finds it that names both hosts and wants a read-write session.
//
// Source: PostgreSQL documentation, "Specifying Multiple Hosts": target_session_attrs.
func (c *C) wherePrimary() *pair.Node {
	nodes := c.Pair().Nodes()
	node := pair.NewNode("the primary", func(ctx context.Context) (*pgx.ConnConfig, error) {
		var found *pgx.ConnConfig
		var missing error
		for _, one := range nodes {
			config, err := one.Config(ctx)
			if err != nil {
				missing = errors.Join(missing, err) // its server is down
				continue
			}
			if found == nil {
				found = config
				continue
			}
			found.Fallbacks = append(found.Fallbacks, &pgconn.FallbackConfig{Host: config.Host, Port: config.Port, TLSConfig: config.TLSConfig})
			found.Fallbacks = append(found.Fallbacks, config.Fallbacks...)
		}
		if found == nil {
			return nil, missing
		}
		found.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
		return found, nil
	})
	c.Cleanup(func(context.Context) error { node.Close(); return nil })
	return node
}
