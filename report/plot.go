package report

import (
	"fmt"
	"math"
	"strings"
)

// The plots are SVG of our own. The Go libraries that write SVG (gonum/plot,
// go-analyze/charts) were tried: both paint fixed colours and fonts into the
// drawing, so that it does not follow the theme, and scale their text with it,
// so that it cannot be read at 360 px; neither says anything to a screen
// reader. Here the SVG holds only the shapes, in colours of the page's style
// sheet, stretched to the width there is; the text around it is HTML.

// The size of the plane that shapes are drawn on. It is stretched to fit.
const (
	planeWidth  = 1000.0
	planeHeight = 300.0
)

// plot is one drawing and the words that go with it.
type plot struct {
	Title   string
	Summary string // what the drawing shows, in a sentence: for everybody, and for who cannot see it
	X, Y    axis
	Line    string // SVG path
	Area    string // SVG path
	Bars    []bar
	Windows []window
	Marks   []mark
	Table   table
	x       span
}

// axis is the words along one side.
type axis struct {
	Label string
	Ticks []tick
}

type tick struct {
	At   float64 // percent of the plane
	Grid float64 // the same in units of the plane
	Text string
}

type bar struct{ X, Y, Width, Height float64 }

// window is a stretch of time in which something was the matter.
type window struct {
	X, Width float64 // units of the plane
	Left     float64 // percent
	Number   int     // 0 for the gap that a plot is about
	Kind     string  // fault or gap
	Text     string
}

// mark is a value worth a line of its own.
type mark struct {
	X, Left float64
	Text    string
}

// table is what the plot shows, as numbers.
type table struct {
	Head [2]string
	Rows [][2]string
	Note string
}

// span is the range of values of an axis.
type span struct {
	low, high float64
	unit      unit
	log       bool
}

// spanOf covers values. Linear axes begin at 0 where that is honest: a length
// that starts elsewhere deceives.
func spanOf(unitName string, values []float64, log bool) span {
	low, high := math.Inf(1), math.Inf(-1)
	for _, value := range values {
		low, high = math.Min(low, value), math.Max(high, value)
	}
	if !log {
		low, high = math.Min(low, 0), math.Max(high, 0)
	}
	if low == high {
		high = low + 1
		if log {
			low, high = low/2, low*2
		}
	}
	return span{low: low, high: high, unit: unitFor(unitName, math.Max(math.Abs(low), math.Abs(high))), log: log}
}

// share is where a value lies on the axis, from 0 to 1.
func (s span) share(value float64) float64 {
	value = math.Min(math.Max(value, s.low), s.high)
	if s.log {
		return (math.Log(value) - math.Log(s.low)) / (math.Log(s.high) - math.Log(s.low))
	}
	return value/(s.high-s.low) - s.low/(s.high-s.low)
}

// headroom leaves space over the highest value, where labels go.
func (s span) headroom() span {
	s.high += (s.high - s.low) * 0.12
	return s
}

func (s span) x(value float64) float64 { return tenth(s.share(value) * planeWidth) }
func (s span) y(value float64) float64 { return tenth((1 - s.share(value)) * planeHeight) }

func (s span) tick(value float64, length float64, upwards bool) tick {
	share := s.share(value)
	one := tick{At: tenth(share * 100), Grid: tenth(share * length), Text: number(value / s.unit.scale)}
	if upwards {
		one.Grid = tenth((1 - share) * length)
	}
	return one
}

// axis labels round values: about count of them on a linear axis, powers of
// ten and what lies between them on a logarithmic one.
func (s span) axis(count int, length float64, upwards bool) axis {
	made := axis{Label: s.unit.name}
	for _, value := range s.round(count) {
		made.Ticks = append(made.Ticks, s.tick(value, length, upwards))
	}
	return made
}

func (s span) round(count int) []float64 {
	if s.log {
		return s.roundLog(count)
	}
	width := (s.high - s.low) / s.unit.scale
	step := math.Pow(10, math.Floor(math.Log10(width/float64(count))))
	for _, factor := range [...]float64{1, 2, 5, 10} {
		if width/(step*factor) <= float64(count) {
			step *= factor
			break
		}
	}
	if step == 0 || !finite(step) {
		return nil
	}
	var values []float64
	for i := math.Ceil(s.low / s.unit.scale / step); i*step <= s.high/s.unit.scale*(1+1e-9); i++ {
		values = append(values, i*step*s.unit.scale)
	}
	return values
}

func (s span) roundLog(count int) []float64 {
	for _, factors := range [][]float64{{1, 2, 5}, {1, 3}, {1}} {
		var values []float64
		for power := math.Floor(math.Log10(s.low)); power <= math.Log10(s.high); power++ {
			for _, factor := range factors {
				if value := factor * math.Pow(10, power); value >= s.low && value <= s.high {
					values = append(values, value)
				}
			}
		}
		if len(values) <= count || len(factors) == 1 {
			return values
		}
	}
	return nil
}

// line is the path through the points; closed down to zero it is an area.
func (s *Series) line(x, y span) (line, area string) {
	var path strings.Builder
	for i, point := range s.Points {
		command := "L"
		if i == 0 {
			command = "M"
		}
		fmt.Fprintf(&path, "%s%g %g", command, x.x(point[0]), y.y(point[1]))
	}
	first, last := s.Points[0][0], s.Points[len(s.Points)-1][0]
	zero := y.y(0)
	return path.String(), fmt.Sprintf("%sL%g %gL%g %gZ", path.String(), x.x(last), zero, x.x(first), zero)
}

func tenth(value float64) float64 { return math.Round(value*10) / 10 }

func column(points [][2]float64, index int) []float64 {
	values := make([]float64, 0, len(points))
	for _, point := range points {
		values = append(values, point[index])
	}
	return values
}

// Faults are the windows that have a number in the legend.
func (p *plot) Faults() []window {
	var found []window
	for _, one := range p.Windows {
		if one.Kind == "fault" {
			found = append(found, one)
		}
	}
	return found
}
