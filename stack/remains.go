package stack

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"
)

// removeLimit bounds the removal of everything that a run made.
const removeLimit = time.Minute

// remnants are the containers, networks, volumes and images that carry a label.
type remnants struct {
	containers []container.Summary
	networks   []network.Summary
	volumes    []*volume.Volume
	images     []image.Summary // built, for all stacks of a run
}

// remains lists what carries the label of a session; the empty id is any session.
func remains(ctx context.Context, engine client.APIClient, id string) (remnants, error) {
	label := SessionLabel
	if id != "" {
		label += "=" + id
	}
	found, err := labelled(ctx, engine, label)
	if err != nil {
		return found, err
	}
	only := filters.NewArgs(filters.Arg("label", label))
	if found.images, err = engine.ImageList(ctx, image.ListOptions{Filters: only}); err != nil {
		return found, fmt.Errorf("list images: %w", err)
	}
	return found, nil
}

func labelled(ctx context.Context, engine client.APIClient, label string) (remnants, error) {
	only := filters.NewArgs(filters.Arg("label", label))
	var found remnants
	var err error
	if found.containers, err = engine.ContainerList(ctx, container.ListOptions{All: true, Filters: only}); err != nil {
		return found, fmt.Errorf("list containers: %w", err)
	}
	if found.networks, err = engine.NetworkList(ctx, network.ListOptions{Filters: only}); err != nil {
		return found, fmt.Errorf("list networks: %w", err)
	}
	volumes, err := engine.VolumeList(ctx, volume.ListOptions{Filters: only})
	if err != nil {
		return found, fmt.Errorf("list volumes: %w", err)
	}
	found.volumes = volumes.Volumes
	return found, nil
}

func (r remnants) empty() bool {
	return len(r.containers)+len(r.networks)+len(r.volumes)+len(r.images) == 0
}

// names says what there is, for people. Images serve all stacks of a run:
// they are there until it ends.
func (r remnants) names() []string {
	var names []string
	for _, one := range r.containers {
		names = append(names, fmt.Sprintf("container %s (%s)", one.Names[0][1:], one.State))
	}
	for _, one := range r.networks {
		names = append(names, "network "+one.Name)
	}
	for _, one := range r.volumes {
		names = append(names, "volume "+one.Name)
	}
	slices.Sort(names)
	return names
}

// remove takes everything away by force, containers first: they hold the rest.
// What somebody else removes at the same time is no error.
func (r remnants) remove(ctx context.Context, engine client.APIClient) error {
	var errs []error
	note := func(what, name string, err error) {
		if err != nil && !errdefs.IsNotFound(err) {
			errs = append(errs, fmt.Errorf("remove %s %s: %w", what, name, err))
		}
	}
	// The engine takes its time over each container, most of it waiting.
	failures := make([]error, len(r.containers))
	var group sync.WaitGroup
	for i, one := range r.containers {
		group.Go(func() { failures[i] = removeContainer(ctx, engine, one.ID) })
	}
	group.Wait()
	for i, one := range r.containers {
		note("container", one.Names[0], failures[i])
	}
	for _, one := range r.networks {
		note("network", one.Name, engine.NetworkRemove(ctx, one.ID))
	}
	for _, one := range r.volumes {
		note("volume", one.Name, engine.VolumeRemove(ctx, one.Name, true))
	}
	errs = append(errs, r.removeAnonymous(ctx, engine))
	for _, one := range r.images {
		_, err := engine.ImageRemove(ctx, one.ID, image.RemoveOptions{Force: true, PruneChildren: true})
		note("image", one.ID, err)
	}
	return errors.Join(errs...)
}

// anonymousName is what the engine calls a volume that nobody named.
var anonymousName = regexp.MustCompile(`^[0-9a-f]{64}$`)

// removeAnonymous removes the volumes without a name of containers that are
// gone. The engine does so with a container only as long as that is the one
// they were made for: one that compose makes anew inherits them.
func (r remnants) removeAnonymous(ctx context.Context, engine client.APIClient) error {
	var errs []error
	for _, one := range r.containers {
		for _, used := range one.Mounts {
			if used.Type != mount.TypeVolume || !anonymousName.MatchString(used.Name) {
				continue
			}
			if err := engine.VolumeRemove(ctx, used.Name, true); err != nil && !errdefs.IsNotFound(err) {
				errs = append(errs, fmt.Errorf("remove anonymous volume %s: %w", used.Name, err))
			}
		}
	}
	return errors.Join(errs...)
}

// removeContainer removes a container, or waits until somebody else who has
// begun to remove it is done.
func removeContainer(ctx context.Context, engine client.APIClient, id string) error {
	err := engine.ContainerRemove(ctx, id, container.RemoveOptions{Force: true, RemoveVolumes: true})
	if !errdefs.IsConflict(err) {
		return err
	}
	removed, failed := engine.ContainerWait(ctx, id, container.WaitConditionRemoved)
	select {
	case <-removed:
		return nil
	case err := <-failed:
		return err
	}
}

// removeSession removes whatever carries a session's label.
func (e *Engine) removeSession(ctx context.Context, id string) error {
	left, err := remains(ctx, e.cli.Client(), id)
	if err != nil {
		return err
	}
	return left.remove(ctx, e.cli.Client())
}

// Leftovers names the containers, networks and volumes of this run that exist.
func (e *Engine) Leftovers(ctx context.Context) ([]string, error) {
	left, err := remains(ctx, e.cli.Client(), e.session.id)
	return left.names(), err
}

// sweep removes what dead runs of this host left behind, their leases last: a
// run whose lease is gone counts as dead.
func (e *Engine) sweep(ctx context.Context) error {
	left, err := remains(ctx, e.cli.Client(), "")
	if err != nil {
		return fmt.Errorf("sweep dead runs: %w", err)
	}
	here := host()
	for id, labels := range left.sessions() {
		if labels[hostLabel] != here || !dead(labels[leaseLabel]) {
			continue
		}
		e.progress.tell("Run "+id, "Sweeping")
		if err := e.removeSession(ctx, id); err != nil {
			// What another run left is no reason to refuse this one.
			e.progress.tell("Run "+id, "Sweeping failed: "+err.Error())
		}
	}
	sweepLeases()
	return nil
}

// sessions gives the labels of each session that something belongs to.
func (r remnants) sessions() map[string]map[string]string {
	found := map[string]map[string]string{}
	for _, one := range r.containers {
		found[one.Labels[SessionLabel]] = one.Labels
	}
	for _, one := range r.networks {
		found[one.Labels[SessionLabel]] = one.Labels
	}
	for _, one := range r.volumes {
		found[one.Labels[SessionLabel]] = one.Labels
	}
	for _, one := range r.images {
		found[one.Labels[SessionLabel]] = one.Labels
	}
	return found
}
