package stack

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/docker/docker/client"
)

const (
	// freezeLimit bounds the attempts to freeze a container.
	freezeLimit    = 10 * time.Second
	freezeInterval = 50 * time.Millisecond
)

// errExecBegins says that a command is being started in a container.
var errExecBegins = errors.New("a command is being started in the container")

// freeze freezes a container, but not in the moment in which a command begins
// in it, such as a health check: an engine that freezes the beginning command
// too can neither start it nor let the container go on (seen with runc 1.1).
func freeze(ctx context.Context, engine client.APIClient, id string) error {
	return persist(ctx, func(ctx context.Context) error {
		state, err := engine.ContainerInspect(ctx, id)
		if err != nil {
			return err
		}
		for _, exec := range state.ExecIDs {
			command, err := engine.ContainerExecInspect(ctx, exec)
			if err == nil && command.Running && command.Pid == 0 {
				return errExecBegins
			}
		}
		return engine.ContainerPause(ctx, id)
	})
}

// persist freezes a container of an engine that gives up at once. Under
// cgroup v1 a container in which processes are being started, by a health
// check for instance, may not come to rest; the engine then lets it go on and
// says that it was unable to. Other errors are given at once.
func persist(ctx context.Context, freeze func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, freezeLimit)
	defer cancel()
	ticker := time.NewTicker(freezeInterval)
	defer ticker.Stop()
	for {
		err := freeze(ctx)
		if err == nil || !errors.Is(err, errExecBegins) && !strings.Contains(err.Error(), "unable to freeze") {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-ticker.C:
		}
	}
}
