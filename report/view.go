package report

import (
	"cmp"
	"html/template"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// view is the results as the page's template wants them.
type view struct {
	Results    *Results
	Style      template.CSS
	Script     template.JS
	ScriptHash string
	Targets    []*targetView
	Findings   []*checkView // fail, error and fixed
	Deviations []*checkView
	Others     []*TestResult    // failed without being checks
	Broken     []*PackageResult // failed without a failed test
	Plotted    []*checkView
	Figures    *figureTable
	Filters    []share
	Ordinary   []*packageView
}

type targetView struct {
	*Target
	Anchor   string
	Of       string // its name, where there is more than one target
	Chapters []*chapterView
}

type chapterView struct {
	Name    string
	Seconds float64
	Shares  []share
	Red     bool
	Checks  []*checkView
}

type checkView struct {
	*Check
	Anchor string
	Of     string // the target's name, where there is more than one
}

type packageView struct {
	Name    string
	Seconds float64
	Shares  []share
	Tests   []*TestResult
}

// share is how often there is a verdict.
type share struct {
	Verdict string
	Count   int
}

func shares(tally Tally) []share {
	var found []share
	for _, verdict := range slices.Concat(verdicts[:], []string{cutOff}) {
		if tally[verdict] > 0 {
			found = append(found, share{verdict, tally[verdict]})
		}
	}
	return found
}

func newView(results *Results) *view {
	view := &view{Results: results, Others: results.others(), Figures: figuresOf(results)}
	anchors := map[string]int{}
	total := Tally{}
	for _, target := range results.Targets {
		view.addTarget(target, anchors, total)
	}
	for _, pkg := range results.Packages {
		if pkg.Output != "" {
			view.Broken = append(view.Broken, pkg)
		}
	}
	checks := maps.Clone(total)
	view.addTests(total)
	slices.SortStableFunc(view.Plotted, func(a, b *checkView) int { return a.plain() - b.plain() })
	view.Filters = shares(total)
	for i, filter := range view.Filters {
		if len(checks) > 0 { // tests of the code must not drown the checks
			view.Filters[i].Count = checks[filter.Verdict]
		}
	}
	return view
}

func (v *view) addTarget(target *Target, anchors map[string]int, total Tally) {
	shown := &targetView{Target: target, Anchor: anchor(anchors, "target "+target.Name)}
	if len(v.Results.Targets) > 1 {
		shown.Of = target.Name
	}
	known := map[*Check]*checkView{}
	for _, chapter := range target.Chapters() {
		one := &chapterView{Name: chapter.Name, Seconds: chapter.Seconds, Shares: shares(chapter.Tally)}
		one.Red = chapter.Tally["fail"]+chapter.Tally["error"]+chapter.Tally["fixed"] > 0
		for _, check := range chapter.Checks {
			known[check] = &checkView{Check: check, Of: shown.Of, Anchor: anchor(anchors, target.Name+" "+check.ID)}
			one.Checks = append(one.Checks, known[check])
			total[check.Verdict]++
		}
		shown.Chapters = append(shown.Chapters, one)
	}
	for _, check := range target.wanting() {
		if check.Verdict == "deviation" {
			v.Deviations = append(v.Deviations, known[check])
		} else {
			v.Findings = append(v.Findings, known[check])
		}
	}
	for _, check := range target.Checks {
		if len(check.Series) > 0 {
			v.Plotted = append(v.Plotted, known[check])
		}
	}
	v.Targets = append(v.Targets, shown)
}

// addTests groups the ordinary tests by package, those with failures first.
func (v *view) addTests(total Tally) {
	tallies := map[string]Tally{}
	known := map[string]*packageView{}
	for _, test := range v.Results.Tests {
		one := known[test.Package]
		if one == nil {
			one = &packageView{Name: test.Package}
			known[test.Package], tallies[test.Package] = one, Tally{}
			v.Ordinary = append(v.Ordinary, one)
		}
		one.Tests = append(one.Tests, test)
		one.Seconds += test.Seconds
		tallies[test.Package][test.Outcome]++
		total[test.Outcome]++
	}
	for _, one := range v.Ordinary {
		one.Shares = shares(tallies[one.Name])
	}
	slices.SortStableFunc(v.Ordinary, func(a, b *packageView) int {
		return cmp.Compare(tallies[b.Name]["fail"], tallies[a.Name]["fail"])
	})
}

// anchor makes a name that can be linked to, and that stands once.
func anchor(taken map[string]int, text string) string {
	made := strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, text), "-")
	made = cmp.Or(made, "part")
	if taken[made]++; taken[made] > 1 {
		made += "-again-" + strconv.Itoa(taken[made])
	}
	return made
}

// Tone is the class that colours the answer.
func (v *view) Tone() Answer {
	worst := v.Results.worst()
	switch {
	case worst != nil && (v.Results.Outcome != Interrupted || worst.Answer == Wrong):
		return worst.Answer
	case v.Results.Outcome == Failed:
		return Wrong
	case v.Results.Outcome == Passed:
		return Right
	}
	return Unknown
}

// Beside says what failed without being a check, where that is easily missed.
func (v *view) Beside() string {
	var parts []string
	if len(v.Others) > 0 {
		parts = append(parts, plural(len(v.Others), "test"))
	}
	if len(v.Broken) > 0 {
		parts = append(parts, plural(len(v.Broken), "package"))
	}
	return strings.Join(parts, " and ")
}

// AllWell says that there is nothing to say about what is wrong.
func (v *view) AllWell() string {
	switch {
	case len(v.Findings)+len(v.Deviations)+len(v.Others)+len(v.Broken) > 0:
		return ""
	case v.Results.Outcome == Interrupted:
		return "Nothing was found before the run was interrupted."
	case v.Results.Passed == 0:
		return "Nothing was executed, so nothing is known."
	}
	return "Nothing. All that was executed passed."
}

// HasMeasures says whether the part about measures has anything in it.
func (v *view) HasMeasures() bool {
	return v.Figures != nil || len(v.Plotted) > 0 ||
		slices.ContainsFunc(v.Results.Targets, func(t *Target) bool { return t.Topology != nil })
}

// Shares are the verdicts of the target that occur.
func (t *targetView) Shares() []share { return shares(t.Tally) }

// StandIn says whether the target ran on an image that is not the official one.
func (t *targetView) StandIn() bool { return t.standIn() }

// Brief is why the verdict is what it is, in short.
func (c *checkView) Brief() string {
	first, _, _ := strings.Cut(c.Seen, "\n")
	return cmp.Or(c.Reason, first)
}

// Evidence is what was seen, where it says more than the brief.
func (c *checkView) Evidence() string {
	if strings.Join(strings.Fields(c.Seen), " ") == strings.Join(strings.Fields(c.Brief()), " ") {
		return ""
	}
	return c.Seen
}

// plain is 1 for a check all of whose series are of unknown kinds: their
// plots come last.
func (c *checkView) plain() int {
	if slices.ContainsFunc(c.Series, func(s Series) bool { return s.known() }) {
		return 0
	}
	return 1
}

// Wanting says whether the check stands among what is wrong.
func (c *checkView) Wanting() bool { return c.Verdict != "pass" && c.Verdict != "skip" }

// figureTable has a row for each figure and a column for each target.
type figureTable struct {
	Targets []string
	Rows    []*figureRow
}

type figureRow struct {
	Check, Figure string
	Values        []string
}

func figuresOf(results *Results) *figureTable {
	made := &figureTable{}
	known := map[[2]string]*figureRow{}
	for i, target := range results.Targets {
		made.Targets = append(made.Targets, target.Name)
		for _, check := range target.Checks {
			for _, figure := range check.Figures {
				row := known[[2]string{check.ID, figure.Name}]
				if row == nil {
					row = &figureRow{Check: check.ID, Figure: figure.Name, Values: make([]string, len(results.Targets))}
					known[[2]string{check.ID, figure.Name}] = row
					made.Rows = append(made.Rows, row)
				}
				row.Values[i] = figure.Text()
			}
		}
	}
	if len(made.Rows) == 0 {
		return nil
	}
	return made
}
