package conformance

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// settingsScopeChecks: which settings stay on their node.
func settingsScopeChecks() []Check {
	return []Check{
		{
			ID:         "settings/local-or-replicated",
			Obligation: "What ALTER SYSTEM sets must stay on its node, in either direction.",
			Level:      Must, Source: administrators, Needs: Needs{Superuser: true, Exclusive: true}, Run: systemSettingsAreLocal,
		},
		{
			ID:         "settings/role-and-database-settings-replicate",
			Obligation: "What ALTER ROLE and ALTER DATABASE set on the primary must hold for sessions of the standby.",
			Level:      Must, Source: administrators, Needs: Needs{Superuser: true}, Each: true, Run: roleSettingsReplicate,
		},
	}
}

// The parameter geqo_seed can be set on any server, needs only a reload, and
// changes the result of no query.
const localSetting = "geqo_seed"

func systemSettingsAreLocal(c *C) {
	nodes := c.Pair().Nodes()
	given := make([]string, len(nodes))
	for i, node := range nodes {
		given[i] = fmt.Sprintf("0.%d5", i+1)
		before := c.setting(node, localSetting)
		if _, altered := c.altered(node, localSetting); altered || before == given[i] {
			c.Skipf("%s has a %s of its own", node.Name(), localSetting)
		}
		c.Cleanup(func(ctx context.Context) error { // it is put back by then, if not yet in force
			return pair.Poll(ctx, 10*time.Millisecond, func(ctx context.Context) (bool, error) {
				value, err := node.Setting(ctx, localSetting)
				return value == before, err
			})
		})
		c.Set(node, localSetting, given[i], given[i])
	}
	// After a commit that all have replayed, what could cross has crossed.
	c.Schema()
	c.Replay()
	for i, node := range nodes {
		if inFile, _ := c.altered(node, localSetting); inFile != given[i] {
			c.Errorf("postgresql.auto.conf of %s sets %s to %q, must be what was set there: %s", node.Name(), localSetting, inFile, given[i])
		}
		if value := c.setting(node, localSetting); value != given[i] {
			c.Errorf("%s on %s is %s, was set there to %s", localSetting, node.Name(), value, given[i])
		}
	}
}

// altered gives what ALTER SYSTEM has set on a node, loaded or not.
func (c *C) altered(node *pair.Node, name string) (value string, altered bool) {
	value, altered, err := node.Altered(c.Context(), name)
	if err != nil {
		c.Fatalf("read postgresql.auto.conf of %s: %v", node.Name(), err)
	}
	return value, altered
}

const (
	setForRoleSQL     = `ALTER ROLE %s SET %s = '%s'`
	setForDatabaseSQL = `ALTER DATABASE %s SET %s = '%s'`
	forgetForRoleSQL  = `ALTER ROLE %s RESET %s`
	forgetForAllSQL   = `ALTER DATABASE %s RESET %s`
	readSettingSQL    = `SELECT COALESCE(NULLIF(current_setting($1, true), ''), 'unset')`
)

func roleSettingsReplicate(c *C) {
	password := rand.Text()
	role := c.scratchRole(fmt.Sprintf(`LOGIN PASSWORD '%s'`, password))
	primary, standby := c.Pair().Primary, c.Pair().Standby()
	// Parameters of an unknown class, which nothing else reads.
	class := c.ScratchName()
	forRole, forDatabase := class+".role", class+".database"
	quotedRole, quotedDatabase := pgx.Identifier{role}.Sanitize(), pgx.Identifier{c.database()}.Sanitize()
	do := func(format string, arguments ...any) {
		// One that an interruption left at work could end after the clean-up.
		if err := primary.Exec(context.WithoutCancel(c.Context()), fmt.Sprintf(format, arguments...)); err != nil {
			c.Fatalf("%v", err)
		}
	}
	expect := func(wantRole, wantDatabase string) {
		c.Replay()
		session, err := standby.Connect(c.Context(), pair.AsRole(role, password))
		if err != nil {
			c.skipUnlessAdmitted(err)
			c.Fatalf("log in on the standby as %s: %v", role, err)
		}
		c.closeAfter(session)
		for name, want := range map[string]string{forRole: wantRole, forDatabase: wantDatabase} {
			var value string
			if err := session.QueryRow(c.Context(), readSettingSQL, name).Scan(&value); err != nil || value != want {
				c.Errorf("a new session on the standby has %s = %s (error %v), must have %s", name, value, err, want)
			}
		}
	}

	c.Cleanup(func(ctx context.Context) error {
		return primary.Exec(ctx, fmt.Sprintf(forgetForAllSQL, quotedDatabase, forDatabase))
	})
	do(setForRoleSQL, quotedRole, forRole, "yes")
	do(setForDatabaseSQL, quotedDatabase, forDatabase, "yes")
	expect("yes", "yes")
	do(forgetForRoleSQL, quotedRole, forRole)
	do(forgetForAllSQL, quotedDatabase, forDatabase)
	expect("unset", "unset")
}
