package conformance

import (
	"math"
	"slices"
)

// Series is a measured curve.
type Series struct {
	Name   string
	X, Y   string // units; "s" as X is the time since the check began
	Points [][2]float64
}

// maxPoints bounds what a report has to draw.
const maxPoints = 400

// Series records a curve for the report, to the thousandth of its units. Of
// many points an even choice is kept, the last one included.
func (c *C) Series(name, x, y string, points [][2]float64) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.series = append(c.series, Series{Name: name, X: x, Y: y, Points: thinned(rounded(points), maxPoints)})
}

// rounded leaves out the digits that nobody can see in a drawing: what is
// measured in seconds is told to the millisecond.
func rounded(points [][2]float64) [][2]float64 {
	short := slices.Clone(points)
	for i := range short {
		for j, value := range short[i] {
			short[i][j] = math.Round(value*1000) / 1000
		}
	}
	return short
}

// thinned is an even choice of at most so many points, the last one included.
func thinned(points [][2]float64, most int) [][2]float64 {
	if len(points) <= most {
		return points
	}
	kept := make([][2]float64, 0, most)
	step := float64(len(points)-1) / float64(most-1)
	for i := range most {
		kept = append(kept, points[int(math.Round(float64(i)*step))])
	}
	return kept
}
