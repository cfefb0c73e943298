package report

import (
	"fmt"
	"strings"
)

// String tells the verdicts that occur: 3 pass, 1 fail.
func (t Tally) String() string {
	var counts []string
	for _, verdict := range verdicts {
		if count := t[verdict]; count > 0 {
			counts = append(counts, fmt.Sprint(count, " ", verdict))
		}
	}
	if len(counts) == 0 {
		return "no check"
	}
	return strings.Join(counts, ", ")
}

// Chapter is the checks of a target on one subject.
type Chapter struct {
	Name    string
	Tally   Tally
	Seconds float64
	Checks  []*Check
}

// Chapters groups the checks of the target, in the order in which they ran.
func (t *Target) Chapters() []*Chapter {
	var chapters []*Chapter
	known := map[string]*Chapter{}
	for _, check := range t.Checks {
		chapter := known[check.Chapter]
		if chapter == nil {
			chapter = &Chapter{Name: check.Chapter, Tally: Tally{}}
			known[check.Chapter] = chapter
			chapters = append(chapters, chapter)
		}
		chapter.Tally[check.Verdict]++
		chapter.Seconds += check.Seconds
		chapter.Checks = append(chapter.Checks, check)
	}
	return chapters
}
