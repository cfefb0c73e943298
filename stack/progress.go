package stack

import (
	"bytes"
	"encoding/json"
	"sync"
	"time"
)

// Step is something that the engine does to a part of a stack.
type Step struct {
	At      time.Time
	Subject string // such as "Container demo-postgres_master-1"
	Status  string // such as "Starting"
}

// progressWriter takes the SDK's progress, one JSON document a line, from
// several goroutines at once, and tells the observer each new step.
type progressWriter struct {
	observe func(Step)

	mutex   sync.Mutex
	partial []byte
}

func (w *progressWriter) Write(data []byte) (int, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.partial = append(w.partial, data...)
	for {
		line, rest, found := bytes.Cut(w.partial, []byte("\n"))
		if !found {
			return len(data), nil
		}
		w.partial = rest
		w.line(line)
	}
}

func (w *progressWriter) line(text []byte) {
	var event struct {
		ID     string `json:"id"`
		Status string `json:"status"`
	}
	// Other output of the SDK shares the stream; it is for people and is dropped.
	if json.Unmarshal(text, &event) != nil || event.ID == "" || w.observe == nil {
		return
	}
	w.observe(Step{At: time.Now(), Subject: event.ID, Status: event.Status})
}

// tell reports a step of our own.
func (w *progressWriter) tell(subject, status string) {
	if w.observe == nil {
		return
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.observe(Step{At: time.Now(), Subject: subject, Status: status})
}
