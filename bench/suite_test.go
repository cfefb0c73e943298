package bench_test

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/bench"
	"github.com/postgres-master-slave/postgres-master-slave/report"
)

// measureSuite reads what a run of the suite left: it runs nothing.
func measureSuite(t *testing.T, record *bench.Record) {
	const events = "../build/verify/events.jsonl"
	file, err := os.Open(events)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("make verify has not left build/verify/events.jsonl")
	}
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	run := &report.Run{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, megabyte)
	for lines.Scan() {
		event, err := report.ParseEvent(lines.Bytes())
		require.NoError(t, err)
		run.Add(event)
	}
	require.NoError(t, lines.Err())
	results := run.Results()
	record.Taken = results.Begun.UTC()
	record.Command = "make verify"
	record.Machine = nil // what this run knows of the machine need not be true of that one
	record.Method = []string{
		"Read from the events of an earlier `make verify`, taken at the time below. Seconds are those of a chapter's checks; chapters that run side by side share the processors.",
	}
	for _, target := range results.Targets {
		count, seconds := 0, 0.0
		for _, chapter := range target.Chapters() {
			record.Add(target.Name+": "+chapter.Name, "s", chapter.Seconds)
			count += len(chapter.Checks)
			seconds += chapter.Seconds
		}
		if seconds > 0 {
			record.Add(target.Name+": checks per second", "1/s", float64(count)/seconds)
		}
	}
	record.Add("whole run", "s", results.Seconds)
}
