package stack

import (
	"context"
	"errors"
	"fmt"

	"github.com/docker/compose/v2/pkg/api"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"
)

// Readdress stops a service's container and starts it at other addresses, as
// may happen to any container that is stopped for a while. Meanwhile a
// placeholder takes the addresses that have become free. Engines choose
// addresses as they like: see Container.Addresses for what came of it.
func (s *Stack) Readdress(ctx context.Context, service string) error {
	ctx, done, err := s.engine.creating(ctx)
	if err != nil {
		return fmt.Errorf("readdress %s: %w", service, err)
	}
	defer done()
	return s.act(ctx, "readdress", service, func(ctx context.Context, engine client.APIClient, id string) error {
		state, err := engine.ContainerInspect(ctx, id)
		if err != nil {
			return err
		}
		if err := engine.ContainerStop(ctx, id, container.StopOptions{}); err != nil {
			return err
		}
		placeholder, err := s.createPlaceholder(ctx, engine, state)
		if err != nil {
			return err
		}
		err = engine.ContainerStart(ctx, placeholder, container.StartOptions{})
		if err == nil {
			err = engine.ContainerStart(ctx, id, container.StartOptions{})
		}
		return errors.Join(err, removeContainer(context.WithoutCancel(ctx), engine, placeholder))
	})
}

// createPlaceholder makes a container that does nothing but be in the
// networks of another one. It carries the run's labels, so that clean-up finds it.
func (s *Stack) createPlaceholder(ctx context.Context, engine client.APIClient, other container.InspectResponse) (id string, err error) {
	labels := s.labels()
	labels[api.ProjectLabel] = s.name
	labels[api.OneoffLabel] = "True"
	host := &container.HostConfig{}
	networks := attachments(other)
	if len(networks) > 0 {
		host.NetworkMode = container.NetworkMode(networks[0].network)
	}
	made, err := engine.ContainerCreate(ctx, &container.Config{
		Image: other.Image, Entrypoint: []string{"sleep"}, Cmd: []string{"infinity"}, Labels: labels,
	}, host, nil, nil, "")
	if err != nil {
		return "", err
	}
	for _, one := range networks[min(1, len(networks)):] {
		if err := engine.NetworkConnect(ctx, one.network, made.ID, &network.EndpointSettings{}); err != nil {
			return "", errors.Join(err, removeContainer(context.WithoutCancel(ctx), engine, made.ID))
		}
	}
	return made.ID, nil
}
