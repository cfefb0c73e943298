package report

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"path"
)

// The elements of JUnit's XML, in the form that Maven Surefire, Jenkins, GitLab
// and gotestsum agree on: leaf cases in one suite for each package.
type (
	junitRun struct {
		XMLName  xml.Name      `xml:"testsuites"`
		Tests    int           `xml:"tests,attr"`
		Failures int           `xml:"failures,attr"`
		Errors   int           `xml:"errors,attr"`
		Skipped  int           `xml:"skipped,attr"`
		Time     string        `xml:"time,attr"`
		Suites   []*junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string           `xml:"name,attr"`
		Tests      int              `xml:"tests,attr"`
		Failures   int              `xml:"failures,attr"`
		Errors     int              `xml:"errors,attr"`
		Skipped    int              `xml:"skipped,attr"`
		Time       string           `xml:"time,attr"`
		Timestamp  string           `xml:"timestamp,attr"`
		Properties *junitProperties `xml:"properties,omitempty"`
		Cases      []junitCase      `xml:"testcase"`
	}
	junitProperties struct {
		Properties []junitProperty `xml:"property"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Class   string      `xml:"classname,attr"`
		Name    string      `xml:"name,attr"`
		Time    string      `xml:"time,attr"`
		File    string      `xml:"file,attr,omitempty"`
		Line    int         `xml:"line,attr,omitempty"`
		Skipped *junitBad   `xml:"skipped,omitempty"`
		Failure *junitBad   `xml:"failure,omitempty"`
		Error   *junitBad   `xml:"error,omitempty"`
		Out     *junitLines `xml:"system-out,omitempty"`
	}
	junitBad struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
	junitLines struct {
		Text string `xml:",chardata"`
	}
)

// WriteJUnit writes junit.xml. Checks that fail, and lists of deviations that
// are stale, are failures; what the harness could not do is an error; known
// deviations passed, and their text is the case's output.
func WriteJUnit(out io.Writer, results *Results) error {
	run := &junitRun{Time: junitTime(results.Seconds)}
	for _, pkg := range results.Packages {
		if pkg.Outcome == "skip" {
			continue // it has no tests
		}
		suite := &junitSuite{
			Name: pkg.Name, Time: junitTime(pkg.Seconds),
			Timestamp: results.Begun.Format("2006-01-02T15:04:05"),
		}
		suite.fill(results, pkg)
		run.Suites = append(run.Suites, suite)
		run.Tests += suite.Tests
		run.Failures += suite.Failures
		run.Errors += suite.Errors
		run.Skipped += suite.Skipped
	}
	encoder := xml.NewEncoder(out)
	encoder.Indent("", "  ")
	if _, err := io.WriteString(out, xml.Header); err != nil {
		return fmt.Errorf("write junit: %w", err)
	}
	if err := encoder.Encode(run); err != nil {
		return fmt.Errorf("write junit: %w", err)
	}
	if _, err := io.WriteString(out, "\n"); err != nil {
		return fmt.Errorf("write junit: %w", err)
	}
	return nil
}

func junitTime(seconds float64) string { return fmt.Sprintf("%.3f", seconds) }

func (s *junitSuite) fill(results *Results, pkg *PackageResult) {
	for _, target := range results.Targets {
		first := len(s.Cases)
		for _, check := range target.Checks {
			if check.Package == pkg.Name {
				s.add(junitCheck(check))
			}
		}
		for _, test := range target.Failures {
			if test.Package == pkg.Name {
				s.add(junitTest(test))
			}
		}
		for _, test := range target.Unfinished {
			if test.Package == pkg.Name {
				s.add(junitTest(test))
			}
		}
		if len(s.Cases) > first {
			s.describe(target)
		}
	}
	for _, test := range results.Tests {
		if test.Package == pkg.Name {
			s.add(junitTest(test))
		}
	}
	if pkg.Output != "" {
		text := pkg.Output
		if pkg.unbuilt() {
			text += "\n" + results.noted()
		}
		s.add(junitCase{
			Class: pkg.Name, Name: path.Base(pkg.Name), Time: junitTime(pkg.Seconds),
			Error: &junitBad{Message: "the package failed although none of its tests did", Type: "package", Text: text},
		})
	}
}

func (s *junitSuite) describe(target *Target) {
	for _, fact := range target.Provenance {
		if s.Properties == nil {
			s.Properties = &junitProperties{}
		}
		s.Properties.Properties = append(s.Properties.Properties, junitProperty{target.Name + "." + fact.Name, fact.Value})
	}
}

func (s *junitSuite) add(one junitCase) {
	s.Cases = append(s.Cases, one)
	s.Tests++
	switch {
	case one.Failure != nil:
		s.Failures++
	case one.Error != nil:
		s.Errors++
	case one.Skipped != nil:
		s.Skipped++
	}
}

func junitCheck(check *Check) junitCase {
	one := junitCase{
		Class: check.Package, Name: check.Test, Time: junitTime(check.Seconds), File: check.File, Line: check.Line,
	}
	text := check.Obligation + "\n" + cmp.Or(check.Seen, check.Reason)
	bad := &junitBad{Message: cmp.Or(check.Reason, check.Obligation), Type: check.Verdict, Text: text}
	switch check.Verdict {
	case "fail", "fixed":
		one.Failure = bad
	case "error":
		one.Error = bad
	case "skip":
		one.Skipped = &junitBad{Message: cmp.Or(check.Reason, check.Seen)}
	case "deviation":
		one.Out = &junitLines{"known deviation: " + check.Reason + "\n" + text}
	}
	return one
}

func junitTest(test *TestResult) junitCase {
	one := junitCase{
		Class: test.Package, Name: test.Test, Time: junitTime(test.Seconds), File: test.File, Line: test.Line,
	}
	switch test.Outcome {
	case "fail":
		one.Failure = &junitBad{Message: "test failed", Type: "test", Text: test.Output}
	case "skip":
		one.Skipped = &junitBad{Message: test.Output}
	case cutOff:
		one.Error = &junitBad{Message: "the run ended before the test did", Type: "cut off", Text: test.Output}
	}
	return one
}
