package live

import (
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/postgres-master-slave/postgres-master-slave/diagnose"
	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

const (
	// answerLimit bounds the question to a server that may not answer, and
	// answerPatience how long a look waits for it: else it takes what the
	// server said to the question before. The last look waits longer.
	answerLimit        = 5 * time.Second
	answerPatience     = 200 * time.Millisecond
	lastAnswerPatience = 2 * time.Second
	// fileLimit is the size of the largest mounted file, in bytes, that is
	// taken for a script or a configuration file, and filesLimit their number
	// in one folder.
	fileLimit  = 64 << 10
	filesLimit = 32
)

// observer gathers evidence of a start, and reads each log line once.
type observer struct {
	operator  *operator
	recipe    map[string]diagnose.Service
	logs      []journal  // of each node
	inquiries []*inquiry // of each node
	patience  time.Duration
}

func (o *operator) observe(patience time.Duration) *observer {
	seen := &observer{patience: patience, operator: o, recipe: map[string]diagnose.Service{}, logs: make([]journal, len(o.nodes))}
	for range o.nodes {
		seen.inquiries = append(seen.inquiries, &inquiry{})
	}
	for name, service := range o.model.Services {
		one := diagnose.Service{
			Name: name, Names: service.Names, Port: listens(service), Image: service.Image, User: service.User, Command: service.Command, Environment: service.Environment, Networks: service.Networks,
		}
		for _, port := range service.Ports {
			one.Ports = append(one.Ports, port.Target)
		}
		for _, mount := range service.Mounts {
			if mount.Type == "bind" {
				one.Files = append(one.Files, texts(mount.Source, mount.Target)...)
			}
		}
		seen.recipe[name] = one
	}
	return seen
}

// texts reads a mounted script or configuration file, or those of a mounted
// folder. What cannot be read says nothing.
func texts(source, target string) []diagnose.File {
	info, err := os.Stat(source)
	if err != nil {
		return nil
	}
	if info.Mode().IsRegular() {
		if info.Size() > fileLimit { // it may be larger than the memory
			return nil
		}
		content, err := os.ReadFile(source)
		if err != nil || !utf8.Valid(content) {
			return nil
		}
		return []diagnose.File{{Path: target, Text: string(content)}}
	}
	var found []diagnose.File
	entries, err := os.ReadDir(source)
	if err != nil || len(entries) > filesLimit {
		return nil // a data directory, not a folder of scripts
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() && info.Size() <= fileLimit {
			found = append(found, texts(filepath.Join(source, entry.Name()), path.Join(target, entry.Name()))...)
		}
	}
	return found
}

// look gathers what is known now. What cannot be had is left out: at a start
// much is not there yet.
func (s *observer) look(ctx context.Context) *diagnose.Evidence {
	evidence := &diagnose.Evidence{Servers: make([]diagnose.Server, len(s.operator.nodes))}
	var group sync.WaitGroup
	isServer := map[string]bool{}
	for i, node := range s.operator.nodes {
		isServer[node.Name()] = true
		group.Go(func() { evidence.Servers[i] = s.server(ctx, i, node) })
	}
	for name, service := range s.recipe {
		if !isServer[name] {
			service.Container, service.Command = s.container(ctx, service)
			evidence.Others = append(evidence.Others, service)
		}
	}
	group.Wait()
	evidence.At, evidence.Secrets = time.Now(), s.operator.logins.passwords()
	return evidence
}

func (s *observer) server(ctx context.Context, i int, node *pair.Node) diagnose.Server {
	server := diagnose.Server{Service: s.recipe[node.Name()]}
	server.Container, server.Command = s.container(ctx, server.Service)
	if server.Container.State == "" {
		return server // not there yet
	}
	journal := &s.logs[i]
	lines, err := s.operator.stack().LogLines(ctx, node.Name(), journal.read)
	for _, line := range lines {
		journal.add(diagnose.Line(line))
	}
	if err != nil {
		server.Error = err.Error()
	}
	server.Log = journal.lines
	if server.Container.State != "running" {
		return server
	}
	said := s.inquiries[i].ask(ctx, node, s.patience)
	server.Answer, server.Answered, server.Error = said.answer, said.since, said.err
	return server
}

// journal is what has been read of a log.
type journal struct {
	lines []diagnose.Line
	read  time.Time // of the last line
}

// add takes a line that is new. A program that says one thing at full speed,
// such as one that asks for a password, is heard once a while.
func (j *journal) add(line diagnose.Line) {
	const pause = 100 * time.Millisecond
	if !line.At.After(j.read) {
		return
	}
	j.read = line.At
	if last := len(j.lines) - 1; last >= 0 && j.lines[last].Text == line.Text && line.At.Sub(j.lines[last].At) < pause {
		return
	}
	j.lines = append(j.lines, line)
}

// end waits for the questions that are under way, and says no more to servers
// that do not answer.
func (s *observer) end() {
	for _, inquiry := range s.inquiries {
		inquiry.end()
	}
}

// container gives a service's container and what it runs.
func (s *observer) container(ctx context.Context, service diagnose.Service) (diagnose.Container, []string) {
	state, err := s.operator.stack().Inspect(ctx, service.Name)
	if err != nil {
		return diagnose.Container{}, service.Command
	}
	return diagnose.Container{
		State: state.State, ExitCode: state.ExitCode, OOMKilled: state.OOMKilled, Health: state.Health,
		Restart: state.Restart, Restarts: state.Restarts, Terminal: state.Terminal, Started: state.Started,
	}, append(state.Entry, state.Command...)
}

// missing names the fact that an unsuccessful wait was for.
func missing(waited time.Duration, cause error) diagnose.Missing {
	var notReady *pair.NotReadyError
	if errors.As(cause, &notReady) {
		return diagnose.Missing{Server: notReady.Node, Fact: notReady.Fact, Since: notReady.Since}
	}
	fact := diagnose.NotStarted
	switch {
	case errors.Is(cause, pair.ErrTwoPrimaries):
		fact = "one server takes writes, the others are in recovery"
	case errors.Is(cause, pair.ErrNoPrimary):
		fact = "a server takes writes"
	case errors.Is(cause, pair.ErrNoStandby):
		fact = "a server is in recovery"
	case errors.Is(cause, pair.ErrOtherCluster):
		fact = "the servers are of one cluster"
	}
	return diagnose.Missing{Fact: fact, Since: waited}
}
