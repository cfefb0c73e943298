package delivery

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/term"

	"github.com/postgres-master-slave/postgres-master-slave/report"
)

// Progress tells what a run is doing, as the terminal allows it.
func Progress(terminal io.Writer) *report.Progress {
	if file, ok := terminal.(*os.File); ok {
		width, _, err := term.GetSize(int(file.Fd()))
		return report.NewProgress(terminal, err == nil && width > 0, width)
	}
	return report.NewProgress(terminal, false, 0)
}

// Finish writes the reports, tells what came of the run, and last where to
// read it all.
func Finish(folder string, results *report.Results, terminal io.Writer) error {
	_ = os.Remove(filepath.Join(folder, artifacts)) // an empty one tells nothing, and any other stays
	err := errors.Join(WriteAll(folder, results), tell(terminal, results))
	_, printErr := fmt.Fprintf(terminal, "report: %s\n", filepath.Join(folder, "report.html"))
	return errors.Join(err, printErr)
}

// tell writes for those who look on: a summary, and in GitHub Actions annotations.
func tell(terminal io.Writer, results *report.Results) error {
	err := Muted(terminal, func() error { return report.WriteSummary(terminal, results) })
	if inActions() {
		err = errors.Join(err, report.WriteAnnotations(terminal, results))
	}
	if err != nil {
		return fmt.Errorf("show results: %w", err)
	}
	return nil
}
