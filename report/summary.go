package report

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
)

// WriteSummary writes what came of a run, for a terminal. What matters most
// comes last, where the reader's eye is: what was tested, the figures, what
// was skipped and why, known deviations with their cures, a table of verdicts
// by chapter, what is wrong and why, and the answer with the counts.
func WriteSummary(out io.Writer, results *Results) error {
	page := &page{out: out}
	page.provenance(results)
	page.figures(results)
	page.skips(results)
	page.deviations(results)
	page.chapters(results)
	page.failures(results)
	page.packages(results)
	page.answer(results)
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

// indented writes lines under a heading, and a label before the first. Empty
// text leaves nothing.
func (p *page) indented(label, text string) {
	for line := range strings.Lines(text) {
		p.line("    %-13s%s", label, strings.TrimRight(line, "\n"))
		label = ""
	}
}

func (p *page) provenance(results *Results) {
	for _, target := range results.Targets {
		for _, fact := range target.Provenance {
			p.line("%s: %s: %s", target.Name, fact.Name, fact.Value)
		}
	}
}

func (p *page) figures(results *Results) {
	first := true
	for _, target := range results.Targets {
		for _, check := range target.Checks {
			for _, figure := range check.Figures {
				p.gap(&first)
				p.line("%s %s: %s = %s", target.Name, check.ID, figure.Name, figure.Text())
			}
		}
	}
}

// gap writes an empty line before the first line of a part.
func (p *page) gap(first *bool) {
	if *first {
		p.line("")
		*first = false
	}
}

func (p *page) skips(results *Results) {
	first := true
	for _, target := range results.Targets {
		for _, check := range target.Checks {
			if check.Verdict == "skip" {
				p.gap(&first)
				p.line("skipped %s %s: %s", target.Name, check.ID, cmp.Or(check.Reason, check.Seen))
			}
		}
	}
	for _, skipped := range skippedTests(results) {
		p.gap(&first)
		p.line("skipped %s: %s", skipped.who(), skipped.why)
	}
}

// skippedTest are tests of one package that were skipped for one reason.
type skippedTest struct {
	pkg, why string
	first    string
	count    int
}

func (s *skippedTest) who() string {
	if s.count == 1 {
		return s.first
	}
	return fmt.Sprintf("%d tests of %s", s.count, s.pkg)
}

// skippedTests lists them in the order in which the first of each was met.
func skippedTests(results *Results) []*skippedTest {
	var all []*skippedTest
	for _, test := range results.Tests {
		if test.Outcome != "skip" {
			continue
		}
		why := strings.Join(strings.Fields(test.Output), " ")
		same := slices.IndexFunc(all, func(one *skippedTest) bool { return one.pkg == test.Package && one.why == why })
		if same < 0 {
			same, all = len(all), append(all, &skippedTest{pkg: test.Package, why: why, first: test.Test})
		}
		all[same].count++
	}
	return all
}

func (p *page) deviations(results *Results) {
	for _, target := range results.Targets {
		for _, check := range target.Checks {
			if check.Verdict == "deviation" {
				p.line("")
				p.line("DEVIATION %s %s", target.Name, check.ID)
				p.indented(check.Level, check.Obligation)
				p.indented("because", cmp.Or(check.Reason, check.Seen))
				p.indented("consequence", check.Consequence)
				p.indented("cure", check.Cure)
			}
		}
	}
}

func (p *page) chapters(results *Results) {
	if len(results.Targets) == 0 || p.err != nil {
		return
	}
	p.line("")
	table := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	cells := &page{out: table}
	cells.line("\tchapter\t%s\tseconds\t", strings.Join(verdicts[:], "\t"))
	for _, target := range results.Targets {
		for _, chapter := range target.Chapters() {
			counts := make([]string, 0, len(verdicts))
			for _, verdict := range verdicts {
				counts = append(counts, fmt.Sprint(chapter.Tally[verdict]))
			}
			cells.line("%s\t%s\t%s\t%.2f\t", target.Name, chapter.Name, strings.Join(counts, "\t"), chapter.Seconds)
		}
	}
	p.err = cmp.Or(cells.err, table.Flush())
}

func (p *page) failures(results *Results) {
	for _, note := range results.Notes {
		p.line("%s", note)
	}
	for _, target := range results.Targets {
		for _, check := range target.wanting() {
			if check.Verdict != "deviation" {
				p.failure(target, check)
			}
		}
	}
	for _, test := range results.others() {
		p.test(test)
	}
	for _, pkg := range results.Packages {
		if pkg.Output != "" {
			p.line("")
			p.line("FAIL %s", pkg.Name)
			p.indented("", pkg.Output)
		}
	}
}

func (p *page) failure(target *Target, check *Check) {
	p.line("")
	p.line("%s %s %s", strings.ToUpper(check.Verdict), target.Name, check.ID)
	p.indented(check.Level, check.Obligation)
	p.indented("saw", cmp.Or(check.Seen, check.Reason))
	p.indented("consequence", check.Consequence)
	p.indented("cure", check.Cure)
	p.indented("source", check.Source)
	p.indented("again", check.Reproduce)
	p.indented("log", check.Log)
}

func (p *page) test(test *TestResult) {
	p.line("")
	p.line("%s %s.%s", strings.ToUpper(test.Outcome), test.Package, test.Test)
	p.indented("", test.Output)
	p.indented("again", test.Reproduce)
}

func (p *page) packages(results *Results) {
	p.line("")
	for _, pkg := range results.Packages {
		if pkg.Outcome != "skip" { // skipped: it has no tests
			p.line("%-8s%s %.1f s", pkg.Outcome, pkg.Name, pkg.Seconds)
		}
	}
}

func (p *page) answer(results *Results) {
	p.line("")
	for _, target := range results.Targets {
		p.line("%s is %s (%s)", target.Name, target.Sentence(), target.Tally)
	}
	switch {
	case results.Interrupted != "":
		p.line("interrupted: %s", results.Interrupted)
	case results.Passed == 0 && results.Failed == 0:
		p.line("nothing was executed: this proves nothing")
	}
	p.line("%s", results.Totals())
}

// frame is a line by which the testing package frames a test. Others may begin
// alike, such as the head of a difference: --- Expected.
var frame = regexp.MustCompile(`^(?:--- (?:PASS|FAIL|SKIP|BENCH): |=== (?:RUN|PAUSE|CONT|NAME|ATTR|ARTIFACTS) )`)

// worthReading leaves out frames and empty lines.
func worthReading(text string) bool {
	trimmed := strings.TrimSpace(text)
	return trimmed != "" && !frame.MatchString(trimmed)
}
