package stack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/containerd/errdefs"
	"github.com/docker/compose/v2/pkg/api"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
)

// act does something to a service's container through the engine: the SDK's
// verbs act on dependents too, or do nothing silently.
func (s *containers) act(ctx context.Context, verb, service string, do func(context.Context, client.APIClient, string) error) error {
	ctx, cancel := s.engine.alive(ctx)
	defer cancel()
	id, err := s.find(ctx, service)
	if err != nil {
		return err
	}
	if err := do(ctx, s.engine.cli.Client(), id); err != nil {
		return fmt.Errorf("%s %s: %w", verb, service, err)
	}
	s.engine.progress.tell("Container "+s.name+"-"+service, verb)
	return nil
}

// Stop stops a service's container within its grace period.
func (s *Stack) Stop(ctx context.Context, service string) error {
	return s.act(ctx, "stop", service, func(ctx context.Context, engine client.APIClient, id string) error {
		return engine.ContainerStop(ctx, id, container.StopOptions{})
	})
}

// Start starts a service's stopped container; one that runs is left alone.
func (s *Stack) Start(ctx context.Context, service string) error {
	return s.act(ctx, "start", service, func(ctx context.Context, engine client.APIClient, id string) error {
		return engine.ContainerStart(ctx, id, container.StartOptions{})
	})
}

// Restart stops and starts a service's container, as `docker restart` does.
func (s *Stack) Restart(ctx context.Context, service string) error {
	return s.act(ctx, "restart", service, func(ctx context.Context, engine client.APIClient, id string) error {
		return engine.ContainerRestart(ctx, id, container.StopOptions{})
	})
}

// Kill sends a signal, such as KILL, to a service's first process. With KILL
// it returns when the container has ended, unless its restart policy has
// started it again by then.
func (s *containers) Kill(ctx context.Context, service, signal string) error {
	return s.act(ctx, "kill -"+signal, service, func(ctx context.Context, engine client.APIClient, id string) error {
		ended, failed := engine.ContainerWait(ctx, id, container.WaitConditionNextExit)
		if err := engine.ContainerKill(ctx, id, signal); err != nil || signal != "KILL" {
			return err
		}
		select {
		case <-ended:
			return nil
		case err := <-failed:
			return err
		}
	})
}

// Pause freezes all processes of a service; one that is frozen is left so.
func (s *containers) Pause(ctx context.Context, service string) error {
	return s.act(ctx, "pause", service, func(ctx context.Context, engine client.APIClient, id string) error {
		if frozen, err := paused(ctx, engine, id); err != nil || frozen {
			return err
		}
		return freeze(ctx, engine, id)
	})
}

// Unpause lets a frozen service go on; one that is not frozen is left alone.
func (s *containers) Unpause(ctx context.Context, service string) error {
	return s.act(ctx, "unpause", service, func(ctx context.Context, engine client.APIClient, id string) error {
		if frozen, err := paused(ctx, engine, id); err != nil || !frozen {
			return err
		}
		return engine.ContainerUnpause(ctx, id)
	})
}

func paused(ctx context.Context, engine client.APIClient, id string) (bool, error) {
	state, err := engine.ContainerInspect(ctx, id)
	if err != nil {
		return false, err
	}
	return state.State.Paused, nil
}

// Wait waits until a service's container has ended and gives its exit code.
func (s *containers) Wait(ctx context.Context, service string) (int, error) {
	const interval = 50 * time.Millisecond
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		state, err := s.Inspect(ctx, service)
		switch {
		case err != nil:
			return 0, err
		case state.State == "exited" || state.State == "dead":
			return state.ExitCode, nil
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("wait for %s to end: %w", service, context.Cause(ctx))
		case <-ticker.C:
		}
	}
}

// Recreate removes a service's container and starts a new one. Its volumes
// stay unless withVolumes is set, when the named ones that no other service
// mounts are removed too, or emptied where they are in memory.
// Services that are stopped are started.
func (s *Stack) Recreate(ctx context.Context, service string, withVolumes bool) error {
	err := s.act(ctx, "remove", service, func(ctx context.Context, engine client.APIClient, id string) error {
		return engine.ContainerRemove(ctx, id, container.RemoveOptions{Force: true, RemoveVolumes: true})
	})
	if err != nil && !errors.Is(err, ErrNoContainer) { // it may have gone in a first attempt, and its volumes not
		return err
	}
	if withVolumes {
		s.originalCommand(service)
		if err := s.removeVolumes(ctx, service); err != nil {
			return fmt.Errorf("remove volumes of %s: %w", service, err)
		}
	}
	return s.up(ctx, service)
}

// removeVolumes removes the volumes of a service whose container is gone.
// Those that are gone too are no error.
func (s *Stack) removeVolumes(ctx context.Context, service string) error {
	ctx, cancel := s.engine.alive(ctx)
	defer cancel()
	project, err := s.project(ctx)
	if err != nil {
		return err
	}
	for _, mounted := range project.Services[service].Volumes {
		declared, named := project.Volumes[mounted.Source]
		if !named || sharedVolume(project, service, mounted.Source) {
			continue
		}
		if _, limited := s.options.Limited[mounted.Source]; limited {
			if err := s.empty(ctx, mounted.Source); err != nil {
				return err
			}
			continue
		}
		if err := s.engine.cli.Client().VolumeRemove(ctx, declared.Name, true); err != nil && !errdefs.IsNotFound(err) {
			return fmt.Errorf("remove volume %s: %w", declared.Name, err)
		}
	}
	return nil
}

// sharedVolume says whether another service mounts a volume too: what is on it,
// such as archived WAL, is not one service's own. The keeper has nothing of its own.
func sharedVolume(project *types.Project, service, volume string) bool {
	return slices.ContainsFunc(project.ServiceNames(), func(other string) bool {
		return other != service && other != keeper && mounts(project.Services[other], volume)
	})
}

// DownKeepingVolumes stops and removes containers and networks, as `down`
// without -v does, and keeps the named volumes. Anonymous ones are removed:
// compose would leave them where no container and no label leads to them.
func (s *Stack) DownKeepingVolumes(ctx context.Context) error {
	project, err := s.project(ctx)
	if err != nil {
		return err
	}
	return s.down(ctx, api.DownOptions{Project: project})
}

// Services names the services of the stack, sorted.
func (s *Stack) Services() []string {
	var names []string
	for name := range s.Model.Services {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
