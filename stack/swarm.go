package stack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/swarm"
)

var (
	// ErrNoSwarm says that an engine cannot tell of a swarm's services.
	ErrNoSwarm = errors.New("engine is no manager of a swarm")
	// ErrNotDeployed says that a swarm has no stack of a name.
	ErrNotDeployed = errors.New("swarm has no such stack")
)

// Swarm is a stack that somebody has deployed to a Docker Swarm, seen from the
// engine of a manager. It stays theirs: nothing here removes anything of it.
// It is safe for concurrent use.
//
// Swarm makes a new container whenever one has ended: each call looks for the
// one of now. Containers on other engines are not seen.
type Swarm struct {
	containers
	Model Model // as deployed
}

// Labels by which a swarm's services and containers are found.
//
// Source: Docker documentation, "docker stack services", "docker service ps".
const (
	stackLabel   = "com.docker.stack.namespace"
	serviceLabel = "com.docker.swarm.service.name"
)

// Swarm finds a deployed stack by its name.
// Errors: ErrNoSwarm, ErrNotDeployed, or what the engine said.
func (e *Engine) Swarm(ctx context.Context, name string) (*Swarm, error) {
	found, err := e.cli.Client().ServiceList(ctx, swarm.ServiceListOptions{
		Filters: filters.NewArgs(filters.Arg("label", stackLabel+"="+name)),
	})
	switch {
	case errdefs.IsUnavailable(err):
		return nil, fmt.Errorf("find stack %s: %w: %w", name, ErrNoSwarm, err)
	case err != nil:
		return nil, fmt.Errorf("find stack %s: %w", name, err)
	case len(found) == 0:
		return nil, fmt.Errorf("find stack %s: %w", name, ErrNotDeployed)
	}
	deployed := &Swarm{Model: Model{Services: map[string]Service{}}, containers: containers{
		engine: e, name: name, replaced: true,
		selects: func(service string) filters.Args {
			return filters.NewArgs(filters.Arg("label", serviceLabel+"="+name+"_"+service))
		},
	}}
	for _, one := range found {
		if one.Spec.TaskTemplate.ContainerSpec != nil {
			service := asService(strings.TrimPrefix(one.Spec.Name, name+"_"), one.Spec)
			deployed.Model.Services[service.Name] = service
		}
	}
	return deployed, nil
}

// asService is a swarm's service in the terms of a compose file.
func asService(name string, spec swarm.ServiceSpec) Service {
	container := spec.TaskTemplate.ContainerSpec
	image, _, _ := strings.Cut(container.Image, "@") // Swarm adds the digest
	service := Service{Name: name, Image: image, User: container.User, Command: container.Args, Environment: map[string]string{}}
	for _, variable := range container.Env {
		key, value, _ := strings.Cut(variable, "=")
		service.Environment[key] = value
	}
	if spec.EndpointSpec != nil {
		for _, port := range spec.EndpointSpec.Ports {
			service.Ports = append(service.Ports, Port{
				Published: published(port.PublishedPort), Target: uint16(port.TargetPort), Protocol: string(port.Protocol), //nolint:gosec // the engine's ports fit
			})
		}
	}
	for _, mount := range container.Mounts {
		service.Mounts = append(service.Mounts, Mount{Type: string(mount.Type), Source: mount.Source, Target: mount.Target})
	}
	return service
}

// published is a port as compose files have it: empty is any free one.
func published(port uint32) string {
	if port == 0 {
		return ""
	}
	return fmt.Sprint(port)
}

// spec is what a service is to be.
func (s *Swarm) spec(ctx context.Context, service string) (swarm.Service, error) {
	found, _, err := s.engine.cli.Client().ServiceInspectWithRaw(ctx, s.name+"_"+service, swarm.ServiceInspectOptions{})
	if err != nil {
		return found, fmt.Errorf("inspect service %s: %w", service, err)
	}
	return found, nil
}

// Inspect tells the state of a service's newest container.
// Errors: ErrNoContainer, or what the engine said.
func (s *Swarm) Inspect(ctx context.Context, service string) (Container, error) {
	state, err := s.containers.Inspect(ctx, service)
	if err != nil {
		return state, errors.Join(err, s.said(ctx, service))
	}
	found, err := s.spec(ctx, service)
	if err != nil {
		return state, err
	}
	// What Swarm sees to itself its containers do not know.
	task := found.Spec.TaskTemplate
	if task.ContainerSpec.StopGracePeriod != nil {
		state.Grace = *task.ContainerSpec.StopGracePeriod
	}
	state.Restart = string(swarm.RestartPolicyConditionAny)
	if task.RestartPolicy != nil {
		state.Restart = strings.Replace(string(task.RestartPolicy.Condition), string(swarm.RestartPolicyConditionNone), "no", 1)
	}
	return state, nil
}

// said is what Swarm says of a service's newest task, as an error.
func (s *Swarm) said(ctx context.Context, service string) error {
	tasks, err := s.engine.cli.Client().TaskList(ctx, swarm.TaskListOptions{
		Filters: filters.NewArgs(filters.Arg("service", s.name+"_"+service)),
	})
	if err != nil {
		return fmt.Errorf("list tasks of %s: %w", service, err)
	}
	if len(tasks) == 0 {
		return fmt.Errorf("service %s has no task", service)
	}
	newest := slices.MaxFunc(tasks, func(a, b swarm.Task) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return fmt.Errorf("task of %s on node %q is %s: %s", service, newest.NodeID, newest.Status.State,
		cmp.Or(newest.Status.Err, newest.Status.Message))
}
