package stack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
)

// LogLine is a line that a container has written.
type LogLine struct {
	At   time.Time // when it reached the engine, by the engine's clock
	Text string    // without its end
}

// Logs gives what a service's container has written, stdout and stderr in
// the order of arrival, since a moment; the zero time is all of it.
func (s *containers) Logs(ctx context.Context, service string, since time.Time) (string, error) {
	return s.log(ctx, service, since, false)
}

// LogLines gives the same with the moment of each line.
func (s *containers) LogLines(ctx context.Context, service string, since time.Time) ([]LogLine, error) {
	text, err := s.log(ctx, service, since, true)
	var lines []LogLine
	for line := range strings.Lines(text) {
		stamp, written, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		at := moment(stamp)
		if at.IsZero() {
			continue // the rest of a line that was longer than the engine's limit
		}
		lines = append(lines, LogLine{At: at, Text: written})
	}
	return lines, err
}

func (s *containers) log(ctx context.Context, service string, since time.Time, stamped bool) (string, error) {
	id, err := s.find(ctx, service)
	if err != nil {
		return "", err
	}
	failed := func(err error) (string, error) { return "", fmt.Errorf("read log of %s: %w", service, err) }
	engine := s.engine.cli.Client()
	state, err := engine.ContainerInspect(ctx, id)
	if err != nil {
		return failed(err)
	}
	options := container.LogsOptions{ShowStdout: true, ShowStderr: true, Timestamps: stamped}
	if !since.IsZero() {
		options.Since = since.Format(time.RFC3339Nano)
	}
	stream, err := engine.ContainerLogs(ctx, id, options)
	if err != nil {
		return failed(err)
	}
	var text bytes.Buffer
	if state.Config.Tty {
		_, err = io.Copy(&text, stream) // a terminal has one stream only, which nothing frames
	} else {
		_, err = stdcopy.StdCopy(&text, &text, stream)
	}
	if err = errors.Join(err, stream.Close()); err != nil {
		return failed(err)
	}
	return text.String(), nil
}
