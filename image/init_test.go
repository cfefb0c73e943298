package image_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	skipping = "\nPostgreSQL Database directory appears to contain a database; Skipping initialization\n\n"
	complete = "\nPostgreSQL init process complete; ready for start up.\n\n"
	script   = "/usr/local/bin/docker-entrypoint.sh: "
)

// serverLog are the lines of the temporary server, which are no part of a message.
var serverLog = regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d.*\n`)

// testInitFiles compares everything that is printed while the init files run.
// The last three files are there for the order of en_US.utf8.
func testInitFiles(t *testing.T, e *engine) {
	insert := func(word string) string { return "INSERT INTO seen (word) VALUES ('" + word + "');\n" }
	compressed := func(name string) string {
		content, err := os.ReadFile("testdata/" + name)
		require.NoError(t, err)
		return string(content)
	}
	c := e.create(t, flags(env("POSTGRES_PASSWORD", password), env("PGHOST", "nowhere"), env("PGUSER", "nobody")))
	c.copyIn(t, initDir,
		file{name: "10-create.sql", content: "CREATE TABLE seen (id serial, word text);"},
		file{name: "20-sourced.sh", content: "export WORD=sourced\n\"${psql[@]}\" -c \"INSERT INTO seen (word) VALUES ('$WORD')\"\n"},
		file{name: "30-run.sh", content: "#!/bin/sh\necho \"$WORD $0 $(id -u) $PWD $PGHOST\"\n", mode: 0o755},
		file{name: "40-gzip.sql.gz", content: compressed("gzip.sql.gz")},
		file{name: "50-xz.sql.xz", content: compressed("xz.sql.xz")},
		file{name: "60-zstd.sql.zst", content: compressed("zstd.sql.zst")},
		file{name: "70-other.txt", content: "SELECT 1 / 0;"},
		file{name: "80-directory/"},
		file{name: "80-directory/inside.sql", content: "SELECT 1 / 0;"},
		file{name: ".hidden.sql", content: "SELECT 1 / 0;"},
		file{name: "a-lower.sql", content: insert("lower")},
		file{name: "B-upper.sql", content: insert("upper")},
		file{name: "_under.sql", content: insert("under")},
	)
	c.start(t)
	c.awaitReady(t)

	item := func(verb, name, output string) string {
		return script + verb + " " + initDir + name + "\n" + output + "\n"
	}
	const inserted = "INSERT 0 1\n"
	stdout, _ := c.logs(t)
	_, printed, _ := strings.Cut(stdout, "server started\n")
	printed = serverLog.ReplaceAllString(printed, "")
	printed, _, _ = strings.Cut(printed, "waiting for server to shut down")
	assert.Equal(t, "\n"+
		item("running", "10-create.sql", "CREATE TABLE\n\n")+
		item("sourcing", "20-sourced.sh", inserted)+
		item("running", "30-run.sh", "sourced "+initDir+"30-run.sh 999 / nowhere\n")+
		item("running", "40-gzip.sql.gz", inserted+"\n")+
		item("running", "50-xz.sql.xz", inserted+"\n")+
		item("running", "60-zstd.sql.zst", inserted+"\n")+
		item("ignoring", "70-other.txt", "")+
		item("ignoring", "80-directory", "")+
		item("running", "a-lower.sql", inserted+"\n")+
		item("running", "B-upper.sql", inserted+"\n")+
		item("running", "_under.sql", inserted+"\n"), printed)
	words := c.exec(t, "psql", "-hlocalhost", "-Upostgres", "-XAtc", "SELECT string_agg(word, ' ' ORDER BY id) FROM seen")
	assert.Equal(t, "sourced gzip xz zstd lower upper under", words)
}

func testInitError(t *testing.T, e *engine) {
	c := e.create(t, flags(onVolume, env("POSTGRES_PASSWORD", password)))
	c.copyIn(t, initDir,
		file{name: "1-error.sql", content: "SELECT 1 / 0; CREATE TABLE after_the_error (a int);"},
		file{name: "2-rest.sql", content: "CREATE TABLE rest (a int);"})
	c.start(t)
	assert.Equal(t, 3, c.wait(t))
	stdout, stderr := c.logs(t)
	assert.Contains(t, stderr, "ERROR:  division by zero")
	assert.NotContains(t, stdout, "2-rest.sql")

	c.start(t)
	c.awaitReady(t)
	again, stderr := c.logs(t)
	again = strings.TrimPrefix(again, stdout)
	assert.Equal(t, skipping, again)
	assert.Contains(t, stderr, "database system was not properly shut down; automatic recovery in progress")
	assert.Equal(t, []string{"0"}, c.query(t, "SELECT count(*) FROM pg_tables WHERE tablename IN ('rest', 'after_the_error')"))
}

func testExisting(t *testing.T, e *engine) {
	mount := "--volume=" + e.volume(t, "") + ":" + dataDir
	first := e.create(t, flags(mount, env("POSTGRES_PASSWORD", password)), "docker-ensure-initdb.sh")
	first.start(t)
	require.Zero(t, first.wait(t))

	second := e.create(t, flags(mount))
	second.copyIn(t, initDir, file{name: "late.sql", content: "SELECT 1 / 0;"})
	second.start(t)
	second.awaitReady(t)
	stdout, stderr := second.logs(t)
	assert.Equal(t, skipping, stdout)
	assert.NotContains(t, stderr, "not properly shut down")
}

func testEnsure(t *testing.T, e *engine) {
	options := flags("--volume="+e.volume(t, "")+":"+dataDir, env("POSTGRES_PASSWORD", password))
	run := func(command ...string) outcome { return e.try(t, options, command...) }

	fresh := run("docker-ensure-initdb.sh", "-c", "work_mem=1MB")
	assert.Zero(t, fresh.code, fresh.stderr)
	assert.Contains(t, fresh.stdout, "server stopped")
	assert.NotContains(t, fresh.stdout, "init process complete")
	assert.Equal(t, "PG_VERSION\n", run("bash", "-c", "cd $PGDATA && ls PG_VERSION postmaster.pid 2>/dev/null || true").stdout)

	assert.Equal(t, outcome{stderr: "docker-ensure-initdb.sh: note: database already initialized in '" + dataDir + "'!\n"},
		run("docker-ensure-initdb.sh"))
	assert.Equal(t, outcome{stderr: "docker-enforce-initdb.sh: error: (unexpected) database found in '" + dataDir + "'!\n", code: 1},
		run("docker-enforce-initdb.sh"))
	assert.Equal(t, 99, run("bash", "-c", "ln -s /usr/local/bin/docker-ensure-initdb.sh /tmp/other && exec /tmp/other").code)
}

// testInitPrivate holds the initialisation in an init file.
func testInitPrivate(t *testing.T, e *engine) {
	c := e.create(t, flags(env("POSTGRES_PASSWORD", password)))
	c.copyIn(t, initDir, file{name: "hold.sh", content: "touch /tmp/held; until [ -e /tmp/go ]; do sleep 0.1; done"})
	c.start(t)
	c.await(t, "test -e /tmp/held")
	c.exec(t, "pg_isready", "--host=/var/run/postgresql")
	over := c.e.run(t, nil, "exec", c.name, "pg_isready", "--host=127.0.0.1")
	assert.Equal(t, outcome{stdout: "127.0.0.1:5432 - no response\n", code: 2}, over)
	c.exec(t, "touch", "/tmp/go")
	c.awaitReady(t)
}
