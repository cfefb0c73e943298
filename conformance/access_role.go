package conformance

import (
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// accessRoleChecks: what the replication role is and may.
func accessRoleChecks() []Check {
	return []Check{
		{
			ID:         "access/replicator-least-privilege",
			Obligation: "The replication role must have LOGIN and REPLICATION and no right beyond them, be it its own or by membership.",
			Level:      Must, Source: streamingAuthentication, Needs: Needs{Replicator: true}, ReadsOnly: true, Run: replicatorLeastPrivilege,
		},
		{
			ID:         "access/standby-streams-without-superuser",
			Obligation: "The standby should stream as a role that is no superuser.",
			Level:      Should, Source: streamingAuthentication, Needs: Needs{Statistics: true}, ReadsOnly: true, Run: standbyStreamsWithoutSuperuser,
		},
		{
			ID:         "access/password-is-scram",
			Obligation: "The replication role's password must be stored as a SCRAM secret.",
			Level:      Must, Source: loginMethods, Needs: Needs{Replicator: true, Superuser: true}, ReadsOnly: true, Run: passwordIsSCRAM,
		},
		{
			ID:         "access/replicator-cannot-read",
			Obligation: "In an ordinary session the replication role must not read, change or create anything of others, nor reach the server's files.",
			Level:      Must, Source: `PostgreSQL documentation, "Role Attributes"`, Needs: Needs{Replicator: true}, Run: replicatorCannotRead,
		},
		{
			ID:         "access/roles-replicate",
			Obligation: "Roles, passwords and grants made on the primary must hold on the standby, and so must their changes.",
			Level:      Must, Source: hotStandby, Needs: Needs{Superuser: true}, Each: true, Run: rolesReplicate,
		},
	}
}

type roleAttributes struct {
	Login       bool `db:"rolcanlogin"`
	Replication bool `db:"rolreplication"`
	Superuser   bool `db:"rolsuper"`
	CreateDB    bool `db:"rolcreatedb"`
	CreateRole  bool `db:"rolcreaterole"`
	BypassRLS   bool `db:"rolbypassrls"`
}

const (
	roleAttributesSQL = `
SELECT rolcanlogin, rolreplication, rolsuper, rolcreatedb, rolcreaterole, rolbypassrls
  FROM pg_roles WHERE rolname = $1`
	// powerfulMembershipsSQL lists roles that the role may act as and that can do more than it should.
	powerfulMembershipsSQL = `
SELECT rolname::text FROM pg_roles
 WHERE rolname <> $1 AND pg_has_role($1, oid, 'MEMBER')
   AND (rolsuper OR rolcreatedb OR rolcreaterole OR rolbypassrls
        OR rolname IN ('pg_read_all_data', 'pg_write_all_data', 'pg_read_server_files',
                       'pg_write_server_files', 'pg_execute_server_program'))`
)

func replicatorLeastPrivilege(c *C) {
	role := c.Replicator().Role
	primary := c.Pair().Primary
	is, err := pair.OneRow[roleAttributes](c.Context(), primary, roleAttributesSQL, role)
	if err != nil {
		c.Fatalf("look up role %s: %v", role, err)
	}
	if want := (roleAttributes{Login: true, Replication: true}); is != want {
		c.Errorf("role %s is %+v, must be %+v", role, is, want)
	}
	others, err := pair.Column[string](c.Context(), primary, powerfulMembershipsSQL, role)
	if err != nil {
		c.Fatalf("look up memberships of role %s: %v", role, err)
	}
	if len(others) > 0 {
		c.Errorf("role %s may act as %s", role, strings.Join(others, ", "))
	}
}

const roleIsSuperuserSQL = `SELECT rolsuper FROM pg_roles WHERE rolname = $1`

func standbyStreamsWithoutSuperuser(c *C) {
	for _, standby := range c.Pair().Standbys {
		sender := c.streamTo(standby).sender
		super, err := pair.One[bool](c.Context(), c.Pair().Primary, roleIsSuperuserSQL, sender.Role)
		if err != nil {
			c.Fatalf("look up role %q of WAL sender %d: %v", sender.Role, sender.PID, err)
		}
		if super {
			c.Errorf("%s streams as %s, which is a superuser", standby.Name(), sender.Role)
		}
	}
}

// storedVerifierSQL keeps the secret itself on the server.
const storedVerifierSQL = `SELECT COALESCE(split_part(rolpassword, '$', 1), 'no password') FROM pg_authid WHERE rolname = $1`

func passwordIsSCRAM(c *C) {
	role := c.Replicator().Role
	stored, err := pair.One[string](c.Context(), c.Pair().Primary, storedVerifierSQL, role)
	if err != nil {
		c.Fatalf("look up role %s: %v", role, err)
	}
	if stored != "SCRAM-SHA-256" {
		if strings.HasPrefix(stored, "md5") {
			stored = "md5"
		}
		c.Errorf("role %s has %s stored, must have SCRAM-SHA-256", role, stored)
	}
}

func replicatorCannotRead(c *C) {
	schema := pgx.Identifier{c.Schema()}.Sanitize()
	primary := c.Borrow(c.Pair().Primary)
	primary.Do(tableSQL)
	// With this right the refusals below are about the table, not the schema.
	primary.Do(fmt.Sprintf(grantSchemaSQL, schema, pgx.Identifier{c.Replicator().Role}.Sanitize()))
	owner := pgx.Identifier{primary.Config().User}.Sanitize()
	attempts := []string{
		`SELECT * FROM t`,
		`INSERT INTO t VALUES (1, 'x')`,
		`UPDATE t SET v = 'y'`,
		`TRUNCATE t`,
		fmt.Sprintf(`CREATE TABLE %s.x (a int)`, schema),
		`CREATE SCHEMA conformance_absent`,
		`CREATE ROLE conformance_absent`,
		fmt.Sprintf(`SET ROLE %s`, owner),
		`SELECT rolpassword FROM pg_authid`,
		`SELECT pg_read_file('PG_VERSION')`,
		`COPY (SELECT 1) TO '/dev/null'`,
		`COPY (SELECT 1) TO PROGRAM 'true'`,
		`SELECT pg_switch_wal()`,
	}
	// Before 15 everybody may create in schema public.
	if Value[int](primary, versionNumberSQL) >= 150000 {
		attempts = append(attempts, `CREATE TABLE public.conformance_absent (a int)`)
	}
	replicator := c.logInAsReplicator(c.Pair().Primary)
	for _, sql := range attempts {
		// What should not have worked is rolled back.
		replicator.Do(beginSQL)
		replicator.Refuses(mayNot, sql)
		replicator.Do(rollBackSQL)
	}
}

const (
	rekeyRoleSQL  = `ALTER ROLE %s PASSWORD '%s'`
	grantReadSQL  = `GRANT SELECT ON t TO %s`
	revokeReadSQL = `REVOKE SELECT ON t FROM %s`
)

func rolesReplicate(c *C) {
	first, second := rand.Text(), rand.Text()
	role := c.scratchRole(fmt.Sprintf(`LOGIN PASSWORD '%s'`, first))
	quoted := pgx.Identifier{role}.Sanitize()
	c.Schema()
	primary, node := c.Borrow(c.Pair().Primary), c.Pair().Standby()
	primary.Do(tableSQL)
	primary.Do(fmt.Sprintf(grantSchemaSQL, pgx.Identifier{c.Schema()}.Sanitize(), quoted))
	primary.Do(fmt.Sprintf(grantReadSQL, quoted))
	c.Replay()
	logIn := func(password string) (*Session, error) {
		connection, err := node.Connect(c.Context(), pair.AsRole(role, password))
		if err != nil {
			return nil, err
		}
		c.closeAfter(connection)
		session := &Session{c: c, node: node, Conn: connection}
		session.begin()
		return session, nil
	}

	session, err := logIn(first)
	if err != nil {
		c.skipUnlessAdmitted(err)
		c.Fatalf("log in on the standby as a role made on the primary: %v", err)
	}
	session.Do(countRowsSQL)

	primary.Do(fmt.Sprintf(rekeyRoleSQL, quoted, second))
	primary.Do(fmt.Sprintf(revokeReadSQL, quoted))
	c.Replay()
	session.Refuses(mayNot, countRowsSQL)
	if _, err := logIn(second); err != nil {
		c.Errorf("log in on the standby with the password that replaced the first: %v", err)
	}
	_, err = logIn(first)
	if err == nil {
		if _, err := logIn(rand.Text()); err == nil {
			c.Skipf("pg_hba.conf asks for no password on the standby from here: nothing is proved about passwords")
		}
	}
	if pair.SQLState(err) != wrongPassword {
		c.Errorf("log in on the standby with the replaced password: %v, must fail with SQLSTATE %s", err, wrongPassword)
	}
}
