package bench_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/bench"
	"github.com/postgres-master-slave/postgres-master-slave/docker"
	"github.com/postgres-master-slave/postgres-master-slave/pair"
	"github.com/postgres-master-slave/postgres-master-slave/pairtest"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// trial is what one start took, and the removal.
type trial struct {
	claimed time.Duration // until the contender said that the pair replicates
	proven  time.Duration // until a table made on the primary was seen on the standby
	down    time.Duration
}

// contender is one way to have a pair.
type contender struct {
	name  string
	trial func(t *testing.T) trial
}

const (
	byCompose        = "docker compose"
	byTestcontainers = "testcontainers-go"
	firstPair        = "first pair"
	scratchPair      = "pair from scratch"
	furtherPair      = "further pair"
	ownDatabase      = "database"
)

func measureStartup(t *testing.T, record *bench.Record) {
	record.Method = []string{
		"up: until a table that was created on the primary is seen on the standby, by the same code for every contender. claim: until the contender itself says that the pair is ready. down: until nothing is left of containers, networks and volumes.",
		"`" + firstPair + "`, `" + scratchPair + "`, `" + furtherPair + "`: pairtest.New, without a template (it makes one on the way), with FromScratch, and with a template. `" + ownDatabase + "`: pairtest.Database on a pair that is there already.",
		"`" + byCompose + "`: `up -d`, then a loop that asks both servers every 100 ms, over pgx as no psql need be there, whether the standby streams and has replayed the primary's position; `down -v`.",
		"`" + byTestcontainers + "`: its compose module, waiting for `started streaming WAL from primary` in the standby's log, asked every 100 ms as is its default; no reaper.",
		"Both peers get an overlay (peer/overlay.yml) with free ports, and no grace period: their `down` would wait 10 s for the recipe's standby, whose bash passes no signal on.",
	}
	race(t, record, *pairs, append([]contender{composePeer(t), testcontainersPeer(t)}, ours(t)...))
	for _, goal := range []struct {
		name   string
		atMost float64
	}{{firstPair, 1}, {scratchPair, 1}, {furtherPair, 0.35}, {ownDatabase, 0.05}} {
		for _, peer := range []string{byCompose, byTestcontainers} {
			record.Comparisons = append(record.Comparisons,
				bench.Comparison{Of: "up: " + goal.name, To: "up: " + peer, AtMost: goal.atMost})
		}
	}
	for _, name := range []string{scratchPair, furtherPair, ownDatabase} {
		record.Comparisons = append(record.Comparisons, bench.Comparison{Of: "down: " + name, To: "down: " + byCompose})
	}
}

// race lets contenders make and remove pairs in turn.
func race(t *testing.T, record *bench.Record, rounds int, contenders []contender) {
	t.Helper()
	alternate(rounds, contenders, func(one contender) {
		took := one.trial(t)
		record.Add("up: "+one.name, "s", took.proven.Seconds())
		record.Add("claim: "+one.name, "s", took.claimed.Seconds())
		record.Add("down: "+one.name, "s", took.down.Seconds())
	})
}

// ours are this project's ways. The shared pair stays until the test ends: every
// contender has it beside itself, idle.
func ours(t *testing.T) []contender {
	t.Helper()
	require.True(t, t.Run("make template", func(t *testing.T) { pairtest.New(t) }))
	database(t)
	engine := openEngine(t)
	fresh := func(t *testing.T) trial {
		t.Helper()
		return freshTemplate(t, engine)
	}
	return []contender{{firstPair, fresh}, {scratchPair, timed(fromScratch)}, {furtherPair, timed(further)}, {ownDatabase, timed(database)}}
}

func fromScratch(t *testing.T) *pairtest.DB {
	t.Helper()
	return pairtest.New(t, pairtest.FromScratch()).DB
}

func further(t *testing.T) *pairtest.DB {
	t.Helper()
	return pairtest.New(t).DB
}

func database(t *testing.T) *pairtest.DB {
	t.Helper()
	return pairtest.Database(t, pairtest.SQL(`CREATE TABLE orders (id bigint PRIMARY KEY, item text NOT NULL)`))
}

// timed is a trial of what makes a database for a test: that test's clean-up is
// the removal.
func timed(obtain func(t *testing.T) *pairtest.DB) func(t *testing.T) trial {
	return func(t *testing.T) trial {
		t.Helper()
		var took trial
		var ended time.Time
		require.True(t, t.Run("trial", func(t *testing.T) {
			began := time.Now()
			db := obtain(t)
			took.claimed = time.Since(began)
			prove(t, db.Primary, db.Standby)
			took.proven = time.Since(began)
			ended = time.Now()
		}))
		took.down = time.Since(ended)
		return took
	}
}

// freshTemplate runs a copy of the recipe, which no template is of: the place of
// its files is part of a template's key.
func freshTemplate(t *testing.T, engine *stack.Engine) trial {
	t.Helper()
	folder := t.TempDir()
	require.NoError(t, os.CopyFS(folder, docker.Recipe))
	before := templates(t, engine)
	took := timed(func(t *testing.T) *pairtest.DB {
		t.Helper()
		return pairtest.New(t, pairtest.Files(folder+"/docker-compose.yml")).DB
	})(t)
	for key := range templates(t, engine) {
		if !before[key] {
			require.NoError(t, engine.RemoveTemplate(t.Context(), key))
		}
	}
	return took
}

func templates(t *testing.T, engine *stack.Engine) map[string]bool {
	t.Helper()
	all, err := engine.Templates(t.Context())
	require.NoError(t, err)
	keys := map[string]bool{}
	for _, one := range all {
		keys[one.Key] = true
	}
	return keys
}

func openEngine(t *testing.T) *stack.Engine {
	t.Helper()
	engine, err := stack.Open(t.Context(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, engine.Close()) })
	return engine
}

const (
	proofSQL = `CREATE TABLE bench_proof AS SELECT 1 AS id`
	seenSQL  = `SELECT to_regclass('bench_proof') IS NOT NULL`

	proofInterval = 5 * time.Millisecond
	proofPatience = 10 * time.Second
)

// prove makes a table on the primary and waits until the standby shows it.
func prove(t *testing.T, primary, standby *pgxpool.Pool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), proofPatience)
	defer cancel()
	_, err := primary.Exec(ctx, proofSQL)
	require.NoError(t, err)
	require.NoError(t, pair.Poll(ctx, proofInterval, func(ctx context.Context) (bool, error) {
		var seen bool
		err := standby.QueryRow(ctx, seenSQL).Scan(&seen)
		return seen, err
	}))
}
