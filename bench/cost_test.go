package bench_test

import (
	"context"
	"math"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/bench"
	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

const (
	waitNothing = "doing nothing"
	waitReplay  = "waiting for replay"
	waitReady   = "waiting for a pair"
)

func measureCost(t *testing.T, record *bench.Record) {
	record.Method = []string{
		"Of the test process alone, its helper processes included: the containers are not the harness's. up and down are live.Start of the recipe and its removal, the waits last a second each.",
		"The waits can only end in vain: for a position that is never written, and for a primary out of recovery where there is a standby. Their queries are counted in the client.",
	}
	engine := openEngine(t)
	const rounds = 5 // it compares nothing
	for range min(*pairs, rounds) {
		before := cpu(t)
		began := time.Now()
		target, remove := startPair(t, engine, recipeFiles)
		record.Add("up: wall", "ms", milliseconds(time.Since(began)))
		record.Add("up: CPU", "ms", milliseconds(cpu(t)-before))
		record.Add("memory when up", "MB", resident())

		watched, queries := counted(target.Pair)
		for _, wait := range []struct {
			name string
			vain func(context.Context) error
		}{
			{waitNothing, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }},
			{waitReplay, func(ctx context.Context) error { return watched.Standby().WaitReplayed(ctx, math.MaxUint64) }},
			{waitReady, func(ctx context.Context) error {
				return (&pair.Pair{Primary: watched.Standby(), Standbys: watched.Standbys}).WaitReady(ctx)
			}},
		} {
			before, asked := cpu(t), queries.Load()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			require.ErrorIs(t, wait.vain(ctx), context.DeadlineExceeded)
			cancel()
			record.Add("CPU of a second "+wait.name, "ms", milliseconds(cpu(t)-before))
			if wait.name != waitNothing {
				record.Add("queries, "+wait.name, "1/s", float64(queries.Load()-asked))
			}
		}
		watched.Close()

		before = cpu(t)
		remove()
		record.Add("down: CPU", "ms", milliseconds(cpu(t)-before))
	}
	record.Add("peak memory", "MB", peak(t))
	record.Bounds = []bench.Bound{
		{Series: "queries, " + waitReplay, Quantile: 1, AtMost: 201}, // one look each 5 ms
		{Series: "queries, " + waitReady, Quantile: 1, AtMost: 51},   // and each 20 ms
	}
}

// cpu is what this process and its children that have ended have used.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var total time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var used syscall.Rusage
		require.NoError(t, syscall.Getrusage(who, &used))
		total += time.Duration(used.Utime.Nano() + used.Stime.Nano())
	}
	return total
}

const (
	kilobyte = 1 << 10
	megabyte = 1 << 20
)

// resident is what this process has in memory now.
func resident() float64 {
	kilobytes, err := strconv.ParseFloat(inFile("/proc/self/status", `VmRSS:\s*(\d+) kB`), 64)
	if err != nil { // not Linux
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return float64(stats.Sys) / megabyte
	}
	return kilobytes / kilobyte
}

// peak is the most that this process ever had in memory.
func peak(t *testing.T) float64 {
	t.Helper()
	var used syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return float64(used.Maxrss) / kilobyte
}

// counter counts queries as a client sends them.
type counter struct{ atomic.Int64 }

func (c *counter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.Add(1)
	return ctx
}

func (*counter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// counted is the same pair, over connections whose queries are counted.
func counted(servers *pair.Pair) (*pair.Pair, *counter) {
	queries := &counter{}
	count := func(node *pair.Node) *pair.Node {
		return pair.NewNode(node.Name(), func(ctx context.Context) (*pgx.ConnConfig, error) {
			config, err := node.Config(ctx)
			if err == nil {
				config.Tracer = queries
			}
			return config, err
		})
	}
	return &pair.Pair{Primary: count(servers.Primary), Standbys: []*pair.Node{count(servers.Standby())}}, queries
}
