package conformance

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// accessRefusalChecks: replication connections that must be refused, and how.
func accessRefusalChecks() []Check {
	return []Check{
		{
			ID:         "access/wrong-password",
			Obligation: "A replication connection with a wrong password must be refused with SQLSTATE 28P01, and so must one of an unknown role that pg_hba.conf has a line for.",
			Level:      Must, Source: loginMethods, Needs: Needs{Replicator: true}, ReadsOnly: true, Run: refusesWrongPassword,
		},
		{
			ID:         "access/needs-replication-attribute",
			Obligation: "A role without the REPLICATION attribute must be refused a replication connection with SQLSTATE 42501.",
			Level:      Must, Source: streamingAuthentication, Needs: Needs{Superuser: true}, Run: needsReplicationAttribute,
		},
		{
			ID:         "access/physical-sender-refuses-sql",
			Obligation: "A physical replication connection must refuse SQL with SQLSTATE 0A000 and go on serving replication commands.",
			Level:      Must, Source: streamingProtocol, Needs: Needs{Replicator: true}, Run: physicalSenderRefusesSQL,
		},
		{
			ID:         "access/sender-limit",
			Obligation: "A replication connection beyond max_wal_senders must be refused with SQLSTATE 53300, and the standby must stay connected.",
			Level:      Must, Source: `PostgreSQL documentation, "Replication", "Sending Servers"`,
			Needs: Needs{Statistics: true, Replicator: true, Exclusive: true}, Disturbs: true, Run: senderLimit,
		},
	}
}

const clientAddressSQL = `SELECT inet_client_addr()`

func refusesWrongPassword(c *C) {
	primary, replicator := c.Pair().Primary, c.Replicator()
	c.replicateAsReplicator() // the right password works: the refusals are not about the address
	for role, password := range map[string]string{
		replicator.Role: replicator.Password + "x",
		c.ScratchName(): replicator.Password,
	} {
		_, err := c.replicate(primary, role, password)
		if err == nil && c.localClient() {
			c.Skipf("pg_hba.conf asks for no password over the server's own socket or loopback")
		}
		if role != replicator.Role && pair.SQLState(err) == notAdmitted {
			continue // a narrow pg_hba.conf asks only the replication role for a password
		}
		if pair.SQLState(err) != wrongPassword {
			c.Errorf("replication connection as %s with a wrong password: %v, must fail with SQLSTATE %s", role, err, wrongPassword)
		}
	}
}

// localClient says whether the check reaches the primary from its own host,
// where trust is what initdb sets up.
func (c *C) localClient() bool {
	address, err := pair.One[*netip.Addr](c.Context(), c.Pair().Primary, clientAddressSQL)
	if err != nil {
		c.Fatalf("%v", err)
	}
	return address == nil || address.IsLoopback()
}

func needsReplicationAttribute(c *C) {
	password := rand.Text()
	role := c.scratchRole(fmt.Sprintf(`LOGIN PASSWORD '%s'`, password))
	primary := c.Pair().Primary
	session, err := primary.Connect(c.Context(), pair.AsRole(role, password))
	if err != nil {
		c.skipUnlessAdmitted(err)
		c.Fatalf("open an ordinary session as %s: %v", role, err)
	}
	c.closeAfter(session)
	_, err = c.replicate(primary, role, password)
	c.skipUnlessAdmitted(err)
	if pair.SQLState(err) != mayNot {
		c.Errorf("replication connection of a role without REPLICATION: %v, must fail with SQLSTATE %s", err, mayNot)
	}
}

const (
	plainSelectSQL    = `SELECT 1`
	identifySystemCmd = `IDENTIFY_SYSTEM`
	showCmd           = `SHOW wal_level`
)

func physicalSenderRefusesSQL(c *C) {
	sender := c.replicateAsReplicator()
	run := func(command string) ([]*pgconn.Result, error) { return sender.Exec(c.Context(), command).ReadAll() }
	for _, sql := range []string{plainSelectSQL, `CREATE TABLE conformance_absent (a int)`, beginSQL} {
		if _, err := run(sql); pair.SQLState(err) != notSupported {
			c.Errorf("%s over a physical replication connection: %v, must fail with SQLSTATE %s", sql, err, notSupported)
		}
	}
	for _, command := range []string{identifySystemCmd, showCmd} {
		results, err := run(command)
		if err != nil || len(results) != 1 || len(results[0].Rows) != 1 {
			c.Errorf("%s over a replication connection that has refused SQL: %d results (error %v), must give one row", command, len(results), err)
		}
	}
}

const (
	maxSendersSQL   = `SELECT current_setting('max_wal_senders')::int`
	sendersGoneSQL  = `SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = ANY($1))`
	countSendersSQL = `SELECT count(*)::int FROM pg_stat_replication`
)

func senderLimit(c *C) {
	primary, standby, replicator := c.Pair().Primary, c.Pair().Standby(), c.Replicator()
	before, ok, err := standby.WALReceiver(c.Context())
	if err != nil || !ok {
		c.Fatalf("%s has no WAL receiver (error %v)", standby.Name(), err)
	}
	most, err := pair.One[int](c.Context(), primary, maxSendersSQL)
	if err != nil {
		c.Fatalf("%v", err)
	}
	c.replicateAsReplicator() // below the limit it works
	var connections []*pgconn.PgConn
	c.Cleanup(func(ctx context.Context) error { return closeSenders(ctx, primary, connections) })

	var refusal error
	fact := fmt.Sprintf("all %d WAL senders are in use and one more is refused", most)
	c.Eventually(fact, 20*time.Second, func(ctx context.Context) (bool, string, error) {
		for refusal = nil; refusal == nil; {
			var connection *pgconn.PgConn
			connection, refusal = primary.ConnectReplication(ctx, pair.AsRole(replicator.Role, replicator.Password))
			if refusal == nil {
				connections = append(connections, connection)
			}
			if len(connections) > most {
				c.Fatalf("%d replication connections were accepted, max_wal_senders is %d", len(connections), most)
			}
		}
		// A connection that is just ending is still counted where it is refused,
		// so only a refusal while the view shows all in use proves the limit.
		senders, err := pair.One[int](ctx, primary, countSendersSQL)
		return senders >= most, fmt.Sprintf("%d in use, refused with: %v", senders, refusal), err
	})
	if pair.SQLState(refusal) != tooManySenders {
		c.Errorf("replication connection beyond max_wal_senders = %d: %v, must fail with SQLSTATE %s", most, refusal, tooManySenders)
	}
	c.Schema() // something for the standby to receive while no sender is free
	c.Replay()
	after, ok, err := standby.WALReceiver(c.Context())
	if err != nil || !ok || after.PID != before.PID || after.Status != "streaming" {
		c.Errorf("WAL receiver of %s was %+v and is %+v (error %v), must be the same", standby.Name(), before, after, err)
	}
}

// closeSenders ends replication connections and waits until the server has
// noticed: the senders must be free for others again.
func closeSenders(ctx context.Context, primary *pair.Node, connections []*pgconn.PgConn) error {
	var pids []int32
	for _, connection := range connections {
		pids = append(pids, int32(connection.PID())) //nolint:gosec // process ids fit
		_ = connection.Close(ctx)                    // whether they are gone is asked below
	}
	return pair.Poll(ctx, 5*time.Millisecond, func(ctx context.Context) (bool, error) {
		return pair.One[bool](ctx, primary, sendersGoneSQL, pids)
	})
}
