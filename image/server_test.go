package image_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func testStop(t *testing.T, e *engine) {
	c := e.serve(t, flags(onVolume))
	assert.Zero(t, c.stop(t))
	_, stderr := c.logs(t)
	assert.Contains(t, stderr, "received fast shutdown request")
	assert.Contains(t, stderr, "database system is shut down")
}

func testUsers(t *testing.T, e *engine) {
	for name, test := range map[string]func(*testing.T){
		"postgres on a fresh volume": func(t *testing.T) {
			c := e.serve(t, flags("--user=postgres", "--volume="+e.volume(t, "")+":"+dataDir))
			assert.Equal(t, "700 999:999", c.exec(t, "stat", "--format=%a %u:%g", dataDir))
			_, stderr := c.logs(t)
			assert.NotContains(t, stderr, "chmod")
		},
		"uid 1000 with its own directory": func(t *testing.T) {
			c := e.serve(t, flags("--user=1000:1000", "--volume="+e.volume(t, "1000:1000")+":"+dataDir+":nocopy"))
			assert.Equal(t, "700 1000:1000", c.exec(t, "stat", "--format=%a %u:%g", dataDir))
			assert.NotContains(t, c.environ(t), "NSS_WRAPPER")
			_, stderr := c.logs(t)
			assert.Contains(t, stderr, "chmod: changing permissions of '/var/run/postgresql': Operation not permitted")
		},
		"postgres on a directory of root": func(t *testing.T) {
			got := e.try(t, flags("--user=postgres", env("POSTGRES_PASSWORD", password), "--volume="+e.volume(t, "0:0")+":"+dataDir+":nocopy"))
			assert.Equal(t, 1, got.code)
			assert.Contains(t, got.stderr, "chmod: changing permissions of '"+dataDir+"': Operation not permitted")
			assert.Contains(t, got.stderr, "initdb: error: could not change permissions of directory")
		},
		"root on a directory of root": func(t *testing.T) {
			c := e.serve(t, flags("--volume="+e.volume(t, "0:0")+":"+dataDir+":nocopy"))
			assert.Equal(t, "700 999:0\n600 999:999", c.exec(t, "stat", "--format=%a %u:%g", dataDir, dataDir+"/PG_VERSION"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

func testSubdirectory(t *testing.T, e *engine) {
	c := e.serve(t, flags(onVolume, env("PGDATA", dataDir+"/pgdata"), env("PGPORT", "6543")))
	assert.Equal(t, "1777 999\n700 999", c.exec(t, "stat", "--format=%a %u", dataDir, dataDir+"/pgdata"))
	assert.Equal(t, []string{dataDir + "/pgdata|6543"},
		c.query(t, "SELECT current_setting('data_directory'), current_setting('port')"))
}

func testWALDirectory(t *testing.T, e *engine) {
	const elsewhere = "/var/lib/postgresql/wal dir"
	c := e.serve(t, flags(env("POSTGRES_INITDB_WALDIR", elsewhere)))
	assert.Equal(t, elsewhere, c.exec(t, "readlink", dataDir+"/pg_wal"))
	assert.Equal(t, "700 999", c.exec(t, "stat", "--format=%a %u", elsewhere))
}

func testArguments(t *testing.T, e *engine) {
	c := e.create(t, flags(env("POSTGRES_PASSWORD", password)), "-c", "work_mem=7654kB", "-c", `cluster_name=it's a "name"`)
	c.copyIn(t, initDir, file{name: "look.sql", content: "CREATE TABLE temporary AS SELECT name, setting FROM pg_settings;"})
	c.start(t)
	c.awaitReady(t)
	const settings = "SELECT setting FROM %s WHERE name IN ('cluster_name', 'listen_addresses', 'work_mem') ORDER BY name"
	from := func(table string) []string { return c.query(t, strings.ReplaceAll(settings, "%s", table)) }
	assert.Equal(t, []string{`it's a "name"`, "", "7654"}, from("temporary"))
	assert.Equal(t, []string{`it's a "name"`, "*", "7654"}, from("pg_settings"))
	assert.Equal(t, `postgres|-c|work_mem=7654kB|-c|cluster_name=it's a "name"|`, c.shell(t, `tr '\0' '|' </proc/1/cmdline`))
}

func testStreams(t *testing.T, e *engine) {
	c := e.plain
	const ready = "database system is ready to accept connections"
	c.awaitLog(t, "", ready)
	stdout, stderr := c.logs(t)
	for _, text := range []string{
		"waiting for server to start....", " done\nserver started\n", "waiting for server to shut down...", "server stopped\n" + complete,
		script + "ignoring " + initDir + "*\n\n", "Success. You can now start the database server using:", "Data page checksums are disabled.",
		`The database cluster will be initialized with locale "en_US.utf8".`,
	} {
		assert.Contains(t, stdout, text)
	}
	assert.Equal(t, 1, strings.Count(stdout, ready), "the temporary server on stdout")
	assert.Equal(t, 1, strings.Count(stderr, ready), "the final server on stderr")
	assert.NotContains(t, stdout, "listening on IPv4")
	assert.Contains(t, stderr, "listening on IPv4 address")
	assert.Contains(t, stderr, `initdb: warning: enabling "trust" authentication for local connections`)
}

func testProcess(t *testing.T, e *engine) {
	c := e.plain
	c.awaitReady(t)
	assert.Equal(t, "postgres", c.exec(t, "cat", "/proc/1/comm"))
	assert.Equal(t, "postgres|", c.shell(t, `tr '\0' '|' </proc/1/cmdline`))
	assert.Equal(t, "999 999 999 999", c.shell(t, `awk '/^Uid:/ { print $2, $3, $4, $5 }' /proc/1/status`))
	assert.Contains(t, c.environ(t), "HOME=/var/lib/postgresql\n")
	assert.Equal(t, []string{"on|Etc/UTC|scram-sha-256|off"}, c.query(t, "SELECT current_setting('jit'), current_setting('TimeZone'), "+
		"current_setting('password_encryption'), current_setting('data_checksums')"))
	require.Equal(t, []string{"47"}, c.query(t, "SELECT count(*) FROM pg_available_extensions"))
}
