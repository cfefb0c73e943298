package delivery

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/postgres-master-slave/postgres-master-slave/report"
)

// artifacts is what go test calls the folder of what tests keep.
//
// Source: package testing, before.
const artifacts = "_artifacts"

// EventsFile is the name of the raw events in a folder of reports.
const EventsFile = "events.jsonl"

type format struct {
	name  string
	write func(io.Writer, *report.Results) error
}

// formats are the files of a report, beside the events.
func formats() []format {
	return []format{
		{"results.json", report.WriteResults},
		{"junit.xml", report.WriteJUnit},
		{"summary.md", report.WriteMarkdown},
		{"summary.txt", report.WriteSummary},
		{"report.html", report.WriteHTML},
	}
}

// Files names the files of a report, beside EventsFile.
func Files() []string {
	var names []string
	for _, one := range formats() {
		names = append(names, one.name)
	}
	return names
}

// Prepare makes the folder, and takes away the reports of an earlier run: if
// this one is killed, they must not pass for its own.
func Prepare(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // reports are for everybody
		return fmt.Errorf("create report folder: %w", err)
	}
	for _, one := range formats() {
		if err := os.Remove(filepath.Join(folder, one.name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove old report: %w", err)
		}
	}
	if err := os.RemoveAll(filepath.Join(folder, artifacts)); err != nil {
		return fmt.Errorf("remove old report: %w", err)
	}
	return nil
}

// CreateEvents creates the file of raw events in the folder.
func CreateEvents(folder string) (*os.File, error) {
	events, err := os.Create(filepath.Join(folder, EventsFile))
	if err != nil {
		return nil, fmt.Errorf("create report: %w", err)
	}
	return events, nil
}

// WriteAll writes every file of a report, also when another one cannot be
// written, and appends to the step summary of GitHub Actions where there is one.
func WriteAll(folder string, results *report.Results) error {
	var failed error
	for _, one := range formats() {
		failed = errors.Join(failed, write(filepath.Join(folder, one.name), os.O_CREATE|os.O_TRUNC, one.write, results))
	}
	if summary := os.Getenv("GITHUB_STEP_SUMMARY"); summary != "" {
		failed = errors.Join(failed, write(summary, os.O_CREATE|os.O_APPEND, report.WriteMarkdown, results))
	}
	return failed
}

func write(path string, flags int, writer func(io.Writer, *report.Results) error, results *report.Results) error {
	file, err := os.OpenFile(path, os.O_WRONLY|flags, 0o644) //nolint:gosec // reports are for everybody
	if err != nil {
		return fmt.Errorf("create report: %w", err)
	}
	if err := errors.Join(writer(file, results), file.Close()); err != nil {
		if flags&os.O_TRUNC != 0 { // half a report, as a full disk leaves it, must not pass for one
			err = errors.Join(err, os.Remove(path)) //nolint:gosec // it has just been created
		}
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
