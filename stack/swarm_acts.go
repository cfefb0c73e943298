package stack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/swarm"
)

// nowhere is a placement that no node offers: a service that wants it is
// stopped, and the container that it had can still be looked at. With no
// replicas it would be gone.
const nowhere = "node.labels.io.github.postgres-master-slave.stopped == true"

// Stop stops a service's container within its grace period. Until Start, or
// until the stack is deployed again, there is no other one.
func (s *Swarm) Stop(ctx context.Context, service string) error {
	err := s.update(ctx, service, func(task *swarm.TaskSpec) (changed bool) {
		if task.Placement == nil {
			task.Placement = &swarm.Placement{}
		}
		if slices.Contains(task.Placement.Constraints, nowhere) {
			return false
		}
		task.Placement.Constraints = append(task.Placement.Constraints, nowhere)
		return true
	})
	if err == nil {
		err = s.await(ctx, service, func(newest container.Summary) bool { return newest.State == container.StateExited })
	}
	return s.done(service, "stop", err)
}

// Start undoes Stop, and waits for a container that runs: after Kill for the
// one that takes the place of the killed one.
func (s *Swarm) Start(ctx context.Context, service string) error {
	err := s.update(ctx, service, func(task *swarm.TaskSpec) (changed bool) {
		if task.Placement == nil || !slices.Contains(task.Placement.Constraints, nowhere) {
			return false
		}
		task.Placement.Constraints = slices.DeleteFunc(task.Placement.Constraints, func(one string) bool { return one == nowhere })
		return true
	})
	if err == nil {
		err = s.await(ctx, service, func(newest container.Summary) bool { return newest.State == container.StateRunning })
	}
	return s.done(service, "start", err)
}

// Restart stops a service's container within its grace period and waits for a
// new one that runs.
func (s *Swarm) Restart(ctx context.Context, service string) error {
	old, err := s.find(ctx, service)
	if err == nil {
		err = s.update(ctx, service, func(task *swarm.TaskSpec) (changed bool) {
			task.ForceUpdate++
			return true
		})
	}
	if err == nil {
		err = s.await(ctx, service, func(newest container.Summary) bool {
			return newest.ID != old && newest.State == container.StateRunning
		})
	}
	return s.done(service, "restart", err)
}

func (s *Swarm) done(service, verb string, err error) error {
	if err != nil {
		return fmt.Errorf("%s %s: %w", verb, service, err)
	}
	s.engine.progress.tell("Service "+s.name+"_"+service, verb)
	return nil
}

// update changes a service. Swarm changes it too: then it is tried again.
func (s *Swarm) update(ctx context.Context, service string, change func(*swarm.TaskSpec) (changed bool)) error {
	const attempts = 5
	var failed error
	for range attempts {
		found, err := s.spec(ctx, service)
		if err != nil {
			return err
		}
		if !change(&found.Spec.TaskTemplate) {
			return nil
		}
		_, failed = s.engine.cli.Client().ServiceUpdate(ctx, found.ID, found.Version, found.Spec, swarm.ServiceUpdateOptions{})
		if failed == nil || !strings.Contains(failed.Error(), "update out of sequence") {
			break
		}
	}
	if failed != nil {
		return fmt.Errorf("update service: %w", failed)
	}
	return nil
}

// await waits until a service's newest container is as wanted.
func (s *Swarm) await(ctx context.Context, service string, wanted func(container.Summary) bool) error {
	const interval = 50 * time.Millisecond
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		found, err := s.list(ctx, service)
		if err == nil && len(found) > 0 && wanted(found[0]) {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err, s.said(context.WithoutCancel(ctx), service))
		case <-ticker.C:
		}
	}
}
