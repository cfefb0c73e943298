package conformance

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func propagationRoles() []Check {
	return []Check{{
		ID:         "propagation/roles-and-grants",
		Obligation: "Roles, passwords, memberships, settings, grants and default privileges must be in force on the standby as on the primary.",
		Level:      Must,
		Needs:      Needs{Superuser: true},
		Source:     "PostgreSQL documentation, Database Roles; Privileges",
		Run:        rolesArrive,
	}}
}

const (
	grantedRoleSQL   = `CREATE ROLE %s LOGIN CREATEDB PASSWORD '%s' CONNECTION LIMIT 7 VALID UNTIL '2099-01-01'`
	grantedTeamSQL   = `CREATE ROLE %s NOLOGIN`
	dropGrantsSQL    = `DROP OWNED BY %s`
	dropGrantedSQL   = `DROP ROLE %s`
	grantedExistsSQL = `SELECT count(*) > 0 FROM pg_roles WHERE rolname = $1`

	grantsSQL = `
CREATE TABLE open_to_team (id int, hidden int);
CREATE TABLE closed (id int);
INSERT INTO open_to_team VALUES (1, 1);
GRANT %[2]s TO %[1]s WITH ADMIN OPTION;
GRANT USAGE ON SCHEMA %[3]s TO %[1]s;
GRANT SELECT (id) ON open_to_team TO %[2]s;
ALTER DEFAULT PRIVILEGES IN SCHEMA %[3]s GRANT SELECT ON TABLES TO %[2]s;
CREATE TABLE open_by_default (id int);
ALTER ROLE %[1]s SET work_mem = '5MB';
ALTER ROLE %[1]s IN DATABASE %[4]s SET search_path = 'pg_catalog'`

	revokeSQL = `REVOKE %[2]s FROM %[1]s`

	// roleStateSQL shows all that the catalogs know of two roles.
	roleStateSQL = `
SELECT concat_ws(' ', 'role', r::text) FROM pg_authid AS r WHERE rolname IN ($1, $2)
 UNION ALL
SELECT concat_ws(' ', 'membership', m::text) FROM pg_auth_members AS m WHERE roleid = (SELECT oid FROM pg_roles WHERE rolname = $2)
 UNION ALL
SELECT concat_ws(' ', 'setting', s::text) FROM pg_db_role_setting AS s WHERE setrole = (SELECT oid FROM pg_roles WHERE rolname = $1)
 UNION ALL
SELECT concat_ws(' ', 'default', d::text) FROM pg_default_acl AS d WHERE defaclnamespace = current_schema()::regnamespace
 UNION ALL
SELECT concat_ws(' ', 'grant', relname, relacl) FROM pg_class WHERE relnamespace = current_schema()::regnamespace
 UNION ALL
SELECT concat_ws(' ', 'column', attname, attacl) FROM pg_attribute WHERE attrelid = 'open_to_team'::regclass AND attnum > 0
 ORDER BY 1`
	roleStateRows = 2 + 1 + 2 + 1 + 3 + 2
)

func rolesArrive(c *C) {
	const insufficientPrivilege = "42501"
	primary := c.writer()
	c.plainOutput()
	role, team := c.ScratchName(), c.ScratchName()
	for _, made := range []struct{ name, sql string }{{team, grantedTeamSQL}, {role, fmt.Sprintf(grantedRoleSQL, "%s", rand.Text())}} {
		c.Cleanup(func(ctx context.Context) error { return dropGrantedRole(ctx, c, made.name) })
		primary.Do(fmt.Sprintf(made.sql, made.name))
	}
	primary.Do(fmt.Sprintf(grantsSQL, role, team, c.Schema(), pgx.Identifier{c.database()}.Sanitize()))
	if rows := c.same("catalog rows of two roles", roleStateSQL, role, team); len(rows) != roleStateRows {
		c.Errorf("%d catalog rows of two roles, want %d: %q", len(rows), roleStateRows, rows)
	}
	for _, node := range c.Pair().Nodes() {
		session := c.Borrow(node)
		session.Do(`SET ROLE ` + role)
		session.Do(`SELECT id FROM open_to_team`)
		session.Do(`SELECT id FROM open_by_default`)
		session.Refuses(insufficientPrivilege, `SELECT hidden FROM open_to_team`)
		session.Refuses(insufficientPrivilege, `SELECT id FROM closed`)
	}
	primary.Do(fmt.Sprintf(revokeSQL, role, team))
	c.Replay()
	for _, node := range c.Pair().Nodes() {
		session := c.Borrow(node)
		session.Do(`SET ROLE ` + role)
		session.Refuses(insufficientPrivilege, `SELECT id FROM open_to_team`)
	}
	primary.Do(fmt.Sprintf(dropGrantsSQL+`; `+dropGrantedSQL, role, role))
	c.Replay()
	for _, node := range c.Pair().Nodes() {
		if Value[bool](c.on(node), grantedExistsSQL, role) {
			c.Errorf("%s still has the role that was dropped", node.Name())
		}
	}
}

// dropGrantedRole removes a role that a failed check left behind.
func dropGrantedRole(ctx context.Context, c *C, role string) error {
	primary := c.Pair().Primary
	if exists, err := pair.One[bool](ctx, primary, grantedExistsSQL, role); err != nil || !exists {
		return err
	}
	if err := primary.Exec(ctx, fmt.Sprintf(dropGrantsSQL, role)); err != nil {
		return err
	}
	return primary.Exec(ctx, fmt.Sprintf(dropGrantedSQL, role))
}
