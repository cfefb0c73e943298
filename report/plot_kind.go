package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Plots draws the series of the check. The names of some are known:
//
//   - commit-to-visible: y is the time from a commit on the primary to its row
//     being seen on a standby, one point for each commit; drawn as a distribution
//   - lag...: lag over time; the windows of faults are marked, as in every
//     series whose x is seconds
//   - wal-retained...: WAL that a server keeps; drawn as an area
//   - write-gap...: x is the moment of an acknowledged write, or, with y in
//     "writes", y their number until then; the longest gap is marked
//
// Every other series is a line.
func (c *Check) Plots() []*plot { //nolint:revive // for the page's template
	plots := make([]*plot, 0, len(c.Series))
	for i := range c.Series {
		series := &c.Series[i]
		switch {
		case strings.HasPrefix(series.Name, visibleSeries):
			plots = append(plots, series.distribution())
		case strings.HasPrefix(series.Name, gapSeries):
			plots = append(plots, series.overTime(c.Faults).withGap(series))
		default:
			plots = append(plots, series.overTime(c.Faults))
		}
	}
	return plots
}

// drawnSeries are beginnings of the names that are known.
var drawnSeries = [...]string{visibleSeries, "lag", "wal-retained", gapSeries} //nolint:gochecknoglobals // a constant list

const (
	visibleSeries = "commit-to-visible"
	gapSeries     = "write-gap"
)

// known says whether the series is one that is drawn in a way of its own.
func (s *Series) known() bool {
	return slices.ContainsFunc(drawnSeries[:], func(prefix string) bool {
		return strings.HasPrefix(s.Name, prefix)
	})
}

// title turns a series' name into words.
func (s *Series) title() string {
	words := strings.Join(strings.FieldsFunc(s.Name, func(r rune) bool { return r == '-' || r == '_' }), " ")
	words = strings.NewReplacer("wal", "WAL", "lsn", "LSN").Replace(words)
	if words == "" {
		return "Series"
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

func (s *Series) overTime(faults []Fault) *plot {
	xs, ys := column(s.Points, 0), column(s.Points, 1)
	if s.X == "s" {
		for _, fault := range faults {
			xs = append(xs, fault.From, fault.To)
		}
	}
	x, y := spanOf(s.X, xs, false), spanOf(s.Y, ys, false).headroom()
	if low := slices.Min(xs); low > 0 && s.X != "s" {
		x.low = low
		if x.high == low {
			x.high = low + 1
		}
	}
	made := &plot{x: x, Title: s.title(), X: x.axis(6, planeWidth, false), Y: y.axis(4, planeHeight, true), Table: s.table()}
	made.Line, made.Area = s.line(x, y)
	if s.X == "s" {
		made.addFaults(faults, x)
	}
	top := slices.MaxFunc(s.Points, func(a, b [2]float64) int { return cmp.Compare(a[1], b[1]) })
	made.Summary = fmt.Sprintf("%s, at most %s at %s, %s at the end.", plural(len(s.Points), "point"),
		quantity(top[1], s.Y), quantity(top[0], s.X), quantity(ys[len(ys)-1], s.Y))
	return made
}

func (p *plot) addFaults(faults []Fault, x span) {
	for i, fault := range faults {
		text := strings.TrimSpace(fault.Name + " " + fault.Node)
		p.Windows = append(p.Windows, window{
			X: x.x(fault.From), Width: math.Max(tenth(x.x(fault.To)-x.x(fault.From)), 1),
			Left: tenth(x.share(fault.From) * 100), Number: i + 1, Kind: "fault",
			Text: fmt.Sprintf("%s, %s to %s s", text, number(fault.From), number(fault.To)),
		})
	}
}

// withGap marks the longest time without an acknowledged write.
func (p *plot) withGap(series *Series) *plot {
	var writes []float64
	for i, point := range series.Points {
		if series.Y != "writes" || i == 0 || point[1] > series.Points[i-1][1] {
			writes = append(writes, point[0])
		}
	}
	from, to := 0.0, 0.0
	for i := 1; i < len(writes); i++ {
		if writes[i]-writes[i-1] > to-from {
			from, to = writes[i-1], writes[i]
		}
	}
	if to == from {
		return p
	}
	text := fmt.Sprintf("no write for %s", quantity(to-from, series.X))
	x := p.x
	p.Windows = append(p.Windows, window{
		X: x.x(from), Width: tenth(x.x(to) - x.x(from)), Left: tenth(x.share((from+to)/2) * 100), Kind: "gap", Text: text,
	})
	p.Summary = fmt.Sprintf("The longest time without a write was %s, from %s to %s. %s",
		quantity(to-from, series.X), quantity(from, series.X), quantity(to, series.X), p.Summary)
	return p
}

// mostBars is how many bars a distribution has.
const mostBars = 32

// distribution counts how often which y was seen. The axis is logarithmic
// where the largest value would leave the rest in one bar.
func (s *Series) distribution() *plot {
	values := column(s.Points, 1)
	slices.Sort(values)
	log := values[0] > 0 && values[len(values)-1] > 20*quantile(values, 0.5)
	x := spanOf(s.Y, values, log)
	bins := make([]float64, mostBars)
	for _, value := range values {
		bins[min(int(x.share(value)*mostBars), mostBars-1)]++
	}
	y := spanOf("", bins, false).headroom()
	made := &plot{
		Title: s.title() + ", distribution",
		X:     x.axis(6, planeWidth, false), Y: y.axis(4, planeHeight, true),
	}
	made.Y.Label = "commits"
	const width = planeWidth / mostBars
	for i, count := range bins {
		if count > 0 {
			top := y.y(count)
			made.Bars = append(made.Bars, bar{X: tenth(float64(i) * width), Y: top, Width: tenth(width - 2), Height: tenth(planeHeight - top)})
		}
	}
	made.Table.Head = [2]string{"share of commits", "visible within"}
	for _, share := range [...]float64{0.5, 0.9, 0.95, 0.99, 1} {
		value := quantile(values, share)
		made.Table.Rows = append(made.Table.Rows, [2]string{number(share*100) + " %", quantity(value, s.Y)})
		if share == 0.5 || share == 0.95 || share == 0.99 {
			made.Marks = append(made.Marks, mark{X: x.x(value), Left: tenth(x.share(value) * 100), Text: "p" + number(share*100)})
		}
	}
	made.Summary = fmt.Sprintf("Of %s, half were visible within %s, 95 %% within %s, 99 %% within %s, all within %s.",
		plural(len(values), "commit"), quantity(quantile(values, 0.5), s.Y), quantity(quantile(values, 0.95), s.Y),
		quantity(quantile(values, 0.99), s.Y), quantity(values[len(values)-1], s.Y))
	return made
}

// quantile is the nearest-rank quantile of sorted values.
func quantile(sorted []float64, share float64) float64 {
	return sorted[max(int(math.Ceil(share*float64(len(sorted))))-1, 0)]
}

// mostRows bounds the table beside a plot; results.json has every point.
const mostRows = 20

func (s *Series) table() table {
	made := table{Head: [2]string{s.X, s.Y}}
	step := 1
	if len(s.Points) > mostRows {
		step = int(math.Ceil(float64(len(s.Points)) / mostRows))
		made.Note = fmt.Sprintf("Every %d. point; results.json has all %d.", step, len(s.Points))
	}
	for i := 0; i < len(s.Points); i += step {
		made.Rows = append(made.Rows, [2]string{number(s.Points[i][0]), number(s.Points[i][1])})
	}
	return made
}
