package report

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Progress tells what a run is doing while it does it: on a terminal one line
// that is written over, otherwise a line for each step. A chapter that ended
// leaves a line with its verdicts, and so does what failed.
type Progress struct {
	out      io.Writer
	terminal bool
	width    int
	begun    time.Time
	shown    bool
	chapters map[testKey]Tally // of the checks that ended, by the test of their chapter
}

// NewProgress writes to out. With terminal set, lines are cut to width columns
// and written over; otherwise there is no cursor control.
func NewProgress(out io.Writer, terminal bool, width int) *Progress {
	return &Progress{out: out, terminal: terminal, width: width, chapters: map[testKey]Tally{}}
}

// Add takes the next event of the stream.
func (p *Progress) Add(event Event) error {
	if p.begun.IsZero() {
		p.begun = event.Time
	}
	at := event.Time.Sub(p.begun).Seconds()
	if tally := p.chapters[testKey{event.Package, event.Test}]; tally != nil && finished(event.Action) {
		delete(p.chapters, testKey{event.Package, event.Test})
		return p.lasting("%7.1fs %-4s %s: %s", at, event.Action, event.Test, tally)
	}
	switch {
	case event.Key == "check.verdict":
		p.count(event)
	case event.Test == "":
		if finished(event.Action) && event.Action != "skip" {
			return p.lasting("%7.1fs %-4s %s", at, event.Action, event.Package)
		}
	case event.Action == "fail":
		return p.lasting("%7.1fs %-4s %s", at, event.Action, event.Test)
	case event.Action == "output" && strings.HasPrefix(event.Output, "    ") && worthReading(event.Output):
		return p.passing("%7.1fs %s %s", at, event.Test, step(event.Output))
	case finished(event.Action):
		return p.passing("%7.1fs %-4s %s", at, event.Action, event.Test)
	case event.Action == "run" && p.terminal:
		return p.passing("%7.1fs %s", at, event.Test)
	}
	return nil
}

// count adds a verdict to the chapter of its check.
func (p *Progress) count(event Event) {
	above := testKey{event.Package, event.Test[:max(strings.LastIndex(event.Test, "/"), 0)]}
	if p.chapters[above] == nil {
		p.chapters[above] = Tally{}
	}
	p.chapters[above][clean(event.Value)]++
}

// Close clears the line that is written over.
func (p *Progress) Close() error {
	if !p.shown {
		return nil
	}
	p.shown = false
	_, err := fmt.Fprint(p.out, "\r\x1b[K")
	return err
}

func finished(action string) bool {
	return action == "pass" || action == "fail" || action == "skip"
}

// step is the text of a log line without file and line number.
func step(output string) string {
	output = strings.TrimRight(output, "\n")
	if found := logged.FindStringSubmatch(output); found != nil {
		output = found[3]
	}
	return strings.TrimSpace(output)
}

// lasting writes a line that stays.
func (p *Progress) lasting(format string, arguments ...any) error {
	if err := p.Close(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(p.out, clean(fmt.Sprintf(format, arguments...)))
	return err
}

// passing writes a line that the next one replaces, where that is possible.
func (p *Progress) passing(format string, arguments ...any) error {
	if !p.terminal {
		return p.lasting(format, arguments...)
	}
	line := []rune(clean(fmt.Sprintf(format, arguments...)))
	p.shown = true
	_, err := fmt.Fprintf(p.out, "\r\x1b[K%s", string(line[:min(len(line), p.width-1)]))
	return err
}
