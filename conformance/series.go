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

// Series records a curve for the report. Of many points an even choice is
// kept, the last one included.
func (c *C) Series(name, x, y string, points [][2]float64) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.series = append(c.series, Series{Name: name, X: x, Y: y, Points: thinned(points)})
}

func thinned(points [][2]float64) [][2]float64 {
	if len(points) <= maxPoints {
		return slices.Clone(points)
	}
	kept := make([][2]float64, 0, maxPoints)
	step := float64(len(points)-1) / (maxPoints - 1)
	for i := range maxPoints {
		kept = append(kept, points[int(math.Round(float64(i)*step))])
	}
	return kept
}
