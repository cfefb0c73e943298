package report

import (
	"encoding/json"
	"fmt"
	"time"
)

// Event is one line of go test -json.
//
// Source: go doc test2json and go help buildjson.
type Event struct {
	Time       time.Time
	Action     string
	Package    string
	ImportPath string // of build events, which have no Package
	Test       string
	Elapsed    float64 // seconds
	Output     string
	Key, Value string // of attributes
}

// ParseEvent reads one line and masks the passwords in it. Lines that are no
// event, such as the go command's own complaints, are an error: they are for
// people.
func ParseEvent(line []byte) (Event, error) {
	var event Event
	if err := json.Unmarshal(line, &event); err != nil {
		return Event{}, fmt.Errorf("parse test event: %w", err)
	}
	if event.Action == "" {
		return Event{}, fmt.Errorf("parse test event: no Action in %q", line)
	}
	event.mask()
	return event, nil
}
