package bench

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const preamble = `# Figures

Made by ` + "`make bench`" + `; do not edit. The samples are in [results/](results/), one file a figure.
How they are measured, and by which code: [doc.go](doc.go). A ratio is the median of the ratios of runs that
stood side by side, with its 95 % bootstrap interval. Few runs say little: the column n tells how many there were,
and a quantile is left out where fewer runs than it needs were made.
`

// Write makes the page that people read of records. It links the charts of
// [Charts], as files in the folder results.
func Write(out io.Writer, records []Record) error {
	var page bytes.Buffer
	page.WriteString(preamble)
	told := map[string]string{}
	for _, record := range records {
		if err := writeRecord(&page, record, told); err != nil {
			return err
		}
	}
	_, err := page.WriteTo(out)
	return err
}

// writeRecord leaves out facts that were told before and still hold.
func writeRecord(page *bytes.Buffer, record Record, told map[string]string) error {
	fmt.Fprintf(page, "\n## %s\n\n", record.Title)
	for _, sentence := range record.Method {
		fmt.Fprintf(page, "- %s\n", sentence)
	}
	if len(record.Method) > 0 {
		page.WriteString("\n")
	}
	if err := writeComparisons(page, record); err != nil {
		return err
	}
	writeBounds(page, record)
	writeSeries(page, record.Series)
	for _, chart := range Charts(record) {
		fmt.Fprintf(page, "![%s: %s](results/%s)\n\n", record.Title, cmp.Or(chart.Unit, "count"), chart.File)
	}
	fmt.Fprintf(page, "Taken %s with `%s`.\n", record.Taken.UTC().Format("2006-01-02 15:04 UTC"), record.Command)
	for _, fact := range record.Machine {
		if told[fact.Name] != fact.Value {
			fmt.Fprintf(page, "%s: %s.\n", fact.Name, fact.Value)
			told[fact.Name] = fact.Value
		}
	}
	return nil
}

func writeComparisons(page *bytes.Buffer, record Record) error {
	if len(record.Comparisons) == 0 {
		return nil
	}
	page.WriteString("| ratio | pairs | median | 95 % interval | goal | |\n|--|--:|--:|--:|--:|--|\n")
	for _, one := range record.Comparisons {
		ratio, err := CompareRuns(record.Values(one.Of), record.Values(one.To))
		if err != nil {
			return fmt.Errorf("%s: %s to %s: %w", record.ID, one.Of, one.To, err)
		}
		goal, verdict := "", ""
		if one.AtMost > 0 {
			goal, verdict = "≤ "+number(one.AtMost), met(ratio.Median, one.AtMost)
		}
		fmt.Fprintf(page, "| %s : %s | %d | %s | %s – %s | %s | %s |\n",
			one.Of, one.To, ratio.Pairs, number(ratio.Median), number(ratio.Low), number(ratio.High), goal, verdict)
	}
	page.WriteString("\n")
	return nil
}

func writeBounds(page *bytes.Buffer, record Record) {
	if len(record.Bounds) == 0 {
		return
	}
	page.WriteString("| goal | | n | is | |\n|--|--:|--:|--:|--|\n")
	for _, bound := range record.Bounds {
		values := record.Values(bound.Series)
		is, verdict := Quantile(values, bound.Quantile), "too few"
		if bound.Quantile <= 0.5 || bound.Quantile == 1 || rare(values, bound.Quantile) != "" {
			verdict = met(is, bound.AtMost)
		}
		fmt.Fprintf(page, "| %s | %s ≤ %s | %d | %s | %s |\n",
			bound.Series, quantileName(bound.Quantile), number(bound.AtMost), len(values), number(is), verdict)
	}
	page.WriteString("\n")
}

func writeSeries(page *bytes.Buffer, all []Series) {
	page.WriteString("| | unit | n | median | quartiles | p95 | p99 | max |\n|--|--|--:|--:|--:|--:|--:|--:|\n")
	for _, series := range all {
		values := series.Values
		fmt.Fprintf(page, "| %s | %s | %d | %s | %s – %s | %s | %s | %s |\n", series.Name, series.Unit, len(values),
			number(Quantile(values, 0.5)), number(Quantile(values, 0.25)), number(Quantile(values, 0.75)),
			rare(values, 0.95), rare(values, 0.99), number(Quantile(values, 1)))
	}
	page.WriteString("\n")
}

// rare is a quantile that only many samples show: fewer than one beyond it show
// nothing but their maximum.
func rare(values []float64, q float64) string {
	const enough = 0.9999 // 1 - 0.99 is not quite 0.01
	if float64(len(values))*(1-q) < enough {
		return ""
	}
	return number(Quantile(values, q))
}

func quantileName(q float64) string {
	if q == 1 {
		return "max"
	}
	return "p" + strconv.FormatFloat(q*100, 'f', -1, 64)
}

func met(is, atMost float64) string {
	if is <= atMost {
		return "met"
	}
	return "**missed**"
}

// number has three significant digits, and no exponent.
func number(value float64) string {
	const digits = 3
	text := strconv.FormatFloat(value, 'g', digits, 64)
	rounded, err := strconv.ParseFloat(text, 64)
	if err != nil || !strings.Contains(text, "e") {
		return text
	}
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}
