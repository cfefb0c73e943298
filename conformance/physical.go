package conformance

import (
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// invalidAuthorization is what a server without a pg_hba.conf line answers.
const invalidAuthorization = "28000"

// physical is a connection in physical replication mode, as a standby makes one.
type physical struct {
	c    *C
	node *pair.Node
	*pgconn.PgConn
}

// physical connects as the replication role. The connection is closed after
// the check. Where pg_hba.conf keeps the suite's host out, or the standbys hold
// all WAL senders, the check is skipped.
func (c *C) physical(node *pair.Node) *physical {
	role := c.Replicator()
	connection, err := node.ConnectReplication(c.ctx, pair.AsRole(role.Role, role.Password))
	if state := pair.SQLState(err); state == invalidAuthorization || state == tooManySenders {
		c.Skipf("no replication connection from here: %v", err)
	}
	if err != nil {
		c.Fatalf("%v", err)
	}
	c.closeAfter(connection)
	return &physical{c: c, node: node, PgConn: connection}
}

// row runs a command that answers with one row and gives its columns that are
// not NULL. A command that fails, fails the check.
func (p *physical) row(command string) map[string]string {
	results, err := p.Exec(p.c.ctx, command).ReadAll()
	if err != nil {
		p.c.Fatalf("%s: %s: %v", p.node.Name(), command, err)
	}
	if len(results) != 1 || len(results[0].Rows) != 1 {
		p.c.Fatalf("%s: %s: %d results, must be one row", p.node.Name(), command, len(results))
	}
	values := map[string]string{}
	for i, field := range results[0].FieldDescriptions {
		if value := results[0].Rows[0][i]; value != nil {
			values[field.Name] = string(value)
		}
	}
	return values
}

// stream runs a command that, when it succeeds, turns the connection into a
// stream of WAL. Its error is nil when that begins; the connection is of no
// more use then.
//
// Source: PostgreSQL documentation, "Streaming Replication Protocol".
func (p *physical) stream(command string) error {
	p.Frontend().SendQuery(&pgproto3.Query{String: command})
	if err := p.Frontend().Flush(); err != nil {
		return fmt.Errorf("%s: %s: %w", p.node.Name(), command, err)
	}
	for {
		message, err := p.ReceiveMessage(p.c.ctx)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", p.node.Name(), command, err)
		}
		switch message := message.(type) {
		case *pgproto3.CopyBothResponse:
			return nil
		case *pgproto3.ErrorResponse:
			return fmt.Errorf("%s: %s: %w", p.node.Name(), command, pgconn.ErrorResponseToPgError(message))
		}
	}
}
