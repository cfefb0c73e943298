package stack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/pkg/stdcopy"
)

// ErrNoContainer says that a service has no container now.
var ErrNoContainer = errors.New("service has no container")

// Container is the state of a service's container.
type Container struct {
	Name      string
	State     string // created, running, paused, restarting, exited, dead
	ExitCode  int
	OOMKilled bool
	Health    string // starting, healthy, unhealthy; empty without a health check
	Restart   string // restart policy
	Restarts  int    // how often that policy has started it again
	Terminal  bool   // its first process has a terminal, at which nobody sits
	ImageID   string
	Image     string // as the compose file names it
	Labels    map[string]string
	User      string
	Grace     time.Duration // between the stop signal and SIGKILL
	SharedMem int64         // size of /dev/shm in bytes
	Env       map[string]string
	Entry     []string // the entrypoint, which Command follows
	Command   []string
	Ports     []Endpoint
	Probe     []string // the command of the health check, as the compose file names it
	Addresses []string // in the project's networks, sorted
	Started   time.Time
	Finished  time.Time
}

// Endpoint is an address of the host that leads to a port of a container.
type Endpoint struct {
	Address string // as the engine binds it, or the engine's own where that is on another machine
	Port    uint16
	Target  uint16
}

// containers are those of some services, found anew whenever something is
// wanted of them.
type containers struct {
	engine   *Engine
	name     string                            // of the project or stack
	selects  func(service string) filters.Args // what a service's containers carry
	direct   bool                              // Reach may pass by the published ports
	replaced bool                              // whoever runs them replaces one that has ended, and keeps it
	known    sync.Map                          // service to the id of the container it had at the last look
}

// Name is the compose project's or the stack's name.
func (s *containers) Name() string { return s.name }

// find gives the id of a service's container, running or not.
func (s *containers) find(ctx context.Context, service string) (string, error) {
	found, err := s.list(ctx, service)
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", fmt.Errorf("find container of %s: %w", service, ErrNoContainer)
	}
	return found[0].ID, nil
}

// list gives a service's containers, the newest first.
func (s *containers) list(ctx context.Context, service string) ([]container.Summary, error) {
	found, err := s.engine.cli.Client().ContainerList(ctx, container.ListOptions{All: true, Filters: s.selects(service)})
	if err != nil {
		return nil, fmt.Errorf("find container of %s: %w", service, err)
	}
	return found, nil
}

// inspect looks at the container that a service had the last time, and for
// another one only when that is gone. Waiting means looking many times a
// second, and a list costs the engine far more than a look.
func (s *containers) inspect(ctx context.Context, service string) (container.InspectResponse, error) {
	engine := s.engine.cli.Client()
	if id, known := s.known.Load(service); known {
		raw, err := engine.ContainerInspect(ctx, fmt.Sprint(id))
		if err == nil && (raw.State.Running || !s.replaced) {
			return raw, nil
		}
		if err != nil && !errdefs.IsNotFound(err) {
			return raw, fmt.Errorf("inspect container of %s: %w", service, err)
		}
	}
	id, err := s.find(ctx, service)
	if err != nil {
		return container.InspectResponse{}, err
	}
	s.known.Store(service, id)
	raw, err := engine.ContainerInspect(ctx, id)
	if err != nil {
		return raw, fmt.Errorf("inspect container of %s: %w", service, err)
	}
	return raw, nil
}

// Inspect tells the state of a service's container.
// Errors: ErrNoContainer, or what the engine said.
func (s *containers) Inspect(ctx context.Context, service string) (Container, error) {
	raw, err := s.inspect(ctx, service)
	if err != nil {
		return Container{}, err
	}
	found := Container{
		Name: strings.TrimPrefix(raw.Name, "/"), State: raw.State.Status, ExitCode: raw.State.ExitCode,
		OOMKilled: raw.State.OOMKilled, Restart: string(raw.HostConfig.RestartPolicy.Name),
		Restarts: raw.RestartCount, Terminal: raw.Config.Tty, Entry: raw.Config.Entrypoint,
		ImageID: raw.Image, Image: raw.Config.Image, Labels: raw.Config.Labels, User: raw.Config.User,
		Grace: stopTimeout, SharedMem: raw.HostConfig.ShmSize,
		Env: map[string]string{}, Command: raw.Config.Cmd, Ports: s.engine.place.endpoints(raw),
		Started: moment(raw.State.StartedAt), Finished: moment(raw.State.FinishedAt),
	}
	if raw.State.Health != nil {
		found.Health = raw.State.Health.Status
	}
	if raw.Config.Healthcheck != nil {
		found.Probe = raw.Config.Healthcheck.Test
	}
	for _, one := range attachments(raw) {
		if address := one.settings.IPAMConfig.IPv4Address; address != "" {
			found.Addresses = append(found.Addresses, address)
		}
	}
	for _, one := range raw.HostConfig.Mounts {
		if one.Type == mount.TypeTmpfs && one.Target == "/dev/shm" && one.TmpfsOptions != nil {
			found.SharedMem = one.TmpfsOptions.SizeBytes
		}
	}
	if raw.Config.StopTimeout != nil {
		found.Grace = time.Duration(*raw.Config.StopTimeout) * time.Second
	}
	for _, variable := range raw.Config.Env {
		key, value, _ := strings.Cut(variable, "=")
		found.Env[key] = value
	}
	return found, nil
}

// moment reads the engine's time; what it cannot read never happened.
func moment(text string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return at
}

// Execution is a command that ran to its end in a container.
type Execution struct {
	ExitCode int
	Stdout   string
	Stderr   string
}

// Exec runs a command in a service's container, as the container's user.
// Variables, KEY=value, are added to its environment; its arguments are in every
// list of the host's processes.
// A command that ran and failed is no error: see Execution.ExitCode.
func (s *containers) Exec(ctx context.Context, service string, variables []string, command ...string) (Execution, error) {
	id, err := s.find(ctx, service)
	if err != nil {
		return Execution{}, err
	}
	failed := func(err error) (Execution, error) {
		return Execution{}, fmt.Errorf("run %s in %s: %w", command[0], service, err)
	}
	engine := s.engine.cli.Client()
	created, err := engine.ContainerExecCreate(ctx, id, container.ExecOptions{Env: variables, Cmd: command, AttachStdout: true, AttachStderr: true})
	if err != nil {
		return failed(err)
	}
	attached, err := engine.ContainerExecAttach(ctx, created.ID, container.ExecAttachOptions{})
	if err != nil {
		return failed(err)
	}
	defer attached.Close()
	// The hijacked connection knows nothing of the context.
	stop := context.AfterFunc(ctx, attached.Close)
	defer stop()
	var stdout, stderr bytes.Buffer
	if _, err := stdcopy.StdCopy(&stdout, &stderr, attached.Reader); err != nil {
		return failed(errors.Join(err, context.Cause(ctx)))
	}
	ended, err := engine.ContainerExecInspect(ctx, created.ID)
	if err != nil {
		return failed(err)
	}
	return Execution{ExitCode: ended.ExitCode, Stdout: stdout.String(), Stderr: stderr.String()}, nil
}
