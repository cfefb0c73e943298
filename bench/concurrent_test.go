package bench_test

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/bench"
	"github.com/postgres-master-slave/postgres-master-slave/pairtest"
)

func measureConcurrent(t *testing.T, record *bench.Record) {
	record.Method = []string{
		"k pairs at once by pairtest.New, each in a parallel test: wall time until the last of them replicates and until all are removed, memory and processes of their containers as `docker stats` tells when all are up, and CPU time of the test process and its helpers, up and down.",
	}
	require.True(t, t.Run("make template", func(t *testing.T) { pairtest.New(t) }))
	ks := []int{1, 2, 4}
	if *many {
		ks = append(ks, 8)
	}
	const rounds = 3 // it compares nothing side by side, and takes long
	alternate(min(*pairs, rounds), ks, func(k int) {
		before, began := cpu(t), time.Now()
		var ready time.Duration
		var memory, processes float64
		t.Run(fmt.Sprintf("k=%d", k), func(t *testing.T) {
			others := containers(t)
			var up, done sync.WaitGroup
			up.Add(k)
			done.Add(1)
			for i := range k {
				t.Run(strconv.Itoa(i), func(t *testing.T) {
					t.Parallel()
					arrive := sync.OnceFunc(up.Done)
					defer arrive() // also when there is no pair, so that nobody waits for ever
					if i == 0 {
						defer done.Done()
					}
					pairtest.New(t)
					arrive()
					if i > 0 {
						done.Wait()
						return
					}
					up.Wait()
					ready = time.Since(began)
					memory, processes = occupied(t, others)
				})
			}
		})
		name := fmt.Sprintf("k=%d: ", k)
		record.Add(name+"up", "s", ready.Seconds())
		record.Add(name+"up and down", "s", time.Since(began).Seconds())
		record.Add(name+"memory of the servers", "MB", memory)
		record.Add(name+"processes of the servers", "", processes)
		record.Add(name+"CPU of the test process", "ms", milliseconds(cpu(t)-before))
	})
}

func containers(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for _, id := range strings.Fields(said(t, "docker", "ps", "--quiet")) {
		found[id] = true
	}
	return found
}

// occupied is what containers take that were not there before: MB, processes.
func occupied(t *testing.T, before map[string]bool) (memory, processes float64) {
	t.Helper()
	arguments := []string{"stats", "--no-stream", "--format", "{{.PIDs}} {{.MemUsage}}"}
	for id := range containers(t) {
		if !before[id] {
			arguments = append(arguments, id)
		}
	}
	for line := range strings.Lines(said(t, "docker", arguments...)) {
		words := strings.Fields(line) // 7 33.5MiB / 23.5GiB
		count, err := strconv.ParseFloat(words[0], 64)
		require.NoError(t, err)
		processes += count
		memory += megabytes(t, words[1])
	}
	return memory, processes
}

// megabytes reads a size as docker prints it.
func megabytes(t *testing.T, size string) float64 {
	t.Helper()
	digits := strings.TrimRight(size, "KMGiB")
	value, err := strconv.ParseFloat(digits, 64)
	require.NoError(t, err)
	switch size[len(digits):] {
	case "GiB":
		return value * kilobyte
	case "MiB":
		return value
	case "KiB":
		return value / kilobyte
	}
	return value / megabyte
}
