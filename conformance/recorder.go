package conformance

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// Recorder writes results as the events that `go test -json` would write, so
// that a run without go test is reported like one with it.
//
// Source: go doc test2json.
type Recorder struct {
	out    io.Writer
	root   string
	begun  time.Time
	failed bool
	err    error
}

// event is one line of the stream.
type event struct {
	Time    time.Time
	Action  string
	Package string
	Test    string   `json:",omitempty"`
	Elapsed *float64 `json:",omitempty"`
	Output  string   `json:",omitempty"`
	Key     string   `json:",omitempty"`
	Value   string   `json:",omitempty"`
}

// recorderPackage stands where events name the tested package.
const recorderPackage = "conformance"

// NewRecorder begins the stream of a run on a target.
func NewRecorder(out io.Writer, target *Target) *Recorder {
	recorder := &Recorder{out: out, root: "Target", begun: time.Now()}
	recorder.write(event{Action: "start"})
	recorder.write(event{Action: "run", Test: recorder.root})
	for _, one := range targetAttributes(target) {
		recorder.write(event{Action: "attr", Test: recorder.root, Key: one.key, Value: one.value})
	}
	return recorder
}

// Add writes a result as a test that has ended now. It has the form that
// WithObserver wants; reproduce gives the command that runs the check again.
func (r *Recorder) Add(result Result, reproduce string) {
	test := r.root + "/" + result.Check.ID
	began := time.Now().Add(-result.Duration)
	r.write(event{Time: began, Action: "run", Test: test})
	for _, one := range resultAttributes(result, reproduce) {
		r.write(event{Action: "attr", Test: test, Key: one.key, Value: one.value})
	}
	if result.Verdict != Pass {
		for line := range strings.Lines(result.text()) {
			r.write(event{Action: "output", Test: test, Output: "    " + strings.TrimRight(line, "\n") + "\n"})
		}
	}
	action := "pass"
	switch {
	case result.Verdict.Red():
		action, r.failed = "fail", true
	case result.Verdict == Skip:
		action = "skip"
	}
	seconds := result.Duration.Seconds()
	r.write(event{Action: action, Test: test, Elapsed: &seconds})
}

// Close ends the stream. The error is the first that writing met.
func (r *Recorder) Close() error {
	action := "pass"
	if r.failed {
		action = "fail"
	}
	seconds := time.Since(r.begun).Seconds()
	r.write(event{Action: action, Test: r.root, Elapsed: &seconds})
	r.write(event{Action: action, Elapsed: &seconds})
	return r.err
}

func (r *Recorder) write(one event) {
	if r.err != nil {
		return
	}
	one.Package = recorderPackage
	if one.Time.IsZero() {
		one.Time = time.Now()
	}
	line, err := json.Marshal(one)
	if err == nil {
		_, err = r.out.Write(append(line, '\n'))
	}
	if err != nil {
		r.err = fmt.Errorf("record results: %w", err)
	}
}
