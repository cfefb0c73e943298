package conformance

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
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
			Level:      Must, Source: administrators, Needs: Needs{Superuser: true}, Run: roleSettingsReplicate,
		},
	}
}

// The parameter geqo_seed can be set on any server, needs only a reload, and
// changes the result of no query.
const (
	localSetting    = "geqo_seed"
	alterSystemSQL  = `ALTER SYSTEM SET geqo_seed = '%s'`
	resetSystemSQL  = `ALTER SYSTEM RESET geqo_seed`
	inSystemFileSQL = `SELECT setting FROM pg_file_settings WHERE name = 'geqo_seed' AND sourcefile LIKE '%/postgresql.auto.conf'`
)

func systemSettingsAreLocal(c *C) {
	nodes := c.Pair().Nodes()
	given := make([]string, len(nodes))
	for i, node := range nodes {
		given[i] = fmt.Sprintf("0.%d5", i+1)
		before := c.setting(node, localSetting)
		if present := c.systemFile(node); len(present) > 0 || before == given[i] {
			c.Skipf("%s has a %s of its own", node.Name(), localSetting)
		}
		c.Cleanup(func(ctx context.Context) error {
			if err := changeSystem(ctx, node, resetSystemSQL); err != nil {
				return err
			}
			return pair.Poll(ctx, 10*time.Millisecond, func(ctx context.Context) (bool, error) {
				value, err := node.Setting(ctx, localSetting)
				return value == before, err
			})
		})
		if err := changeSystem(c.Context(), node, fmt.Sprintf(alterSystemSQL, given[i])); err != nil {
			c.Fatalf("%v", err)
		}
		c.Eventually("ALTER SYSTEM takes effect on "+node.Name(), 10*time.Second, func(ctx context.Context) (bool, string, error) {
			value, err := node.Setting(ctx, localSetting)
			return value == given[i], value, err
		})
	}
	// After a commit that all have replayed, what could cross has crossed.
	c.Schema()
	c.Replay()
	for i, node := range nodes {
		if inFile := c.systemFile(node); !slices.Equal(inFile, given[i:i+1]) {
			c.Errorf("postgresql.auto.conf of %s sets %s to %v, must be what was set there: %s", node.Name(), localSetting, inFile, given[i])
		}
		if value := c.setting(node, localSetting); value != given[i] {
			c.Errorf("%s on %s is %s, was set there to %s", localSetting, node.Name(), value, given[i])
		}
	}
}

// systemFile gives what ALTER SYSTEM has written on a node, loaded or not.
func (c *C) systemFile(node *pair.Node) []string {
	values, err := pair.Column[string](c.Context(), node, inSystemFileSQL)
	if err != nil {
		c.Fatalf("read postgresql.auto.conf of %s: %v", node.Name(), err)
	}
	return values
}

// changeSystem executes an ALTER SYSTEM and has the node load it.
func changeSystem(ctx context.Context, node *pair.Node, sql string) error {
	if err := node.Exec(ctx, sql); err != nil {
		return err
	}
	return node.Exec(ctx, reloadConfigSQL)
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
	config, err := standby.Config(c.Context())
	if err != nil {
		c.Fatalf("%v", err)
	}
	// Parameters of an unknown class, which nothing else reads.
	class := c.ScratchName()
	forRole, forDatabase := class+".role", class+".database"
	quotedRole, quotedDatabase := pgx.Identifier{role}.Sanitize(), pgx.Identifier{config.Database}.Sanitize()
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
		c.Cleanup(session.Close)
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
