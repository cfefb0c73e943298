package bench_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/bench"
)

func TestQuantile(t *testing.T) {
	for _, one := range []struct {
		name   string
		values []float64
		q      float64
		want   float64
	}{
		{"median of an odd number is the middle", []float64{9, 1, 5}, 0.5, 5},
		{"median of an even number lies between", []float64{4, 1, 3, 2}, 0.5, 2.5},
		{"quartile is interpolated", []float64{1, 2, 3, 4}, 0.25, 1.75},
		{"0 is the least", []float64{3, 1, 2}, 0, 1},
		{"1 is the greatest", []float64{3, 1, 2}, 1, 3},
		{"one value is every quantile", []float64{7}, 0.99, 7},
		{"no values", nil, 0.5, 0},
	} {
		t.Run(one.name, func(t *testing.T) {
			assert.InDelta(t, one.want, bench.Quantile(one.values, one.q), 1e-9)
		})
	}
}

func TestQuantileLeavesItsArgumentAlone(t *testing.T) {
	values := []float64{3, 1, 2}
	bench.Quantile(values, 0.5)
	assert.Equal(t, []float64{3, 1, 2}, values)
}

func TestCompareRunsTakesTheMedianOfPairedRatios(t *testing.T) {
	// The ratio of the medians would be 30/20.
	ratio, err := bench.CompareRuns([]float64{10, 30, 100}, []float64{20, 10, 200})
	require.NoError(t, err)
	assert.InDelta(t, 0.5, ratio.Median, 1e-9)
	assert.Equal(t, 3, ratio.Pairs)
}

func TestCompareRunsCancelsWhatBothHadToBear(t *testing.T) {
	slow := []float64{1, 2, 4, 8, 16} // the machine grows slower
	var half []float64
	for _, one := range slow {
		half = append(half, one/2)
	}
	ratio, err := bench.CompareRuns(half, slow)
	require.NoError(t, err)
	assert.Equal(t, bench.Ratio{Pairs: 5, Median: 0.5, Low: 0.5, High: 0.5}, ratio)
}

func TestCompareRunsIntervalHoldsTheMedianAndRepeats(t *testing.T) {
	of, to := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, []float64{10, 10, 10, 10, 10, 10, 10, 10, 10, 10}
	ratio, err := bench.CompareRuns(of, to)
	require.NoError(t, err)
	assert.Less(t, ratio.Low, ratio.Median)
	assert.Greater(t, ratio.High, ratio.Median)
	assert.Greater(t, ratio.Low, 0.1)
	again, err := bench.CompareRuns(of, to)
	require.NoError(t, err)
	assert.Equal(t, ratio, again)
}

func TestCompareRunsWantsPairs(t *testing.T) {
	for name, runs := range map[string][2][]float64{
		"no runs":             {nil, nil},
		"one has no neighbor": {{1, 2}, {1}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := bench.CompareRuns(runs[0], runs[1])
			require.ErrorIs(t, err, bench.ErrUnpaired)
		})
	}
}

func ExampleCompareRuns() {
	ours, theirs := []float64{2.0, 2.2, 3.0}, []float64{4.0, 5.5, 5.0}
	ratio, err := bench.CompareRuns(ours, theirs)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%.2f (%.2f to %.2f)\n", ratio.Median, ratio.Low, ratio.High)
	// Output: 0.50 (0.40 to 0.60)
}
