package bench

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// ChartFile is one chart of a record: the series that have one unit.
type ChartFile struct {
	File   string
	Unit   string
	Series []Series
}

// spread is how many samples a box needs. Fewer are a bar.
const spread = 3

// Charts says which charts a record has. One bar alone is none.
func Charts(record Record) []ChartFile {
	var charts []ChartFile
	for _, series := range record.Series {
		if len(series.Values) == 0 {
			continue
		}
		at := slices.IndexFunc(charts, func(c ChartFile) bool { return c.Unit == series.Unit })
		if at < 0 {
			unit := strings.NewReplacer("/", "-per-", "%", "percent").Replace(cmp.Or(series.Unit, "count"))
			charts = append(charts, ChartFile{File: record.ID + "-" + unit + ".svg", Unit: series.Unit})
			at = len(charts) - 1
		}
		charts[at].Series = append(charts[at].Series, series)
	}
	return slices.DeleteFunc(charts, func(c ChartFile) bool { return len(c.Series) == 1 && !c.boxes() })
}

// boxes says whether all rows are boxes. A bar begins at 0, which a logarithmic
// axis does not have.
func (c ChartFile) boxes() bool {
	return !slices.ContainsFunc(c.Series, func(s Series) bool { return len(s.Values) < spread })
}

const (
	chartWidth  = 8 * vg.Inch
	rowHeight   = 0.32 * vg.Inch
	chartMargin = 0.7 * vg.Inch
	// Beyond this range a linear axis shows the small values as one line.
	linearRange = 20
)

// Chart draws a box plot as SVG, one row a series, the first on top: the box
// from quartile to quartile, the line in it the median, whiskers up to 1.5 box
// lengths, outliers as points. Few samples are a bar up to their median. The axis is logarithmic where values range widely.
func Chart(out io.Writer, chart ChartFile) error {
	drawing := plot.New()
	drawing.X.Label.Text = chart.Unit
	names := make([]string, len(chart.Series))
	low, high := math.Inf(1), math.Inf(-1)
	for i, series := range chart.Series {
		row := len(chart.Series) - 1 - i
		names[row] = "  " + series.Name // the reader's font may be wider than the one that is measured here
		low, high = min(low, slices.Min(series.Values)), max(high, slices.Max(series.Values))
		shape, err := shapeOf(series.Values, row)
		if err != nil {
			return fmt.Errorf("draw %s: %w", series.Name, err)
		}
		drawing.Add(shape)
	}
	drawing.NominalY(names...)
	drawing.Y.Min, drawing.Y.Max = -0.5, float64(len(names))-0.5
	if chart.boxes() && low > 0 && high/low > linearRange {
		drawing.X.Min, drawing.X.Max = low, high
		drawing.X.Scale, drawing.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	} else {
		drawing.X.Min = min(low, 0)
	}
	height := chartMargin + rowHeight*vg.Length(len(names))
	svg, err := drawing.WriterTo(chartWidth, height, "svg")
	if err != nil {
		return fmt.Errorf("draw %s: %w", chart.File, err)
	}
	_, err = svg.WriteTo(out)
	return err
}

func shapeOf(values []float64, row int) (plot.Plotter, error) {
	if len(values) < spread {
		bar, err := plotter.NewBarChart(plotter.Values{Quantile(values, 0.5)}, rowHeight/2)
		if err != nil {
			return nil, err
		}
		bar.Horizontal, bar.XMin = true, float64(row)
		return bar, nil
	}
	box, err := plotter.NewBoxPlot(rowHeight/2, float64(row), plotter.Values(values))
	if err != nil {
		return nil, err
	}
	box.Horizontal = true
	return box, nil
}
