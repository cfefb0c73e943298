package image_test

import (
	"archive/tar"
	"bytes"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	initDir = "/docker-entrypoint-initdb.d/"
	dataDir = "/var/lib/postgresql/data"

	password = "pass word" // of servers for which no other is given

	// onVolume and inMemory say where the data is: on a fresh anonymous volume,
	// or in a file system like one that is gone when the container stops.
	onVolume = "--volume=" + dataDir
	inMemory = "--tmpfs=" + dataDir + ":uid=999,gid=999,mode=1777"
)

// readySeconds bounds how long a server may take to accept connections, on a
// machine that is busy with other things.
const readySeconds = "180"

const logTimeout = 30 * time.Second

// container is one container of the image under test.
type container struct {
	e    *engine
	name string
}

// file is put into a container before it starts. Mode 0 means 0644; a name
// that ends in a slash is a directory.
type file struct {
	name, content string
	mode          int64
}

// create makes a container without starting it, its data in memory unless the
// options say otherwise. It is removed with its anonymous volumes when the test
// ends; a failed test shows its logs first.
func (e *engine) create(t *testing.T, options []string, command ...string) *container {
	t.Helper()
	c := &container{e: e, name: e.name(t, "rm", "--force", "--volumes")}
	t.Cleanup(func() {
		if t.Failed() && e.ctx.Err() == nil {
			stdout, stderr := c.logs(t)
			t.Logf("container %s, stdout:\n%s\nstderr:\n%s", c.name, stdout, stderr)
		}
	})
	if !slices.ContainsFunc(options, func(option string) bool { return strings.Contains(option, dataDir) }) {
		options = append(options, inMemory)
	}
	args := slices.Concat([]string{"create", "--pull=never", "--name=" + c.name}, e.labels, options, []string{e.image}, command)
	e.must(t, args...)
	return c
}

// serve starts a server and waits until it is ready for clients.
func (e *engine) serve(t *testing.T, options []string) *container {
	t.Helper()
	c := e.create(t, append(options, env("POSTGRES_PASSWORD", password)))
	c.start(t)
	c.awaitReady(t)
	return c
}

// copyIn puts files of root into a directory of the container.
func (c *container) copyIn(t *testing.T, dir string, files ...file) {
	t.Helper()
	got := c.e.run(t, archive(t, files...), "cp", "-", c.name+":"+dir)
	require.Zero(t, got.code, got.stderr)
}

// archive is a tar of the files, owned by root.
func archive(t *testing.T, files ...file) []byte {
	t.Helper()
	var buffer bytes.Buffer
	writer := tar.NewWriter(&buffer)
	for _, f := range files {
		header := &tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.content))}
		if header.Mode == 0 {
			header.Mode = 0o644
		}
		if strings.HasSuffix(f.name, "/") {
			header.Typeflag, header.Mode = tar.TypeDir, 0o755
		}
		require.NoError(t, writer.WriteHeader(header))
		_, err := writer.Write([]byte(f.content))
		require.NoError(t, err)
	}
	require.NoError(t, writer.Close())
	return buffer.Bytes()
}

func (c *container) start(t *testing.T) {
	t.Helper()
	c.e.must(t, "start", c.name)
}

// stop gives the exit code of the container after the image's stop signal.
func (c *container) stop(t *testing.T) int {
	t.Helper()
	c.e.must(t, "stop", c.name)
	return c.wait(t)
}

// wait waits for the end of the container and gives its exit code.
func (c *container) wait(t *testing.T) int {
	t.Helper()
	code, err := strconv.Atoi(c.e.must(t, "wait", c.name))
	require.NoError(t, err)
	return code
}

// awaitReady waits until the server accepts connections over TCP, which the
// temporary server of the initialisation never does.
func (c *container) awaitReady(t *testing.T) {
	t.Helper()
	c.await(t, "pg_isready --quiet --host=127.0.0.1 --username=postgres")
}

// await repeats a shell command in the container until it succeeds.
func (c *container) await(t *testing.T, condition string) {
	t.Helper()
	got := c.e.run(t, nil, "exec", c.name, "timeout", readySeconds, "bash", "-c", "until "+condition+"; do sleep 0.1; done")
	require.Zero(t, got.code, "waited %s s for: %s\n%s", readySeconds, condition, got.stderr)
}

// exec runs a command in the container that has to succeed.
func (c *container) exec(t *testing.T, command ...string) string {
	t.Helper()
	return c.e.must(t, append([]string{"exec", c.name}, command...)...)
}

// shell runs a line of bash in the container that has to succeed.
func (c *container) shell(t *testing.T, line string) string {
	t.Helper()
	return c.exec(t, "bash", "-c", line)
}

// environ gives the variables of process 1, a line each. Only its own user may
// read them.
func (c *container) environ(t *testing.T) string {
	t.Helper()
	uid := c.exec(t, "stat", "--format=%u:%g", "/proc/1")
	return c.e.must(t, "exec", "--user="+uid, c.name, "bash", "-c", `tr '\0' '\n' </proc/1/environ`) + "\n"
}

// query gives the rows of a statement, run as postgres over the Unix socket.
func (c *container) query(t *testing.T, statement string) []string {
	t.Helper()
	out := c.exec(t, "psql", "--username=postgres", "--dbname=postgres", "-XAtc", statement)
	return strings.Split(out, "\n")
}

// hba gives the effective lines of pg_hba.conf with single spaces.
func (c *container) hba(t *testing.T) []string {
	t.Helper()
	out := c.shell(t, `grep -vE '^(#|$)' "$PGDATA/pg_hba.conf" | tr -s ' \t' ' ' | sed 's/ $//'`)
	require.Equal(t, []string{"0"}, c.query(t, "SELECT count(*) FROM pg_hba_file_rules WHERE error IS NOT NULL"))
	return strings.Split(out, "\n")
}

// awaitLog waits for a text on standard error that comes after the given log:
// the engine may be a moment behind the server.
func (c *container) awaitLog(t *testing.T, before, text string) {
	t.Helper()
	tick := time.NewTicker(logTimeout / 100)
	defer tick.Stop()
	for range 100 {
		if _, stderr := c.logs(t); strings.Contains(strings.TrimPrefix(stderr, before), text) {
			return
		}
		<-tick.C
	}
	require.Fail(t, "not in the log within "+logTimeout.String(), text)
}

func (c *container) logs(t *testing.T) (stdout, stderr string) {
	t.Helper()
	got := c.e.run(t, nil, "logs", c.name)
	return got.stdout, got.stderr
}
