package conformance_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/stretchr/testify/assert"
)

const (
	// warmUp rounds are left out of the judgement: the first fills caches and
	// starts what the process then keeps.
	warmUp = 1
	// fewest rounds, after those, that can show a trend: with four, one order
	// out of 24 rises from each to the next.
	fewest = 4
	// surely is how far from chance a trend must be, in standard deviations:
	// one series in twenty that goes nowhere would pass it.
	surely = 1.645
)

// growth is how something developed from round to round.
type growth string

const (
	steady  growth = "steady"
	grows   growth = "grows"
	unknown growth = "too few rounds"
)

// judgeGrowth says whether a series rises by more than a tolerance a round, and
// gives that rise: the median of the slopes between any two rounds, which
// single outliers do not move. It must also be a trend and not chance: by far
// more pairs of rounds rise than fall.
//
// Source: Sen 1968, "Estimates of the Regression Coefficient Based on
// Kendall's Tau"; Mann 1945, "Nonparametric Tests Against Trend".
func judgeGrowth(series []float64, tolerance float64) (growth, float64) {
	if len(series) < warmUp+fewest {
		return unknown, 0
	}
	series = series[warmUp:]
	var slopes []float64
	rising := 0.0
	for i := range series {
		for j := i + 1; j < len(series); j++ {
			slope := (series[j] - series[i]) / float64(j-i)
			slopes = append(slopes, slope)
			switch {
			case slope > 0:
				rising++
			case slope < 0:
				rising--
			}
		}
	}
	n := float64(len(series))
	deviations := (rising - 1) / math.Sqrt(n*(n-1)*(2*n+5)/18)
	slices.Sort(slopes)
	middle := len(slopes) / 2
	slope := (slopes[middle] + slopes[(len(slopes)-1)/2]) / 2
	if slope > tolerance && deviations > surely {
		return grows, slope
	}
	return steady, slope
}

// growthTable shows the series of some measures and what became of each. The
// number says how many grow.
func growthTable(measures []measure, rounds []sample) (text string, growing int) {
	var out strings.Builder
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  \tfirst\tlast\tmost\ta round\ttolerated\t")
	for i, measure := range measures {
		var series []float64
		for _, round := range rounds {
			series = append(series, round[i])
		}
		if len(series) == 0 {
			continue
		}
		verdict, slope := judgeGrowth(series, measure.tolerance)
		if verdict == grows {
			growing++
		}
		fmt.Fprintf(table, "  %s\t%.0f\t%.0f\t%.0f\t%+.2f\t%+.2f\t%s\n",
			measure.name, series[0], series[len(series)-1], slices.Max(series), slope, measure.tolerance, verdict)
	}
	if err := table.Flush(); err != nil {
		return err.Error(), growing
	}
	return out.String(), growing
}

func TestGrowthIsTold(t *testing.T) {
	noise := func(rounds int, of float64, leak float64) (series []float64) {
		random := rand.New(rand.NewPCG(1, 1))
		for i := range rounds {
			series = append(series, 50_000+leak*float64(i)+of*(random.Float64()-0.5))
		}
		return series
	}
	for name, test := range map[string]struct {
		series    []float64
		tolerance float64
		want      growth
	}{
		"nothing":                           {nil, 0, unknown},
		"four rounds":                       {[]float64{1, 2, 3, 4}, 0, unknown},
		"the same":                          {[]float64{7, 7, 7, 7, 7, 7}, 0.1, steady},
		"one leaks each round":              {[]float64{7, 8, 9, 10, 11}, 0.1, grows},
		"one leaks each third round":        {[]float64{7, 7, 7, 8, 8, 8, 9, 9, 9, 10, 10, 10}, 0.1, grows},
		"the first round only":              {[]float64{7, 12, 12, 12, 12, 12}, 0.1, steady},
		"once, later":                       {[]float64{7, 7, 7, 7, 8, 8, 8, 8}, 0.2, steady},
		"up and down":                       {[]float64{7, 9, 7, 9, 7, 9, 7, 9}, 0.1, steady},
		"one outlier":                       {[]float64{7, 7, 7, 90, 7, 7, 7, 7}, 0.1, steady},
		"a last outlier":                    {[]float64{7, 7, 7, 7, 7, 7, 90}, 0.1, steady},
		"it shrinks":                        {[]float64{12, 11, 10, 9, 8, 7}, 0.1, steady},
		"slower than tolerated":             {[]float64{100, 101, 102, 103, 104, 105}, 2, steady},
		"noise":                             {noise(25, 4000, 0), 64, steady},
		"a leak in noise":                   {noise(25, 4000, 256), 64, grows},
		"a leak in noise of the tolerated":  {noise(25, 400, 32), 64, steady},
		"a leak that an outlier would hide": {[]float64{0, 100, 200, 300, 3000, 500, 600, 700, 800, 900}, 64, grows},
	} {
		t.Run(name, func(t *testing.T) {
			got, slope := judgeGrowth(test.series, test.tolerance)
			assert.Equal(t, test.want, got, "%+.3f a round", slope)
		})
	}
}

func TestGrowthTableNamesWhatGrows(t *testing.T) {
	measures := []measure{{name: "heap, KiB", tolerance: 64}, {name: "goroutines", tolerance: 0.1}}
	rounds := []sample{{900, 4}, {1000, 4}, {990, 5}, {1010, 6}, {1001, 7}, {1002, 8}}
	text, growing := growthTable(measures, rounds)
	assert.Equal(t, 1, growing)
	assert.Equal(t, `              first  last  most  a round  tolerated  
  heap, KiB   900    1002  1010  +0.75    +64.00     steady
  goroutines  4      8     8     +1.00    +0.10      grows
`, text)
}
