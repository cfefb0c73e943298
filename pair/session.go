package pair

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// SessionOption changes one session from the node's own credentials.
type SessionOption func(*pgx.ConnConfig)

// AsRole logs in as another role, to the same database.
func AsRole(role, password string) SessionOption {
	return func(config *pgx.ConnConfig) {
		if config.Database == "" { // then the server takes the role's name for it
			config.Database = config.User
		}
		config.User, config.Password = role, password
	}
}

// InDatabase connects to another database.
func InDatabase(name string) SessionOption {
	return func(config *pgx.ConnConfig) { config.Database = name }
}

// WithParameter sets a run-time parameter in the start-up packet.
func WithParameter(name, value string) SessionOption {
	return func(config *pgx.ConnConfig) { config.RuntimeParams[name] = value }
}

// Connect opens a session of its own, outside the pool. The caller closes it.
func (n *Node) Connect(ctx context.Context, options ...SessionOption) (*pgx.Conn, error) {
	config, err := n.sessionConfig(ctx, options)
	if err != nil {
		return nil, err
	}
	session, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", n.name, err)
	}
	return session, nil
}

// ConnectReplication opens a connection in physical replication mode, which
// speaks the simple protocol and the replication commands only. The caller
// closes it.
//
// Source: PostgreSQL documentation, "Streaming Replication Protocol".
func (n *Node) ConnectReplication(ctx context.Context, options ...SessionOption) (*pgconn.PgConn, error) {
	config, err := n.sessionConfig(ctx, append(options, WithParameter("replication", "true")))
	if err != nil {
		return nil, err
	}
	connection, err := pgconn.ConnectConfig(ctx, &config.Config)
	if err != nil {
		return nil, fmt.Errorf("connect to %s for replication: %w", n.name, err)
	}
	return connection, nil
}

func (n *Node) sessionConfig(ctx context.Context, options []SessionOption) (*pgx.ConnConfig, error) {
	config, err := n.Config(ctx)
	if err != nil {
		return nil, err
	}
	for _, option := range options {
		option(config)
	}
	return config, nil
}
