package bench_test

import (
	"context"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/bench"
	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/conformance/live"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

var (
	recipeFiles   = []string{"../docker/docker-compose.yml"}
	hardenedFiles = []string{"../docker/docker-compose.yml", "../overlays/hardened.yml"}
)

const (
	foundReady = "log line to ready"
	startDelay = "log line to return of live.Start"
	anewDelay  = "log line to return of WaitReady, standby made anew"
)

func measureDetection(t *testing.T, record *bench.Record) {
	record.Method = []string{
		"From the moment that the standby itself writes into the line `started streaming WAL from primary` of its log (1 ms resolution) until the library's wait ends. Server and library have one clock: the engine is on this machine.",
		"`" + startDelay + "` also has what live.Start finds out for reports once the pair is ready.",
	}
	engine := openEngine(t)
	const again = 2
	for range *pairs {
		target, remove := startPair(t, engine, recipeFiles)
		returned := time.Now()
		streaming := streamingSince(t, target, time.Time{})
		record.Add(foundReady, "ms", milliseconds(target.Operator.Ready().Sub(streaming)))
		record.Add(startDelay, "ms", milliseconds(returned.Sub(streaming)))

		standby := target.Pair.Standby().Name()
		for range again {
			before := time.Now()
			require.NoError(t, target.Operator.Recreate(t.Context(), standby, true))
			require.NoError(t, target.Pair.WaitReady(t.Context()))
			returned = time.Now()
			record.Add(anewDelay, "ms", milliseconds(returned.Sub(streamingSince(t, target, before))))
		}
		remove()
	}
	for _, name := range []string{startDelay, anewDelay} {
		record.Bounds = append(record.Bounds,
			bench.Bound{Series: name, Quantile: 0.5, AtMost: 30}, bench.Bound{Series: name, Quantile: 0.99, AtMost: 150})
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// startPair makes a pair of compose files as they are, without a template. The
// test removes it where it does not do so itself.
func startPair(t *testing.T, engine *stack.Engine, files []string) (target *conformance.Target, remove func()) {
	t.Helper()
	const limit = 2 * time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	target, stop, err := live.Start(ctx, engine, stack.Options{Files: files, Name: "bench"})
	require.NoError(t, err)
	remove = sync.OnceFunc(func() {
		ctx, cancel := afterTest(t)
		defer cancel()
		require.NoError(t, stop(ctx))
		target.Pair.Close()
	})
	t.Cleanup(remove)
	return target, remove
}

var streamingLine = regexp.MustCompile(`(?m)^(\S+ \S+) UTC .*started streaming WAL from primary`)

// streamingSince is when the standby says that it began to stream.
func streamingSince(t *testing.T, target *conformance.Target, since time.Time) time.Time {
	t.Helper()
	log, err := target.Operator.Logs(t.Context(), target.Pair.Standby().Name(), since)
	require.NoError(t, err)
	found := streamingLine.FindAllStringSubmatch(log, -1)
	require.Len(t, found, 1, "the standby streams, and its log should say so once:\n%s", log)
	at, err := time.Parse("2006-01-02 15:04:05.000", found[0][1])
	require.NoError(t, err)
	return at
}
