package image_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testPublic does what the tests for all official images do, and the two for
// postgres, with means of our own.
func testPublic(t *testing.T, e *engine) {
	for name, test := range map[string]func(*testing.T, *engine){
		"utc":                     testUTC,
		"no-hard-coded-passwords": testNoPasswords,
		"override-cmd":            testOverride,
		"postgres-basics":         testBasics,
		"postgres-initdb":         testDerived,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, e)
		})
	}
}

func testUTC(t *testing.T, e *engine) {
	assert.Equal(t, outcome{stdout: "UTC\n"}, e.try(t, flags("--entrypoint=date"), "+%Z"))
}

func testNoPasswords(t *testing.T, e *engine) {
	got := e.try(t, flags("--user=0:0", "--entrypoint=cut"), "-d:", "-f1,2", "/etc/passwd", "/etc/shadow")
	require.Zero(t, got.code, got.stderr)
	entries := strings.Fields(got.stdout)
	require.Greater(t, len(entries), 20)
	for _, entry := range entries {
		user, secret, _ := strings.Cut(entry, ":")
		assert.NotEmpty(t, secret, user)
		assert.NotContains(t, secret, "$", user)
	}
}

func testOverride(t *testing.T, e *engine) {
	const words = "Hello world, all of it"
	want := outcome{stdout: words + "\n"}
	assert.Equal(t, want, e.try(t, flags("--entrypoint=echo"), words))
	assert.Equal(t, want, e.try(t, nil, "echo", words))
}

// spaced is a server whose names all contain spaces, and a client of it in
// another container of the same image.
type spaced struct {
	user, password, database string
	server                   *container
}

func newSpaced(t *testing.T, e *engine) spaced {
	t.Helper()
	s := spaced{user: "some user", password: "some secret", database: "some data"}
	s.server = e.create(t, flags(env("POSTGRES_USER", s.user), env("POSTGRES_PASSWORD", s.password), env("POSTGRES_DB", s.database)))
	s.server.start(t)
	return s
}

// psql connects over TCP with the password, from a container of its own.
func (s spaced) psql(t *testing.T, input string) string {
	t.Helper()
	s.server.awaitReady(t)
	e := s.server.e
	client := e.create(t, flags("--interactive", "--link="+s.server.name+":server", "--entrypoint=psql", env("PGPASSWORD", s.password)),
		"--host=server", "--username="+s.user, "--dbname="+s.database, "-XAtq", "--set=ON_ERROR_STOP=1")
	got := e.run(t, []byte(input), "start", "--attach", "--interactive", client.name)
	require.Zero(t, got.code, got.stderr)
	return strings.TrimSpace(got.stdout)
}

func testBasics(t *testing.T, e *engine) {
	assert.Equal(t, "0\n3\n2\nt", e.spaced.psql(t, `
		CREATE TABLE test (a int, b int, c varchar(255));
		SELECT count(*) FROM test;
		INSERT INTO test VALUES (1, 2, 'a'), (3, 4, 'b'), (5, 6, 'c');
		SELECT count(*) FROM test;
		DELETE FROM test WHERE a = 1;
		SELECT count(*) FROM test;
		DROP TABLE test;
		SET jit = on;
		SELECT pg_jit_available();`))
}

func testDerived(t *testing.T, e *engine) {
	tag := e.name(t, "image", "rm", "--force")
	context := archive(t,
		file{name: "Dockerfile", content: "FROM " + e.image + "\nCOPY init.sql " + initDir + "\n"},
		file{name: "init.sql", content: "CREATE TABLE test (a int); INSERT INTO test VALUES (4), (5);"})
	built := e.run(t, context, append(append([]string{"build", "--tag=" + tag}, e.labels...), "-")...)
	require.Zero(t, built.code, built.stderr)

	derived := *e
	derived.image = tag
	s := newSpaced(t, &derived)
	assert.Equal(t, "4\n5", s.psql(t, "SELECT a FROM test ORDER BY a"))
}
