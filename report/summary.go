package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// verdicts are the columns of the table.
var verdicts = [...]string{"pass", "deviation", "skip", "fixed", "fail", "error"} //nolint:gochecknoglobals // a constant list

// WriteSummary writes what came of a run, for a terminal: what was tested,
// what is wrong and why, what was skipped and why, a table of verdicts by
// chapter, the figures, and a last line with the counts.
func WriteSummary(out io.Writer, run *Run) error {
	page := &page{out: out}
	page.provenance(run)
	page.failures(run)
	page.skips(run)
	page.chapters(run)
	page.figures(run)
	page.packages(run)
	passed, failed, skipped := run.Count()
	if passed == 0 && failed == 0 {
		page.line("nothing was executed: this proves nothing")
	}
	page.line("%d passed, %d failed, %d skipped", passed, failed, skipped)
	return page.err
}

// page writes until the first error.
type page struct {
	out io.Writer
	err error
}

func (p *page) line(format string, arguments ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.out, format+"\n", arguments...)
	}
}

func (p *page) provenance(run *Run) {
	for _, test := range run.order {
		for _, key := range slices.Sorted(maps.Keys(test.Attributes)) {
			if name, ok := strings.CutPrefix(key, "provenance."); ok {
				p.line("%s: %s: %s", test.Name, name, test.Attributes[key])
			}
		}
	}
}

func (p *page) failures(run *Run) {
	for _, note := range run.Notes {
		p.line("%s", note)
	}
	blamed := map[string]bool{}
	for _, test := range run.Leaves() {
		if !test.red() && test.Attributes["check.verdict"] != "deviation" {
			continue
		}
		blamed[test.Package] = true
		p.line("")
		p.line("%s %s", strings.ToUpper(test.Verdict()), cmp.Or(test.Attributes["check.id"], test.Package+"."+test.Name))
		if test.Check() {
			p.line("    %s", test.Attributes["check.obligation"])
			p.line("    source: %s", test.Attributes["check.source"])
		}
		for _, text := range test.Output {
			if text = strings.TrimRight(text, "\n"); worthReading(text) {
				p.line("    %s", text)
			}
		}
	}
	for _, pkg := range run.Packages() {
		if pkg.Outcome != "fail" || blamed[pkg.Name] {
			continue
		}
		p.line("")
		p.line("FAIL %s", pkg.Name)
		for _, text := range pkg.Output {
			p.line("    %s", strings.TrimRight(text, "\n"))
		}
	}
}

// worthReading leaves out the lines by which the testing package frames a test.
func worthReading(text string) bool {
	trimmed := strings.TrimSpace(text)
	for _, frame := range []string{"=== ", "--- "} {
		if strings.HasPrefix(trimmed, frame) {
			return false
		}
	}
	return trimmed != ""
}

func (p *page) skips(run *Run) {
	first := true
	for _, test := range run.Leaves() {
		if test.Outcome != "skip" {
			continue
		}
		if first {
			p.line("")
			first = false
		}
		p.line("skipped %s: %s", cmp.Or(test.Attributes["check.id"], test.Name), test.reason())
	}
}

// reason is why a test was skipped.
func (t *Test) reason() string {
	if reason := t.Attributes["check.reason"]; reason != "" {
		return reason
	}
	var said []string
	for _, text := range t.Output {
		if worthReading(text) {
			said = append(said, strings.TrimSpace(text))
		}
	}
	return strings.Join(said, " ")
}

func (p *page) chapters(run *Run) {
	type row struct {
		root, chapter string
		counts        map[string]int
		seconds       float64
	}
	var rows []*row
	for _, test := range run.Leaves() {
		if !test.Check() {
			continue
		}
		at := slices.IndexFunc(rows, func(r *row) bool { return r.root == test.Root() && r.chapter == test.Chapter() })
		if at < 0 {
			at = len(rows)
			rows = append(rows, &row{root: test.Root(), chapter: test.Chapter(), counts: map[string]int{}})
		}
		rows[at].counts[test.Verdict()]++
		rows[at].seconds += test.Seconds
	}
	if len(rows) == 0 || p.err != nil {
		return
	}
	p.line("")
	table := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	cells := &page{out: table}
	cells.line("\tchapter\t%s\tseconds\t", strings.Join(verdicts[:], "\t"))
	for _, one := range rows {
		counts := make([]string, 0, len(verdicts))
		for _, verdict := range verdicts {
			counts = append(counts, fmt.Sprint(one.counts[verdict]))
		}
		cells.line("%s\t%s\t%s\t%.2f\t", one.root, one.chapter, strings.Join(counts, "\t"), one.seconds)
	}
	p.err = cmp.Or(cells.err, table.Flush())
}

func (p *page) figures(run *Run) {
	first := true
	for _, test := range run.Leaves() {
		for _, key := range slices.Sorted(maps.Keys(test.Attributes)) {
			name, ok := strings.CutPrefix(key, "figure.")
			if !ok {
				continue
			}
			if first {
				p.line("")
				first = false
			}
			p.line("%s: %s = %s", test.Attributes["check.id"], name, test.Attributes[key])
		}
	}
}

func (p *page) packages(run *Run) {
	p.line("")
	for _, pkg := range run.Packages() {
		if pkg.Outcome == "skip" {
			continue // it has no tests
		}
		p.line("%-5s%s %.1f s", cmp.Or(pkg.Outcome, "cut off "), pkg.Name, pkg.Seconds)
	}
}
