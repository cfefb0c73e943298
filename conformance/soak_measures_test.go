package conformance_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// measure is something that must not grow from round to round.
type measure struct {
	name      string
	tolerance float64 // how much a round it may rise
	read      func(ctx context.Context) (float64, error)
}

// sample is what each of some measures was after a round.
type sample []float64

const (
	// kept is what tells a leak of things that are counted from chance: less
	// than one in ten rounds.
	kept = 0.1
	// keptHeap in KiB: a round leaves some two with package testing and the
	// engine's SDK, and differs from the next by as much.
	keptHeap = 32
	// keptResident in KiB: the runtime gives memory back in whole spans, and
	// what it keeps of them differs by some MiB between rounds without a trend.
	keptResident = 1024
)

// soakMeasures are those of this process and of the engine. The engine's totals
// count what others do as well: a soak wants an engine of its own.
func soakMeasures() []measure {
	measures := []measure{
		{name: "heap, KiB", tolerance: keptHeap, read: heap},
		{name: "goroutines", tolerance: kept, read: goroutines},
		{name: "open files", tolerance: kept, read: openFiles},
	}
	if runtime.GOOS == "linux" {
		measures = append(measures, measure{name: "resident, KiB", tolerance: keptResident, read: resident})
	}
	for _, kind := range []string{"container ls --all", "network ls", "volume ls"} {
		what := strings.Fields(kind)[0] + "s"
		measures = append(measures,
			measure{name: what + " of runs", tolerance: kept, read: onEngine(kind + " --filter label=" + stack.SessionLabel)},
			measure{name: what, tolerance: kept, read: onEngine(kind)},
		)
	}
	return measures
}

// take reads some measures once what ends by itself has ended: connections
// and the goroutines that serve them, at most some seconds after the round.
func take(ctx context.Context, measures []measure, calm float64) (sample, error) {
	const patience, interval = 5 * time.Second, 50 * time.Millisecond
	settling, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_ = pair.Poll(settling, interval, func(ctx context.Context) (bool, error) { // if it does not settle, the sample shows it
		running, err := goroutines(ctx)
		return running <= calm, err
	})
	runtime.GC()         // what pools of buffers hold outlives one collection
	debug.FreeOSMemory() // collects once more, and gives back to the system what that frees
	var taken sample
	for _, measure := range measures {
		value, err := measure.read(ctx)
		if err != nil {
			return nil, fmt.Errorf("measure %s: %w", measure.name, err)
		}
		taken = append(taken, value)
	}
	return taken, nil
}

// line shows a sample in one line.
func (s sample) line(measures []measure) string {
	var parts []string
	for i, measure := range measures {
		parts = append(parts, fmt.Sprintf("%s %.0f", measure.name, s[i]))
	}
	return strings.Join(parts, "; ")
}

func heap(context.Context) (float64, error) {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return float64(memory.HeapAlloc) / 1024, nil
}

func goroutines(context.Context) (float64, error) { return float64(runtime.NumGoroutine()), nil }

// openFiles also counts the one that it reads the list by.
func openFiles(context.Context) (float64, error) {
	files, err := os.ReadDir("/dev/fd")
	return float64(len(files)), err
}

// resident is the size of this process in memory, in KiB.
//
// Source: Linux manual, proc_pid_statm(5).
func resident(context.Context) (float64, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	var size, pages int
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		return 0, fmt.Errorf("read statm %q: %w", text, err)
	}
	return float64(pages*os.Getpagesize()) / 1024, nil
}

// onEngine counts what a docker command lists.
func onEngine(list string) func(context.Context) (float64, error) {
	return func(ctx context.Context) (float64, error) {
		said, err := exec.CommandContext(ctx, "docker", append(strings.Fields(list), "--quiet")...).Output()
		return float64(bytes.Count(said, []byte("\n"))), err
	}
}

func TestMeasuresSeeWhatIsKept(t *testing.T) {
	measures := soakMeasures()[:3]
	before, err := take(t.Context(), measures, 1000)
	require.NoError(t, err)
	leak := make([]byte, 8<<20)
	file, err := os.Open(os.DevNull)
	require.NoError(t, err)
	wait, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		<-wait
	}()
	after, err := take(t.Context(), measures, 1000)
	require.NoError(t, err)
	assert.Greater(t, after[0]-before[0], 7.0*1024, "KiB of heap; garbage of other tests may have gone")
	assert.InDelta(t, 1, after[1]-before[1], 0, "goroutines")
	assert.InDelta(t, 1, after[2]-before[2], 0, "files")
	runtime.KeepAlive(leak)
	require.NoError(t, file.Close())
	close(wait)
	<-done
}
