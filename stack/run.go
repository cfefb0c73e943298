package stack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/docker/compose/v2/pkg/api"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"
	"github.com/docker/docker/pkg/stdcopy"
)

// Run runs a command in a one-off container that is like a service's own, which
// may be stopped: same image, user, variables, volumes and networks, but no
// published port and no entrypoint before the command. Variables, KEY=value, are
// added to the service's. It is removed afterwards.
// A command that ran and failed is no error: see Execution.ExitCode.
// Errors: ErrNoContainer, or what the engine said.
func (s *Stack) Run(ctx context.Context, service string, variables []string, command ...string) (ended Execution, err error) {
	ctx, done, err := s.engine.creating(ctx)
	if err != nil {
		return Execution{}, fmt.Errorf("run %s in %s: %w", command[0], service, err)
	}
	defer done()
	err = s.act(ctx, "run "+command[0], service, func(ctx context.Context, engine client.APIClient, id string) (err error) {
		like, err := engine.ContainerInspect(ctx, id)
		if err != nil {
			return err
		}
		oneOff, err := s.createOneOff(ctx, engine, service, like, variables, command)
		if err != nil {
			return err
		}
		defer func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeLimit)
			defer cancel()
			err = errors.Join(err, removeContainer(ctx, engine, oneOff))
		}()
		ended, err = runToEnd(ctx, engine, oneOff)
		return err
	})
	return ended, err
}

func (s *Stack) createOneOff(ctx context.Context, engine client.APIClient, service string, like container.InspectResponse, variables, command []string) (id string, err error) {
	labels := maps.Clone(like.Config.Labels) // those of the run are among them
	labels[api.OneoffLabel] = "True"
	others := attachments(like)
	hostConfig := &container.HostConfig{VolumesFrom: []string{like.ID}, NetworkMode: network.NetworkNone, ShmSize: like.HostConfig.ShmSize}
	if len(others) > 0 {
		hostConfig.NetworkMode = container.NetworkMode(others[0].network)
		others = others[1:]
	}
	created, err := engine.ContainerCreate(ctx, &container.Config{
		Image: like.Image, User: like.Config.User, Env: slices.Concat(like.Config.Env, variables), WorkingDir: like.Config.WorkingDir,
		Labels: labels, Entrypoint: command[:1], Cmd: command[1:],
	}, hostConfig, nil, nil, "")
	if err != nil {
		return "", err
	}
	for _, one := range others {
		if err := engine.NetworkConnect(ctx, one.network, created.ID, nil); err != nil {
			return "", errors.Join(err, removeContainer(ctx, engine, created.ID))
		}
	}
	if err := s.furnish(ctx, created.ID, service); err != nil {
		return "", errors.Join(err, removeContainer(ctx, engine, created.ID))
	}
	return created.ID, nil
}

// runToEnd starts a container and gives what became of it.
func runToEnd(ctx context.Context, engine client.APIClient, id string) (Execution, error) {
	if err := engine.ContainerStart(ctx, id, container.StartOptions{}); err != nil {
		return Execution{}, err
	}
	result := Execution{}
	ended, failed := engine.ContainerWait(ctx, id, container.WaitConditionNotRunning)
	select {
	case end := <-ended:
		result.ExitCode = int(end.StatusCode)
	case err := <-failed:
		return Execution{}, err
	}
	stream, err := engine.ContainerLogs(ctx, id, container.LogsOptions{ShowStdout: true, ShowStderr: true})
	if err != nil {
		return Execution{}, err
	}
	var stdout, stderr bytes.Buffer
	_, err = stdcopy.StdCopy(&stdout, &stderr, stream)
	if err = errors.Join(err, stream.Close()); err != nil {
		return Execution{}, fmt.Errorf("read output: %w", err)
	}
	result.Stdout, result.Stderr = stdout.String(), stderr.String()
	return result, nil
}
