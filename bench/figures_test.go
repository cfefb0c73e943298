package bench_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/bench"
)

var (
	wanted = flag.String("figures", "", "which figures to measure: all, or ids separated by commas")
	pairs  = flag.Int("pairs", 10, "how many runs of each contender")
	smoke  = flag.Bool("smoke", false, "guard the ratios of starting times with a few runs")
	many   = flag.Bool("many", false, "also measure eight pairs at once")
	cold   = flag.Bool("cold", false, "also build without a build cache, which takes minutes")
	wal    = flag.Int("wal", 128, "MB of WAL that a standby has to catch up with")
)

// TestMain lets tests wait for each other in parallel, however few processors
// there are: see measureConcurrent.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// figure is one question and its measurement.
type figure struct {
	id      string
	title   string
	measure func(t *testing.T, record *bench.Record)
}

func figures() []figure {
	return []figure{
		{"1-startup", "From nothing to proven replication, and back", measureStartup},
		{"2-concurrent", "Several pairs at once", measureConcurrent},
		{"3-detection", "How soon it is noticed that the standby streams", measureDetection},
		{"4-cost", "What the harness itself costs", measureCost},
		{"5-replication", "The pair: the recipe, and hardened", measureReplication},
		{"6-suite", "The conformance suite", measureSuite},
		{"7-build", "Build", measureBuild},
	}
}

// TestFigures measures what the flag -figures names, and makes RESULTS.md anew
// of that and of what was measured earlier.
func TestFigures(t *testing.T) {
	if *wanted == "" {
		t.Skip("measures only with -args -figures all")
	}
	const folder = "results"
	require.NoError(t, os.MkdirAll(folder, 0o755))
	measured := 0
	for _, one := range figures() {
		if !chosen(one.id) {
			continue
		}
		measured++
		t.Run(one.id, func(t *testing.T) {
			record := bench.Record{
				ID: one.id, Title: one.title, Taken: time.Now().UTC().Truncate(time.Second),
				Command: "make bench " + strings.Join(flagsGiven(), " "), Machine: machine(t),
			}
			one.measure(t, &record)
			require.NoError(t, record.Save(folder))
			t.Logf("%s took %s", one.id, time.Since(record.Taken).Round(time.Second))
		})
	}
	require.NotZero(t, measured, "no figure is named %s", *wanted)
	writeResults(t, folder)
}

func chosen(id string) bool {
	number, _, _ := strings.Cut(id, "-")
	names := strings.Split(*wanted, ",")
	return slices.Contains(names, "all") || slices.Contains(names, id) || slices.Contains(names, number)
}

// flagsGiven are the flags that say what was measured, as make takes them.
func flagsGiven() []string {
	var given []string
	flag.Visit(func(f *flag.Flag) {
		if !strings.HasPrefix(f.Name, "test.") {
			given = append(given, strings.ToUpper(f.Name)+"="+f.Value.String())
		}
	})
	return given
}

func writeResults(t *testing.T, folder string) {
	t.Helper()
	records, err := bench.Load(folder)
	require.NoError(t, err)
	var page bytes.Buffer
	require.NoError(t, bench.Write(&page, records))
	require.NoError(t, os.WriteFile("RESULTS.md", page.Bytes(), 0o644))
	for _, record := range records {
		for _, chart := range bench.Charts(record) {
			var svg bytes.Buffer
			require.NoError(t, bench.Chart(&svg, chart))
			require.NoError(t, os.WriteFile(filepath.Join(folder, chart.File), svg.Bytes(), 0o644))
		}
	}
}

// alternate calls each of some in turn, so many rounds, every second round in
// the opposite order: ABBA.
func alternate[T any](rounds int, contenders []T, run func(T)) {
	order := slices.Clone(contenders)
	for range rounds {
		for _, one := range order {
			run(one)
		}
		slices.Reverse(order)
	}
}

// afterTest is a context for clean-up, when the test's own has ended.
func afterTest(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
}
