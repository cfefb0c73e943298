package bench_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/bench"
	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// subject is a pair that is measured.
type subject struct {
	name  string
	files []string
	*conformance.Target
	record *bench.Record
}

func measureReplication(t *testing.T, record *bench.Record) {
	record.Method = []string{
		"visible: from the return of a commit until a reader that asks without pause sees its row on the standby. commit: that commit itself. Each with the synchronous_commit that is named, while the standby is a synchronous one. `null` is the same reader on the primary: what the probe itself takes.",
		fmt.Sprintf("catch-up: a standby whose WAL receiver was stopped (SIGSTOP) while the primary wrote %d MB of WAL, from its going on until all is replayed. clone: pg_basebackup of that, run in the standby's container.", *wal),
		"anew: from the order to replace the standby with its data until the pair replicates. restart: the same for a plain restart, which the recipe's standby does not survive.",
		"write gap: SIGKILL to the primary, pg_promote() at once, one client that names both servers: from its last acknowledged commit to the next. Nobody had to notice the crash first.",
		"The two stacks run side by side, one of them idle.",
	}
	engine := openEngine(t)
	subjects := []*subject{{name: "recipe", files: recipeFiles, record: record}, {name: "hardened", files: hardenedFiles, record: record}}
	for _, one := range subjects {
		one.Target, _ = startPair(t, engine, one.files)
		one.do(t, `CREATE TABLE bench_probe (id bigint PRIMARY KEY)`)
		one.do(t, `CREATE TABLE bench_bulk (content text)`)
		one.makeSynchronous(t)
	}
	alternate(*pairs, subjects, func(s *subject) { s.commits(t) })
	for _, one := range subjects {
		one.do(t, `ALTER SYSTEM RESET synchronous_standby_names`)
		one.do(t, `SELECT pg_reload_conf()`)
	}
	alternate(*pairs, subjects, func(s *subject) { s.bulk(t) })
	const rounds = 5 // nothing here has to be told apart by a few percent
	alternate(min(*pairs, rounds), subjects, func(s *subject) { s.standby(t) })
	alternate(min(*pairs, rounds), subjects, func(s *subject) { s.failover(t, engine) })
}

func (s *subject) do(t *testing.T, sql string) {
	t.Helper()
	require.NoError(t, s.Pair.Primary.Exec(t.Context(), sql))
}

func (s *subject) add(name, unit string, value float64) { s.record.Add(s.name+", "+name, unit, value) }

const synchronousSQL = `SELECT EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'sync')`

func (s *subject) makeSynchronous(t *testing.T) {
	t.Helper()
	s.do(t, `ALTER SYSTEM SET synchronous_standby_names = '*'`)
	s.do(t, `SELECT pg_reload_conf()`)
	ctx, cancel := context.WithTimeout(t.Context(), proofPatience)
	defer cancel()
	require.NoError(t, pair.Poll(ctx, proofInterval, func(ctx context.Context) (bool, error) {
		return pair.One[bool](ctx, s.Pair.Primary, synchronousSQL)
	}))
}

const (
	insertSQL = `INSERT INTO bench_probe VALUES ($1)`
	readSQL   = `SELECT count(*) FROM bench_probe WHERE id = $1`
	clearSQL  = `TRUNCATE bench_probe`
)

// commits measures some commits at each level, and how soon they are visible.
func (s *subject) commits(t *testing.T) {
	t.Helper()
	const samples = 20
	writer, onStandby, onPrimary := connect(t, s.Pair.Primary), connect(t, s.Pair.Standby()), connect(t, s.Pair.Primary)
	id := 0
	sample := func(reader *pgx.Conn) (commit, visible time.Duration) {
		id++
		began := time.Now()
		_, err := writer.Exec(t.Context(), insertSQL, id)
		require.NoError(t, err)
		committed := time.Now()
		for seen := 0; seen == 0; {
			require.NoError(t, reader.QueryRow(t.Context(), readSQL, id).Scan(&seen))
			require.Less(t, time.Since(committed), proofPatience)
		}
		return committed.Sub(began), time.Since(committed)
	}
	for _, level := range []string{"off", "local", "remote_write", "on", "remote_apply"} {
		_, err := writer.Exec(t.Context(), `SET synchronous_commit = `+level)
		require.NoError(t, err)
		sample(onStandby) // prepares the statements
		for range samples {
			commit, visible := sample(onStandby)
			s.add("visible, "+level, "ms", milliseconds(visible))
			s.add("commit, "+level, "ms", milliseconds(commit))
		}
	}
	sample(onPrimary)
	for range samples {
		_, visible := sample(onPrimary)
		s.add("visible, null", "ms", milliseconds(visible))
	}
	s.do(t, clearSQL)
	for _, one := range []*pgx.Conn{writer, onStandby, onPrimary} {
		require.NoError(t, one.Close(t.Context()))
	}
}

func connect(t *testing.T, node *pair.Node) *pgx.Conn {
	t.Helper()
	conn, err := node.Connect(t.Context())
	require.NoError(t, err)
	return conn
}

const (
	// fillSQL writes some 10 MB.
	fillSQL     = `INSERT INTO bench_bulk SELECT repeat(md5(n::text), 30) FROM generate_series(1, 10000) AS n`
	receiverSQL = `SELECT pid FROM pg_stat_wal_receiver`
	conninfoSQL = `SELECT current_setting('primary_conninfo')`
	emptySQL    = `TRUNCATE bench_bulk`

	cloneScript = `rm -rf /tmp/bench && pg_basebackup --dbname="$1" --pgdata=/tmp/bench --checkpoint=fast --wal-method=none`
	sizeScript  = `du -sb /tmp/bench | cut -f1 && rm -rf /tmp/bench`
)

// bulk measures how fast a standby catches up, and how fast it is cloned.
func (s *subject) bulk(t *testing.T) {
	t.Helper()
	ctx, primary, standby := t.Context(), s.Pair.Primary, s.Pair.Standby()
	receiver, err := pair.One[int32](ctx, standby, receiverSQL)
	require.NoError(t, err)
	s.exec(t, fmt.Sprintf("kill -STOP %d", receiver))
	goOn := fmt.Sprintf("kill -CONT %d", receiver)
	begin, err := primary.CurrentLSN(ctx)
	require.NoError(t, err)
	end := begin
	for end-begin < pair.LSN(*wal)*megabyte {
		require.NoError(t, primary.Exec(ctx, fillSQL))
		end, err = primary.CurrentLSN(ctx)
		require.NoError(t, err)
	}
	had, err := standby.ReplayedLSN(ctx)
	require.NoError(t, err)
	s.exec(t, goOn)
	began := time.Now()
	require.NoError(t, standby.WaitReplayed(ctx, end))
	s.add("catch-up", "MB/s", float64(end-had)/megabyte/time.Since(began).Seconds())

	upstream, err := pair.One[string](ctx, standby, conninfoSQL)
	require.NoError(t, err)
	began = time.Now()
	s.exec(t, cloneScript, upstream)
	took := time.Since(began)
	bytes, err := strconv.ParseFloat(s.exec(t, sizeScript), 64)
	require.NoError(t, err)
	s.add("clone", "MB/s", bytes/megabyte/took.Seconds())
	s.do(t, emptySQL)
	require.NoError(t, s.Pair.WaitForReplay(ctx))
}

// exec runs a script in the standby's container.
func (s *subject) exec(t *testing.T, script string, arguments ...string) string {
	t.Helper()
	command := append([]string{"bash", "-c", script, "bench"}, arguments...)
	ended, err := s.Operator.Exec(t.Context(), s.Pair.Standby().Name(), nil, command...)
	require.NoError(t, err)
	require.Zero(t, ended.ExitCode, "%s: %s", script, ended.Stderr)
	return strings.TrimSpace(ended.Stdout)
}

// standby measures how long it takes a standby to come back.
func (s *subject) standby(t *testing.T) {
	t.Helper()
	ctx, name := t.Context(), s.Pair.Standby().Name()
	back := func(what string, act func() error) {
		began := time.Now()
		require.NoError(t, act())
		require.NoError(t, s.Pair.WaitReady(ctx))
		s.add(what, "s", time.Since(began).Seconds())
	}
	back("anew", func() error { return s.Operator.Recreate(ctx, name, true) })
	if s.name == "hardened" {
		back("restart", func() error { return s.Operator.Restart(ctx, name) })
	}
}
