package bench_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/bench"
)

var update = flag.Bool("update", false, "write golden files anew")

// golden compares with a file, or writes it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))
}

func example() bench.Record {
	record := bench.Record{
		ID: "1-example", Title: "Example", Taken: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Command: "make bench",
		Machine:     []bench.Fact{{Name: "Cores", Value: "2"}},
		Method:      []string{"It is measured.", "Then it is written down."},
		Comparisons: []bench.Comparison{{Of: "ours", To: "theirs", AtMost: 0.35}, {Of: "ours", To: "rows", AtMost: 0.001}, {Of: "theirs", To: "ours"}},
		Bounds:      []bench.Bound{{Series: "ours", Quantile: 0.5, AtMost: 3}, {Series: "theirs", Quantile: 0.99, AtMost: 1}, {Series: "theirs", Quantile: 1, AtMost: 8.25}},
	}
	record.Add("ours", "s", 1.25, 1.5, 1)
	record.Add("theirs", "s", 5, 4.5, 8.25)
	record.Add("rows", "", 12345, 1000000, 0.00012)
	record.Add("rate", "MB/s", 5)
	record.Add("share", "%", 80)
	record.Add("another share", "%", 20, 30)
	hundred := bench.Series{Name: "hundred", Unit: "ms"}
	for i := range 100 {
		hundred.Values = append(hundred.Values, float64(i+1))
	}
	record.Add("hundred", "ms", hundred.Values[:50]...)
	record.Add("hundred", "ms", hundred.Values[50:]...)
	return record
}

func TestWrite(t *testing.T) {
	var page bytes.Buffer
	second := example()
	second.Title, second.Machine = "Facts are told once", append(second.Machine, bench.Fact{Name: "Load", Value: "0.5"})
	require.NoError(t, bench.Write(&page, []bench.Record{example(), second}))
	golden(t, "results.md", page.Bytes())
}

func TestWriteRefusesRunsWithoutCounterpart(t *testing.T) {
	record := example()
	record.Comparisons = append(record.Comparisons, bench.Comparison{Of: "ours", To: "nobody"})
	require.ErrorIs(t, bench.Write(&bytes.Buffer{}, []bench.Record{record}), bench.ErrUnpaired)
}

// Seconds are drawn on a linear axis, a count with a wide range on a logarithmic
// one. Shares have too few samples for boxes, and the rate would be one bar alone.
func TestChart(t *testing.T) {
	var files []string
	for _, chart := range bench.Charts(example()) {
		files = append(files, chart.File)
		var svg bytes.Buffer
		require.NoError(t, bench.Chart(&svg, chart))
		golden(t, chart.File, svg.Bytes())
	}
	assert.Equal(t, []string{"1-example-s.svg", "1-example-count.svg", "1-example-percent.svg", "1-example-ms.svg"}, files)
}

func TestRecordsComeBackSorted(t *testing.T) {
	folder := t.TempDir()
	second, first := example(), example()
	second.ID = "2-example"
	require.NoError(t, second.Save(folder))
	require.NoError(t, first.Save(folder))
	loaded, err := bench.Load(folder)
	require.NoError(t, err)
	assert.Equal(t, []bench.Record{first, second}, loaded)
}

func TestLoadNamesTheFileThatItCannotRead(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "3-broken.json"), []byte("{"), 0o644))
	_, err := bench.Load(folder)
	require.ErrorContains(t, err, "3-broken.json")
}
