package stack

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/volume"
)

// Labels on what a template is made of. It carries no run's label: it outlives
// the run that has made it, on purpose, and is no leftover.
const (
	TemplateLabel       = "io.github.postgres-master-slave.template"        // which template
	templateVolumeLabel = "io.github.postgres-master-slave.template.volume" // what compose files call the volume
	templateNoteLabel   = "io.github.postgres-master-slave.template.note"   // on the volume that is made last
	templatePartsLabel  = "io.github.postgres-master-slave.template.parts"  // there too: the volumes that belong to it, as JSON
)

// ErrNoTemplate says that a template is not there, or was left half-made.
var ErrNoTemplate = errors.New("no such template")

// ErrTemplateInUse says that somebody else makes a template or begins with it now.
var ErrTemplateInUse = errors.New("template is in use")

// ErrNoVolume says that data are on no volume that a template could hold: it
// would need a name in the compose files.
var ErrNoVolume = errors.New("data are on no volume with a name")

// Template is the content of a stack's volumes, kept for later stacks that
// begin with it: see Options.Template and Stack.Keep.
type Template struct {
	Key      string
	Created  time.Time
	Complete bool   // false while it is being made, when that was cut off, and when a volume of it is gone
	Note     string // what its maker wants to know again
	volumes  map[string]string
	parts    []string
}

// Templates lists what is kept on the engine, sorted by key.
func (e *Engine) Templates(ctx context.Context) ([]Template, error) {
	found, err := e.cli.Client().VolumeList(ctx, volume.ListOptions{Filters: filters.NewArgs(filters.Arg("label", TemplateLabel))})
	if err != nil {
		return nil, fmt.Errorf("list templates: %w", err)
	}
	byKey := map[string]Template{}
	for _, one := range found.Volumes {
		key := one.Labels[TemplateLabel]
		template, known := byKey[key]
		if !known {
			template = Template{Key: key, volumes: map[string]string{}}
		}
		if at := moment(one.CreatedAt); at.After(template.Created) {
			template.Created = at
		}
		if note, last := one.Labels[templateNoteLabel]; last {
			template.Note = note
			template.Complete = json.Unmarshal([]byte(one.Labels[templatePartsLabel]), &template.parts) == nil
		} else {
			template.volumes[one.Labels[templateVolumeLabel]] = one.Name
		}
		byKey[key] = template
	}
	for key, template := range byKey {
		template.Complete = template.Complete && !slices.ContainsFunc(template.parts, func(part string) bool { return template.volumes[part] == "" })
		byKey[key] = template
	}
	return slices.SortedFunc(maps.Values(byKey), func(a, b Template) int { return cmp.Compare(a.Key, b.Key) }), nil
}

// Template gives one template that is complete. Errors: ErrNoTemplate, or what
// the engine said.
func (e *Engine) Template(ctx context.Context, key string) (Template, error) {
	all, err := e.Templates(ctx)
	if err != nil {
		return Template{}, err
	}
	for _, one := range all {
		if one.Key == key && one.Complete {
			return one, nil
		}
	}
	return Template{}, fmt.Errorf("find template %s: %w", key, ErrNoTemplate)
}

// RemoveTemplate removes a template, complete or not. One that is not there is no error.
func (e *Engine) RemoveTemplate(ctx context.Context, key string) error {
	left, err := labelled(ctx, e.cli.Client(), TemplateLabel+"="+key)
	if err != nil {
		return err
	}
	// What makes it complete goes first.
	slices.SortStableFunc(left.volumes, func(a, b *volume.Volume) int {
		return cmp.Compare(len(a.Labels[templateVolumeLabel]), len(b.Labels[templateVolumeLabel]))
	})
	return left.remove(ctx, e.cli.Client())
}

// Keep makes a template of the volumes with a name that the services mount.
// Whoever writes to them must have been stopped. When it fails, nothing is kept.
// Errors: ErrNoVolume, ErrTemplateInUse, ErrNoContainer, ErrNoSpace, or what the engine said.
func (s *Stack) Keep(ctx context.Context, key, note string) (err error) {
	ctx, done, err := s.engine.creating(ctx)
	if err != nil {
		return fmt.Errorf("keep volumes: %w", err)
	}
	defer done()
	if err := s.engine.RemoveTemplate(ctx, key); err != nil {
		return fmt.Errorf("keep volumes: %w", inUse(err))
	}
	defer func() {
		if err != nil && !errors.Is(err, ErrTemplateInUse) {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeLimit)
			defer cancel()
			err = errors.Join(err, s.engine.RemoveTemplate(ctx, key))
		}
	}()
	// One maker at a time, from wherever: the volumes come into being with the
	// container that has their name, and are in use for as long as it is there.
	whole := "pms-template-" + key
	parts := s.Model.Mounted()
	var mounts []mount.Mount
	for _, name := range parts {
		pair := between(s.name+"_"+name, whole+"_"+name, name)
		pair[1].VolumeOptions = part(key, name)
		mounts = append(mounts, pair...)
	}
	if err := s.copyVolumes(ctx, whole, mounts); err != nil {
		return fmt.Errorf("keep volumes: %w", inUse(recognised(err)))
	}
	list, err := json.Marshal(parts)
	if err != nil {
		return fmt.Errorf("keep volumes: %w", err)
	}
	_, err = s.engine.cli.Client().VolumeCreate(ctx, volume.CreateOptions{Name: whole, Labels: map[string]string{
		TemplateLabel: key, templateNoteLabel: note, templatePartsLabel: string(list),
	}})
	if err != nil {
		return fmt.Errorf("keep volumes: %w", recognised(err))
	}
	return nil
}

// part is how a mount makes a volume of a template.
func part(key, name string) *mount.VolumeOptions {
	return &mount.VolumeOptions{NoCopy: true, Labels: map[string]string{TemplateLabel: key, templateVolumeLabel: name}}
}

// inUse knows what the engine says when somebody else has a volume or a name.
func inUse(err error) error {
	if errdefs.IsConflict(err) {
		return fmt.Errorf("%w: %w", ErrTemplateInUse, err)
	}
	return err
}

// OnVolume says that a directory of a service's container is on a volume that a
// template holds.
// Errors: ErrNoVolume, ErrNoContainer, or what the engine said.
func (s *Stack) OnVolume(ctx context.Context, service, directory string) error {
	raw, err := s.inspect(ctx, service)
	if err != nil {
		return err
	}
	if on := nearest(raw.Mounts, directory); on.Type == mount.TypeVolume {
		for _, name := range s.Model.Services[service].Volumes {
			if on.Name == s.name+"_"+name {
				return nil
			}
		}
	}
	return fmt.Errorf("look where %s of %s is: %w", directory, service, ErrNoVolume)
}

// nearest is the mount that a directory is on.
func nearest(mounts []container.MountPoint, directory string) (on container.MountPoint) {
	for _, one := range mounts {
		target := strings.TrimSuffix(path.Clean(one.Destination), "/")
		if (directory == target || strings.HasPrefix(directory, target+"/")) && len(one.Destination) > len(on.Destination) {
			on = one
		}
	}
	return on
}
