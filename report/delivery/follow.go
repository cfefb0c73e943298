package delivery

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/postgres-master-slave/postgres-master-slave/report"
)

// Follow reads events until the stream ends: into run, into events, and for
// those who look on. What cannot be written is told at the end, once: the
// tests and their results matter more.
func Follow(run *report.Run, stream io.Reader, events io.Writer, progress *report.Progress) error {
	const widest = 16 << 20 // one line of output of one test
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, widest)
	var writeErr, progressErr error
	for lines.Scan() {
		line := report.MaskLine(lines.Bytes())
		event, err := report.ParseEvent(line)
		if err != nil {
			run.Note(string(line))
			continue
		}
		run.Add(event)
		if writeErr == nil {
			_, writeErr = events.Write(append(slices.Clone(line), '\n'))
		}
		if progressErr == nil {
			progressErr = progress.Add(event)
		}
	}
	err := lines.Err()
	if err != nil { // let the tests go on, and end
		_, drainErr := io.Copy(io.Discard, stream)
		err = errors.Join(err, drainErr)
	}
	if err = errors.Join(err, writeErr, progressErr, progress.Close()); err != nil {
		return fmt.Errorf("follow tests: %w", err)
	}
	return nil
}
