package pairtest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
	"github.com/postgres-master-slave/postgres-master-slave/pairtest"
)

const (
	inRecoverySQL = `SELECT pg_is_in_recovery()`
	tableSQL      = `CREATE TABLE notes (id bigserial PRIMARY KEY, text text)`
	insertSQL     = `INSERT INTO notes (text) VALUES ($1)`
	countSQL      = `SELECT count(*) FROM notes WHERE text = $1`
)

// within bounds what must not take long on a machine that is busy.
func within(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

func one[T any](t *testing.T, pool *pgxpool.Pool, sql string, arguments ...any) T {
	t.Helper()
	rows, err := pool.Query(within(t, 20*time.Second), sql, arguments...)
	require.NoError(t, err)
	value, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	require.NoError(t, err)
	return value
}

// write adds a note to the primary that no other test writes.
func write(t *testing.T, db *pairtest.DB) (note string) {
	t.Helper()
	note = t.Name() + time.Now().String()
	_, err := db.Primary.Exec(within(t, 20*time.Second), insertSQL, note)
	require.NoError(t, err)
	return note
}

func replay(t *testing.T, db *pairtest.DB) {
	t.Helper()
	require.NoError(t, db.WaitForReplay(within(t, 20*time.Second)))
}

// requireWhole fails unless the pair takes writes on one side and shows them on
// the other at once.
func requireWhole(t *testing.T, p *pairtest.Pair) {
	t.Helper()
	state, err := p.State(within(t, 10*time.Second))
	require.NoError(t, err)
	require.True(t, state.Replicating(), "%+v", state)
	require.False(t, state.Held)
	note := write(t, p.DB)
	require.NoError(t, p.WaitForReplay(within(t, 3*time.Second)))
	require.EqualValues(t, 1, one[int64](t, p.Standby, countSQL, note))
}

// TestPair breaks one pair again and again: what a fault does ends with the
// test that it was given, whatever comes next finds a whole pair.
func TestPair(t *testing.T) {
	live(t)
	began := time.Now()
	p := pairtest.New(t, pairtest.Fast())
	t.Logf("a pair after %s", time.Since(began))
	_, err := p.Primary.Exec(t.Context(), tableSQL)
	require.NoError(t, err)
	replay(t, p.DB)

	for _, step := range []struct {
		name string
		test func(*testing.T, *pairtest.Pair)
	}{
		{"each pool reaches its side", testSides},
		{"database/sql reaches them too", testSQLDB},
		{"a connection string chooses by role", testURL},
		{"who may not see replication is told so", testNotVisible},
		{"unsafe settings are on when asked for", testFast},
		{"held replay makes every read stale", testHoldReplay},
		{"delayed replay makes a read stale for a while", testDelayReplay},
		{"a conflict ends a transaction once", testConflict},
		{"a conflict comes to whoever reads next", testConflictUnforeseen},
		{"a conflict waits until the primary removes rows", testConflictHeldBack},
		{"a frozen standby is silent", testFreezeStandby},
		{"a frozen primary is silent", testFreezePrimary},
		{"a cut standby answers and lags", testCut},
		{"a test's database on the pair goes through faults", testDatabase},
		{"a killed primary is down", testKillPrimary},
		{"a killed standby is down", testKillStandby},
		{"failover: the standby takes writes", testPromote},
		{"a fault can be healed before the end", testHealEarly},
	} {
		t.Run(step.name, func(t *testing.T) { step.test(t, p) })
		began := time.Now()
		requireWhole(t, p)
		t.Logf("%s: whole again after %s", step.name, time.Since(began))
	}
}

// testNotVisible asks as a role without pg_monitor: PostgreSQL then shows NULL
// for the state of both ends, and a wait would be for nothing.
func testNotVisible(t *testing.T, p *pairtest.Pair) {
	const createSQL, dropSQL = `CREATE ROLE nobody LOGIN PASSWORD 'nobody'`, `DROP ROLE nobody`
	_, err := p.Primary.Exec(t.Context(), createSQL)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := p.Primary.Exec(context.WithoutCancel(t.Context()), dropSQL)
		assert.NoError(t, err)
	})
	replay(t, p.DB)
	node := func(name string, pool *pgxpool.Pool, options ...pair.SessionOption) *pair.Node {
		var config *pgx.ConnConfig
		require.NoError(t, pool.AcquireFunc(t.Context(), func(connection *pgxpool.Conn) error {
			config = connection.Conn().Config()
			return nil
		}))
		for _, option := range options {
			option(config)
		}
		node := pair.NewNode(name, func(context.Context) (*pgx.ConnConfig, error) { return config, nil })
		t.Cleanup(node.Close)
		return node
	}
	nobody := pair.AsRole("nobody", "nobody")
	for name, servers := range map[string]*pair.Pair{
		"on the standby": {Primary: node("primary", p.Primary), Standbys: []*pair.Node{node("standby", p.Standby, nobody)}},
		"on the primary": {Primary: node("primary", p.Primary, nobody), Standbys: []*pair.Node{node("standby", p.Standby)}},
	} {
		err := servers.WaitReady(within(t, 20*time.Second))
		require.ErrorIs(t, err, pair.ErrNotVisible, name)
		require.NotErrorIs(t, err, context.DeadlineExceeded, name)
		require.ErrorContains(t, err, "pg_monitor", name)
	}
}

func testSides(t *testing.T, p *pairtest.Pair) {
	assert.False(t, one[bool](t, p.Primary, inRecoverySQL))
	assert.True(t, one[bool](t, p.Standby, inRecoverySQL))
	lag, err := p.Lag(t.Context())
	require.NoError(t, err)
	assert.Zero(t, lag.Age)
}

func testSQLDB(t *testing.T, p *pairtest.Pair) {
	var standby bool
	require.NoError(t, p.StandbyDB().QueryRowContext(t.Context(), inRecoverySQL).Scan(&standby))
	assert.True(t, standby)
	require.NoError(t, p.PrimaryDB().QueryRowContext(t.Context(), inRecoverySQL).Scan(&standby))
	assert.False(t, standby)
}

func testURL(t *testing.T, p *pairtest.Pair) {
	for attributes, want := range map[string]bool{"primary": false, "read-write": false, "standby": true, "prefer-standby": true} {
		t.Run(attributes, func(t *testing.T) {
			url, err := p.URL(t.Context(), attributes)
			require.NoError(t, err)
			conn, err := pgx.Connect(t.Context(), url)
			require.NoError(t, err)
			var standby bool
			require.NoError(t, conn.QueryRow(t.Context(), inRecoverySQL).Scan(&standby))
			assert.Equal(t, want, standby)
			require.NoError(t, conn.Close(t.Context()))
		})
	}
}

func testFast(t *testing.T, p *pairtest.Pair) {
	for _, side := range []*pgxpool.Pool{p.Primary, p.Standby} {
		assert.Equal(t, "off", one[string](t, side, `SHOW fsync`))
		assert.Equal(t, "off", one[string](t, side, `SHOW full_page_writes`))
		assert.Equal(t, "on", one[string](t, side, `SHOW synchronous_commit`), "WaitForReplay would miss commits")
	}
}

func testHoldReplay(t *testing.T, p *pairtest.Pair) {
	p.HoldReplay(t)
	note := write(t, p.DB)
	var missing *pair.ReplayError
	require.ErrorAs(t, p.WaitForReplay(within(t, 300*time.Millisecond)), &missing)
	assert.Zero(t, one[int64](t, p.Standby, countSQL, note), "stale")
	lag, err := p.Lag(t.Context())
	require.NoError(t, err)
	assert.Positive(t, lag.Bytes())
	assert.Positive(t, lag.Age)
	state, err := p.State(t.Context())
	require.NoError(t, err)
	assert.True(t, state.Held)
	assert.True(t, state.Replicating(), "it goes on receiving: %+v", state)
}

func testDelayReplay(t *testing.T, p *pairtest.Pair) {
	const delay, delaySQL = 700 * time.Millisecond, `SHOW recovery_min_apply_delay`
	p.DelayReplay(t, delay)
	began := time.Now()
	note := write(t, p.DB)
	assert.Zero(t, one[int64](t, p.Standby, countSQL, note), "stale")
	replay(t, p.DB)
	assert.EqualValues(t, 1, one[int64](t, p.Standby, countSQL, note))
	assert.GreaterOrEqual(t, time.Since(began), delay)
	heal := p.DelayReplay(t, 24*time.Hour) // SHOW calls it 1d; healed at once
	write(t, p.DB)
	last := p.DelayReplay(t, time.Hour)
	heal()
	assert.Equal(t, "1h", one[string](t, p.Standby, delaySQL), "the newest counts")
	last()
	assert.Equal(t, delay.String(), one[string](t, p.Standby, delaySQL), "healed in any order")
}

// snapshotted runs a transaction on the standby that keeps its snapshot.
func snapshotted(t *testing.T, p *pairtest.Pair, then func(pgx.Tx) error) error {
	t.Helper()
	return pgx.BeginTxFunc(within(t, 30*time.Second), p.Standby, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error {
		var rows int64
		if err := tx.QueryRow(t.Context(), `SELECT count(*) FROM notes`).Scan(&rows); err != nil {
			return err
		}
		return then(tx)
	})
}

func testConflict(t *testing.T, p *pairtest.Pair) {
	wait := p.Conflict(t)
	again := func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `SELECT count(*) FROM notes`)
		return err
	}
	err := snapshotted(t, p, func(tx pgx.Tx) error {
		wait()
		return again(tx)
	})
	require.Error(t, err)
	assert.NoError(t, snapshotted(t, p, again), "it strikes once")
}

func testConflictUnforeseen(t *testing.T, p *pairtest.Pair) {
	wait := p.Conflict(t)
	for range 20 { // what this package asks is no reader to strike
		require.NoError(t, p.WaitForReplay(t.Context()))
		_, err := p.State(t.Context())
		require.NoError(t, err)
	}
	_, err := p.Standby.Exec(within(t, 30*time.Second), `SELECT pg_sleep(20)`)
	assert.Equal(t, "40001", pair.SQLState(err), "%v", err)
	wait()
}

// testConflictHeldBack has a snapshot on the primary: VACUUM removes nothing there.
func testConflictHeldBack(t *testing.T, p *pairtest.Pair) {
	holder, err := p.Primary.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	require.NoError(t, err)
	_, err = holder.Exec(t.Context(), `SELECT count(*) FROM notes`)
	require.NoError(t, err)
	wait := p.Conflict(t)
	err = snapshotted(t, p, func(tx pgx.Tx) error {
		struck := make(chan struct{})
		go func() {
			defer close(struck)
			wait()
		}()
		select {
		case <-struck:
			assert.Fail(t, "it says to have struck, and no row can have been removed")
		case <-time.After(500 * time.Millisecond):
		}
		require.NoError(t, holder.Rollback(t.Context()))
		<-struck
		_, err := tx.Exec(t.Context(), `SELECT count(*) FROM notes`)
		return err
	})
	require.Error(t, err)
}

func testFreezeStandby(t *testing.T, p *pairtest.Pair) {
	p.Freeze(t, pairtest.Standby)
	write(t, p.DB)
	_, err := p.Standby.Exec(within(t, 300*time.Millisecond), inRecoverySQL)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	state, err := p.State(t.Context())
	require.NoError(t, err)
	require.Error(t, state.Standby.Err)
	require.NoError(t, state.Primary.Err)
	assert.False(t, state.Replicating())
}

func testFreezePrimary(t *testing.T, p *pairtest.Pair) {
	p.Freeze(t, pairtest.Primary)
	_, err := p.Primary.Exec(within(t, 300*time.Millisecond), inRecoverySQL)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.True(t, one[bool](t, p.Standby, inRecoverySQL))
}

func testCut(t *testing.T, p *pairtest.Pair) {
	p.Cut(t)
	note := write(t, p.DB)
	require.Error(t, p.WaitForReplay(within(t, 300*time.Millisecond)))
	assert.Zero(t, one[int64](t, p.Standby, countSQL, note), "stale")
	state, err := p.State(t.Context())
	require.NoError(t, err)
	require.NoError(t, state.Standby.Err)
	assert.False(t, state.Streaming)
}

func testDatabase(t *testing.T, p *pairtest.Pair) {
	const pidSQL = `SELECT pg_backend_pid()`
	db := p.Database(t, notes)
	assert.Empty(t, one[string](t, db.Primary, `SHOW application_name`), "its sessions are the application's")
	before := one[int](t, db.Primary, pidSQL)
	p.Cut(t)()
	assert.NotEqual(t, before, one[int](t, db.Primary, pidSQL), "a session of before the fault")
	note := write(t, db)
	replay(t, db)
	assert.EqualValues(t, 1, one[int64](t, db.Standby, countSQL, note))
}

func testKillPrimary(t *testing.T, p *pairtest.Pair) {
	p.Kill(t, pairtest.Primary)
	_, err := p.Primary.Exec(t.Context(), inRecoverySQL)
	require.Error(t, err)
	assert.True(t, one[bool](t, p.Standby, inRecoverySQL))
}

func testKillStandby(t *testing.T, p *pairtest.Pair) {
	p.Kill(t, pairtest.Standby)
	write(t, p.DB)
	_, err := p.Standby.Exec(t.Context(), inRecoverySQL)
	require.Error(t, err)
	state, err := p.State(t.Context())
	require.NoError(t, err)
	assert.Error(t, state.Standby.Err)
}

func testPromote(t *testing.T, p *pairtest.Pair) {
	url, err := p.URL(t.Context(), "read-write")
	require.NoError(t, err)
	before, err := p.State(t.Context())
	require.NoError(t, err)
	assert.Equal(t, before.Primary.Timeline, before.Standby.Timeline)
	p.Kill(t, pairtest.Primary)
	p.Promote(t)
	after, err := p.State(t.Context())
	require.NoError(t, err)
	assert.False(t, after.Standby.InRecovery)
	assert.Equal(t, before.Standby.Timeline+1, after.Standby.Timeline, "a promotion begins a timeline")
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err, "the string names both servers")
	_, err = conn.Exec(t.Context(), insertSQL, "written to the promoted server")
	require.NoError(t, errors.Join(err, conn.Close(t.Context())))
}

func testHealEarly(t *testing.T, p *pairtest.Pair) {
	other := p.HoldReplay(t)
	heal := p.HoldReplay(t)
	other()
	state, err := p.State(t.Context())
	require.NoError(t, err)
	assert.True(t, state.Held, "by the other one")
	note := write(t, p.DB)
	heal()
	assert.EqualValues(t, 1, one[int64](t, p.Standby, countSQL, note))
	heal() // does nothing
}

// TestOverlap has faults end in the order in which a test's clean-up does it:
// the last one first, while the others still hold the pair broken.
func TestOverlap(t *testing.T) {
	live(t)
	p := pairtest.New(t, pairtest.Fast())
	_, err := p.Primary.Exec(t.Context(), tableSQL)
	require.NoError(t, err)
	replay(t, p.DB)
	for _, step := range []struct {
		name string
		test func(*testing.T, *pairtest.Pair)
	}{
		{"held replay, killed primary", func(t *testing.T, p *pairtest.Pair) {
			t.Helper()
			p.HoldReplay(t)
			p.Kill(t, pairtest.Primary)
		}},
		{"cut, held replay, a write", func(t *testing.T, p *pairtest.Pair) {
			t.Helper()
			p.Cut(t)
			p.HoldReplay(t)
			write(t, p.DB)
		}},
		{"frozen primary, held and delayed replay", func(t *testing.T, p *pairtest.Pair) {
			t.Helper()
			p.Freeze(t, pairtest.Primary)
			p.HoldReplay(t)
			p.DelayReplay(t, time.Hour)
		}},
		{"frozen primary, killed standby", func(t *testing.T, p *pairtest.Pair) {
			t.Helper()
			p.Freeze(t, pairtest.Primary)
			p.Kill(t, pairtest.Standby)
		}},
		{"a conflict, killed primary", func(t *testing.T, p *pairtest.Pair) {
			t.Helper()
			p.Conflict(t)
			p.Kill(t, pairtest.Primary)
		}},
		{"held replay healed while the standby is frozen", func(t *testing.T, p *pairtest.Pair) {
			t.Helper()
			heal := p.HoldReplay(t)
			write(t, p.DB)
			p.Freeze(t, pairtest.Standby)
			heal()
		}},
		{"held replay, failover", func(t *testing.T, p *pairtest.Pair) {
			t.Helper()
			p.HoldReplay(t)
			p.Kill(t, pairtest.Primary)
			p.Promote(t)
		}},
	} {
		began := time.Now()
		t.Run(step.name, func(t *testing.T) { step.test(t, p) })
		requireWhole(t, p)
		t.Logf("%s: whole again after %s", step.name, time.Since(began))
	}
}

// TestHardened runs the overlay, whose servers start in their own way.
func TestHardened(t *testing.T) {
	live(t)
	p := pairtest.New(t, pairtest.Hardened(), pairtest.Fast())
	assert.Equal(t, "on", one[string](t, p.Standby, `SHOW hot_standby_feedback`), "the overlay is there")
	_, err := p.Primary.Exec(t.Context(), tableSQL)
	require.NoError(t, err)
	replay(t, p.DB)
	for name, strike := range map[string]func(*testing.T, *pairtest.Pair){
		"held replay": testHoldReplay, "conflict despite feedback": testConflict, "killed standby": testKillStandby, "failover": testPromote,
	} {
		t.Run(name, func(t *testing.T) { strike(t, p) })
		requireWhole(t, p)
		assert.Equal(t, "on", one[string](t, p.Standby, `SHOW hot_standby_feedback`), "after %s", name)
	}
}
