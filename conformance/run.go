package conformance

import (
	"slices"
	"sync"
	"testing"
)

// Run makes a subtest chapter/name of each check and fails those with a red
// verdict. Every subtest carries the check's id, level, verdict and figures
// as attributes, so that go test -json tells it all.
// A run in which nothing was executed fails.
func Run(t *testing.T, target *Target, checks []Check, options ...Option) {
	t.Helper()
	suite := begin(t, target, checks, options)
	for _, chapter := range byChapter(checks) {
		t.Run(chapter[0].Chapter(), func(t *testing.T) { suite.run(t, chapter) })
	}
	suite.end(t)
}

// RunChapters runs each chapter on a target of its own, side by side as far
// as go test's -parallel allows: for chapters that break their servers.
func RunChapters(t *testing.T, start func(t *testing.T) *Target, checks []Check, options ...Option) {
	t.Helper()
	known := apply(options).deviations
	if err := known.Match(checks); err != nil {
		t.Fatalf("verify: %v", err)
	}
	for _, chapter := range byChapter(checks) {
		t.Run(chapter[0].Chapter(), func(t *testing.T) {
			t.Parallel()
			suite := begin(t, start(t), chapter, append(slices.Clone(options), WithDeviations(known.For(chapter))))
			suite.run(t, chapter)
			suite.end(t)
		})
	}
}

// suite is the run of some checks on one target inside go test.
type suite struct {
	runner *runner
	chosen choices

	mutex   sync.Mutex
	results Results
}

func begin(t *testing.T, target *Target, checks []Check, options []Option) *suite {
	t.Helper()
	chosen := apply(options)
	if err := chosen.deviations.Match(checks); err != nil {
		t.Fatalf("verify %s: %v", target.Name, err)
	}
	runner, err := newRunner(t.Context(), target, chosen)
	if err != nil {
		t.Fatalf("verify %s: %v", target.Name, err)
	}
	describe(t, target)
	return &suite{runner: runner, chosen: chosen}
}

// run makes a subtest of each check, in order, but for those that may run
// beside one another: they do, after the others.
func (s *suite) run(t *testing.T, checks []Check) {
	t.Helper()
	beside := besideRun{run: func(check Check) Result { return s.runner.run(t.Context(), check) }}
	for _, check := range checks {
		t.Run(check.Name(), func(t *testing.T) {
			var result Result
			if check.Beside {
				wait := beside.add(check)
				t.Parallel()
				result = wait()
			} else {
				result = s.runner.run(t.Context(), check)
			}
			s.chosen.deviations.judge(&result)
			s.runner.judged(result)
			s.keep(result)
			publish(t, result, s.chosen.reproduce(t.Name(), check))
		})
	}
}

func (s *suite) keep(result Result) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.results = append(s.results, result)
	s.chosen.observe(result)
}

func (s *suite) end(t *testing.T) {
	t.Helper()
	if err := s.runner.end(t.Context()); err != nil {
		t.Error(err)
	}
	if s.results.Executed() == 0 {
		t.Errorf("verify %s: no check was executed (%d skipped): this proves nothing", s.runner.target.Name, len(s.results))
	}
}

// byChapter groups checks, keeping their order.
func byChapter(checks []Check) [][]Check {
	var chapters [][]Check
	index := map[string]int{}
	for _, check := range checks {
		at, known := index[check.Chapter()]
		if !known {
			at = len(chapters)
			index[check.Chapter()] = at
			chapters = append(chapters, nil)
		}
		chapters[at] = append(chapters[at], check)
	}
	return chapters
}

// describe tells the reader of the event stream what is checked.
func describe(t *testing.T, target *Target) {
	t.Helper()
	for _, one := range targetAttributes(target) {
		t.Attr(one.key, one.value)
	}
}

func publish(t *testing.T, result Result, reproduce string) {
	t.Helper()
	for _, one := range resultAttributes(result, reproduce) {
		t.Attr(one.key, one.value)
	}
	text := result.text()
	switch {
	case result.Verdict.Red():
		t.Error(text)
	case result.Verdict == Skip:
		t.Skip(text)
	case result.Verdict == Deviation:
		t.Log(text)
	}
}
