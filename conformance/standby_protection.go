package conformance

import (
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// standbyProtectionChecks: what must survive an administrator.
func standbyProtectionChecks() []Check {
	return []Check{
		{
			ID:         "standby/startup-process-protected",
			Obligation: "pg_terminate_backend() and pg_cancel_backend() must not reach the process that replays WAL.",
			Level:      Must, Source: administrators, Needs: Needs{Superuser: true}, Run: startupProcessProtected,
		},
		{
			ID:         "standby/drop-role-keeps-sessions",
			Obligation: "DROP ROLE on the primary must not end the role's sessions on the standby, but must refuse its next login.",
			Level:      Must, Source: administrators, Needs: Needs{Superuser: true}, Run: dropRoleKeepsSessions,
		},
	}
}

const (
	startupPIDSQL = `SELECT pid FROM pg_stat_activity WHERE backend_type = 'startup'`
	terminateSQL  = `SELECT pg_terminate_backend($1)`
	cancelSQL     = `SELECT pg_cancel_backend($1)`
)

func startupProcessProtected(c *C) {
	c.replayed(tableSQL)
	var notices []string
	standby := c.NewSession(c.Pair().Standby(), func(config *pgx.ConnConfig) {
		config.OnNotice = func(_ *pgconn.PgConn, notice *pgconn.Notice) { notices = append(notices, notice.Code) }
	})
	startup := Value[int32](standby, startupPIDSQL)
	for _, sql := range []string{terminateSQL, cancelSQL} {
		notices = nil
		if Value[bool](standby, sql, startup) {
			c.Errorf("%s with the startup process %d answers true, must answer false", sql, startup)
		}
		if codes := strings.Join(notices, " "); codes != "01000" {
			c.Errorf("%s with the startup process %d warns with %q, must warn with SQLSTATE 01000", sql, startup, codes)
		}
	}
	c.Borrow(c.Pair().Primary).Do(tableRowSQL)
	c.Replay()
	if count := Value[int](standby, countRowsSQL); count != 100 {
		c.Errorf("the standby shows %d rows that were written afterwards, must show 100", count)
	}
	if now := Value[int32](standby, startupPIDSQL); now != startup {
		c.Errorf("WAL is replayed by process %d, was replayed by %d", now, startup)
	}
}

const roleKnownSQL = `SELECT count(*) FROM pg_roles WHERE rolname = $1`

func dropRoleKeepsSessions(c *C) {
	password := rand.Text()
	role := c.scratchRole(fmt.Sprintf(`LOGIN PASSWORD '%s'`, password))
	c.Replay()
	primary, node := c.Pair().Primary, c.Pair().Standby()
	session, err := node.Connect(c.Context(), pair.AsRole(role, password))
	if err != nil {
		c.skipUnlessAdmitted(err)
		c.Fatalf("log in on the standby as a role made on the primary: %v", err)
	}
	c.closeAfter(session)

	if err := primary.Exec(c.Context(), fmt.Sprintf(dropRoleSQL, pgx.Identifier{role}.Sanitize())); err != nil {
		c.Fatalf("%v", err)
	}
	c.Replay()
	known, err := pair.One[int](c.Context(), node, roleKnownSQL, role)
	if err != nil || known != 0 {
		c.Fatalf("the standby knows %d roles %s after DROP ROLE was replayed (error %v)", known, role, err)
	}
	// A query that looks the role up would rightly fail now: any other must work.
	var one int
	if err := session.QueryRow(c.Context(), plainSelectSQL).Scan(&one); err != nil {
		c.Errorf("a session on the standby of a role that was dropped ended: %v", err)
	}
	again, err := node.Connect(c.Context(), pair.AsRole(role, password))
	if err == nil {
		c.closeAfter(again)
		c.Errorf("role %s logs in on the standby after DROP ROLE was replayed", role)
		return
	}
	// 28000 where pg_hba.conf trusts, 28P01 where it asks for a password.
	if state := pair.SQLState(err); state != "28000" && state != "28P01" {
		c.Errorf("login of a dropped role: %v: must fail with SQLSTATE 28000 or 28P01", err)
	}
}
