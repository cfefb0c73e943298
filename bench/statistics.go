package bench

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
)

// ErrUnpaired says that runs cannot be compared: there are none, or some have
// no counterpart.
var ErrUnpaired = errors.New("runs are not in pairs")

// Quantile gives the value below which the share q, from 0 to 1, of the values
// lies, interpolated between the nearest two. No values give 0.
//
// Source: Hyndman and Fan, "Sample Quantiles in Statistical Packages", type 7.
func Quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	at := q * float64(len(sorted)-1)
	below := int(at)
	above := min(below+1, len(sorted)-1)
	return sorted[below] + (at-float64(below))*(sorted[above]-sorted[below])
}

// Ratio is how two contenders compare.
type Ratio struct {
	Pairs     int
	Median    float64 // of the ratios of paired runs
	Low, High float64 // within which the median lies with 95 % confidence
}

const (
	resamples  = 2000
	confidence = 0.95
)

// CompareRuns divides each run by the one that stood beside it. What both had
// to bear, such as a machine that was busy just then, cancels out. The interval
// is a bootstrap's, with a fixed seed: the same runs give the same interval.
// The error is ErrUnpaired.
//
// Source: Efron, "Bootstrap Methods: Another Look at the Jackknife", percentile method.
func CompareRuns(of, to []float64) (Ratio, error) {
	if len(of) == 0 || len(of) != len(to) {
		return Ratio{}, fmt.Errorf("compare %d runs to %d: %w", len(of), len(to), ErrUnpaired)
	}
	ratios := make([]float64, len(of))
	for i := range of {
		ratios[i] = of[i] / to[i]
	}
	chance := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a bootstrap keeps no secrets
	medians := make([]float64, resamples)
	sample := make([]float64, len(ratios))
	for i := range medians {
		for j := range sample {
			sample[j] = ratios[chance.IntN(len(ratios))]
		}
		medians[i] = Quantile(sample, 0.5)
	}
	const tail = (1 - confidence) / 2
	return Ratio{
		Pairs: len(ratios), Median: Quantile(ratios, 0.5),
		Low: Quantile(medians, tail), High: Quantile(medians, 1-tail),
	}, nil
}
