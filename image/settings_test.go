package image_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func testNoPassword(t *testing.T, e *engine) {
	got := e.try(t, nil)
	assert.Equal(t, 1, got.code)
	assert.Empty(t, got.stdout)
	lines := strings.Split(strings.TrimSuffix(got.stderr, "\n"), "\n")
	assert.Len(t, lines, 9)
	assert.Equal(t, "Error: Database is uninitialized and superuser password is not specified.", lines[0])
	for _, hint := range []string{"-e POSTGRES_PASSWORD=password", "POSTGRES_HOST_AUTH_METHOD=trust", "https://www.postgresql.org/docs/current/auth-trust.html"} {
		assert.Contains(t, got.stderr, hint)
	}
}

func testBothForms(t *testing.T, e *engine) {
	for _, name := range []string{"POSTGRES_PASSWORD", "POSTGRES_USER", "POSTGRES_DB", "POSTGRES_INITDB_ARGS"} {
		got := e.try(t, flags(env(name, "one"), env(name+"_FILE", "/other")))
		assert.Equal(t, outcome{stderr: "error: both " + name + " and " + name + "_FILE are set (but are exclusive)\n", code: 1}, got)
	}
	missing := e.try(t, flags(env("POSTGRES_PASSWORD_FILE", "/nowhere")))
	assert.Equal(t, 1, missing.code)
	assert.Contains(t, missing.stderr, "/nowhere: No such file or directory")
}

func testTrust(t *testing.T, e *engine) {
	c := e.create(t, flags(env("POSTGRES_HOST_AUTH_METHOD", "trust")))
	c.start(t)
	c.awaitReady(t)
	assert.Equal(t, []string{"t"}, c.query(t, "SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = 'postgres'"))
	assert.Equal(t, "1", c.shell(t, `psql -U postgres -h "$(hostname -i)" -XAtc "SELECT 1"`), "a remote client without a password")
	assert.Equal(t, strings.Join([]string{
		"",
		"# warning trust is enabled for all connections",
		"# see https://www.postgresql.org/docs/12/auth-trust.html",
		"host all all all trust",
	}, "\n"), c.shell(t, `tail -n 4 "$PGDATA/pg_hba.conf"`))

	_, stderr := c.logs(t)
	frame := strings.Repeat("*", 80)
	block := strings.Split(stderr, "\n")[:13]
	assert.Equal(t, []string{frame, frame}, []string{block[0], block[12]})
	assert.Equal(t, `WARNING: POSTGRES_HOST_AUTH_METHOD has been set to "trust". This will allow`, block[1])
}

func testDefaultHBA(t *testing.T, e *engine) {
	c := e.plain
	c.awaitReady(t)
	assert.Equal(t, []string{
		"local all all trust",
		"host all all 127.0.0.1/32 trust",
		"host all all ::1/128 trust",
		"local replication all trust",
		"host replication all 127.0.0.1/32 trust",
		"host replication all ::1/128 trust",
		"host all all all scram-sha-256",
	}, c.hba(t))
	_, stderr := c.logs(t)
	assert.NotContains(t, stderr, "POSTGRES_HOST_AUTH_METHOD")
	refused := e.run(t, nil, "exec", c.name, "bash", "-c", `psql --no-password -U postgres -h "$(hostname -i)" -c "SELECT 1"`)
	assert.Equal(t, 2, refused.code)
	assert.Contains(t, refused.stderr, "no password supplied")
}

func testNewline(t *testing.T, e *engine) {
	c := e.serve(t, flags(env("POSTGRES_HOST_AUTH_METHOD", "scram-sha-256\nhost replication all 0.0.0.0/0 md5")))
	lines := c.hba(t)
	require.Len(t, lines, 8)
	assert.Equal(t, []string{"host all all all scram-sha-256", "host replication all 0.0.0.0/0 md5"}, lines[6:])
}

func testFileVariables(t *testing.T, e *engine) {
	variables := map[string]string{
		"POSTGRES_PASSWORD":    "from a file",
		"POSTGRES_USER":        "someone",
		"POSTGRES_DB":          "somewhere",
		"POSTGRES_INITDB_ARGS": "--data-checksums --auth-host='scram-sha-256'",
	}
	var options []string
	var secrets []file
	for name, value := range variables {
		options = append(options, env(name+"_FILE", "/mnt/"+name))
		secrets = append(secrets, file{name: name, content: value + "\n\n", mode: 0o400}) // root's eyes only
	}
	c := e.create(t, options)
	c.copyIn(t, "/mnt", secrets...)
	c.start(t)
	c.awaitReady(t)
	assert.Equal(t, "someone somewhere on", c.shell(t, `PGPASSWORD="from a file" psql -h "$(hostname -i)" -U someone -d somewhere `+
		`-XAtF' ' -c "SELECT current_user, current_database(), current_setting('data_checksums')"`))
	environ := c.environ(t)
	for name, value := range variables {
		assert.Contains(t, environ, name+"="+value+"\n")
		assert.NotContains(t, environ, name+"_FILE")
	}
	assert.NotContains(t, environ, "PGPASSWORD")
}

func testSpaces(t *testing.T, e *engine) {
	const databases = `SELECT string_agg(quote_ident(datname) || ' ' || quote_ident(rolname), ', ' ORDER BY datname)
		FROM pg_database JOIN pg_roles ON pg_roles.oid = datdba WHERE NOT datistemplate`
	assert.Equal(t, `postgres "some user", "some data" "some user"`, e.spaced.psql(t, databases))
	stdout, _ := e.spaced.server.logs(t)
	assert.Contains(t, stdout, "\nCREATE DATABASE\n\n")
}
