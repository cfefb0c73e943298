package bench_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/bench"
)

// TestSmoke guards what startup_test.go measures: a few runs, beside the docker
// compose command alone. It knows ratios and no times, and its bounds are wide,
// so that it holds on any machine, also on a busy one: what it finds is a start
// that has become another kind of thing.
func TestSmoke(t *testing.T) {
	if !*smoke {
		t.Skip("starts servers only with -args -smoke")
	}
	const rounds = 3
	contenders := slices.DeleteFunc(ours(t), func(c contender) bool { return c.name == firstPair }) // it takes long
	var record bench.Record
	race(t, &record, rounds, append([]contender{composePeer(t)}, contenders...))
	for name, atMost := range map[string]float64{scratchPair: 1.5, furtherPair: 0.8, ownDatabase: 0.2} {
		ratio, err := bench.CompareRuns(record.Values("up: "+name), record.Values("up: "+byCompose))
		require.NoError(t, err)
		t.Logf("%s : %s = %.2f (%.2f to %.2f, %d pairs), at most %.2f", name, byCompose, ratio.Median, ratio.Low, ratio.High, ratio.Pairs, atMost)
		assert.LessOrEqual(t, ratio.Median, atMost, "%s took too long beside %s", name, byCompose)
	}
}
