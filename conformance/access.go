package conformance

import (
	"slices"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// accessChecks is the chapter "access": who may replicate, who may not, and
// what becomes of the secrets.
func accessChecks() []Check {
	return slices.Concat(accessRoleChecks(), accessRefusalChecks(), accessRulesChecks(), accessSecretChecks())
}

const (
	streamingAuthentication = `PostgreSQL documentation, "Log-Shipping Standby Servers", "Streaming Replication", "Authentication"`
	streamingProtocol       = `PostgreSQL documentation, "Streaming Replication Protocol"`
	hbaFile                 = `PostgreSQL documentation, "The pg_hba.conf File"`
	loginMethods            = `PostgreSQL documentation, "Password Authentication"`
)

// SQLSTATEs that this chapter is about.
const (
	wrongPassword  = "28P01"
	notAdmitted    = "28000" // pg_hba.conf has no line for it
	mayNot         = "42501"
	tooManySenders = "53300"
	notSupported   = "0A000"
)

// replicate opens a physical replication connection to a node, closed after
// the check.
func (c *C) replicate(node *pair.Node, role, password string) (*pgconn.PgConn, error) {
	connection, err := node.ConnectReplication(c.Context(), pair.AsRole(role, password))
	if err != nil {
		return nil, err
	}
	c.closeAfter(connection)
	return connection, nil
}

// replicateAsReplicator opens one with the credentials of the target's
// replication role, which must work.
func (c *C) replicateAsReplicator() *pgconn.PgConn {
	replicator := c.Replicator()
	connection, err := c.replicate(c.Pair().Primary, replicator.Role, replicator.Password)
	if err != nil {
		c.skipUnlessAdmitted(err)
		if pair.SQLState(err) == tooManySenders {
			c.Skipf("%s has no WAL sender free: %v", c.Pair().Primary.Name(), err)
		}
		c.Fatalf("open a replication connection as %s: %v", replicator.Role, err)
	}
	return connection
}

// logInAsReplicator opens an ordinary session of the replication role.
func (c *C) logInAsReplicator(node *pair.Node) *Session {
	replicator := c.Replicator()
	connection, err := node.Connect(c.Context(), pair.AsRole(replicator.Role, replicator.Password))
	if err != nil {
		c.skipUnlessAdmitted(err)
		c.Fatalf("open an ordinary session as %s: %v", replicator.Role, err)
	}
	c.closeAfter(connection)
	session := &Session{c: c, node: node, Conn: connection}
	session.begin()
	return session
}

// skipUnlessAdmitted ends the check without a verdict when pg_hba.conf has no
// line for the role that tried to log in.
func (c *C) skipUnlessAdmitted(err error) {
	if pair.SQLState(err) == notAdmitted {
		c.Skipf("pg_hba.conf does not admit the role from here: %v", err)
	}
}
