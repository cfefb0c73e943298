package conformance

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

const (
	readHBASQL    = `SELECT pg_read_binary_file(current_setting('hba_file'))`
	makeObjectSQL = `SELECT lo_from_bytea(0, $1)`
	exportHBASQL  = `SELECT lo_export($1, current_setting('hba_file'))`
)

// noHBARow takes the lines that admit replication over TCP out of the
// primary's pg_hba.conf for a moment, because a network that no line covers
// cannot be reached on demand. Streams that run are not asked again.
func noHBARow(c *C) {
	primary, replicator := c.Pair().Primary, c.Replicator()
	connect := func(ctx context.Context) error {
		connection, err := primary.ConnectReplication(ctx, pair.AsRole(replicator.Role, replicator.Password))
		if err != nil {
			return err
		}
		_ = connection.Close(ctx) // whatever it says, it was admitted
		return nil
	}
	switch err := connect(c.Context()); {
	case pair.SQLState(err) == notAdmitted:
		return // no line covers this address as it is, and the session beside it works
	case err != nil:
		c.Fatalf("open a replication connection as %s with pg_hba.conf as it is: %v", replicator.Role, err)
	}
	original, err := pair.One[[]byte](c.Context(), primary, readHBASQL)
	if err != nil {
		c.Fatalf("read pg_hba.conf: %v", err)
	}
	var lines []int32
	for _, rule := range c.hbaRules(primary) {
		if rule.replication() && rule.overNetwork() {
			if rule.Included {
				c.Skipf("a file that pg_hba.conf includes admits replication: %v", rule)
			}
			lines = append(lines, rule.Line)
		}
	}

	c.Cleanup(func(ctx context.Context) error {
		if err := writeHBA(ctx, primary, original); err != nil {
			return err
		}
		return pair.Poll(ctx, 10*time.Millisecond, func(ctx context.Context) (bool, error) { return connect(ctx) == nil, nil })
	})
	if err := writeHBA(c.Context(), primary, withoutLines(original, lines)); err != nil {
		c.Fatalf("take lines %d out of pg_hba.conf: %v", lines, err)
	}
	c.Eventually("replication is refused with SQLSTATE "+notAdmitted, 10*time.Second, func(ctx context.Context) (bool, string, error) {
		err := connect(ctx)
		return pair.SQLState(err) == notAdmitted, fmt.Sprintf("error %v", err), nil
	})
	session, err := primary.Connect(c.Context())
	if err != nil {
		c.Fatalf("open an ordinary session while only replication is taken out of pg_hba.conf: %v", err)
	}
	c.closeAfter(session)
}

// withoutLines turns lines of a file, counted from 1, into comments.
func withoutLines(content []byte, numbers []int32) []byte {
	lines := strings.SplitAfter(string(content), "\n")
	for _, number := range numbers {
		lines[number-1] = "# " + lines[number-1]
	}
	return []byte(strings.Join(lines, ""))
}

// writeHBA replaces pg_hba.conf on the server's disk, byte for byte, and has
// it loaded. The large object that carries the bytes is rolled back.
func writeHBA(ctx context.Context, node *pair.Node, content []byte) error {
	pool, err := node.Pool(ctx)
	if err != nil {
		return err
	}
	write := func(tx pgx.Tx) error {
		var object uint32
		if err := tx.QueryRow(ctx, makeObjectSQL, content).Scan(&object); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, exportHBASQL, object); err != nil {
			return err
		}
		return tx.Rollback(ctx)
	}
	tx, err := pool.Begin(ctx)
	if err != nil {
		return fmt.Errorf("write pg_hba.conf of %s: %w", node.Name(), err)
	}
	defer tx.Rollback(ctx) //nolint:errcheck // after a rollback this does nothing
	if err := write(tx); err != nil {
		return fmt.Errorf("write pg_hba.conf of %s: %w", node.Name(), err)
	}
	return node.Reload(ctx)
}
