package stack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/compose/v2/pkg/api"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
)

// begin fills the project's volumes from its template before anything starts,
// unless they are filled. After a copy that failed, the next one begins anew.
func (s *Stack) begin(ctx context.Context) error {
	s.filling.Lock()
	defer s.filling.Unlock()
	key := s.options.Template
	if key == "" || s.filled.Load() {
		return nil
	}
	template, err := s.engine.Template(ctx, key)
	if err != nil {
		return err
	}
	if err := s.Create(ctx); err != nil {
		return err
	}
	ctx, done, err := s.engine.creating(ctx)
	if err != nil {
		return fmt.Errorf("begin with template %s: %w", key, err)
	}
	defer done()
	if len(s.options.Limited) > 0 { // before what is copied into memory would be forgotten
		if err := s.Start(ctx, keeper); err != nil {
			return fmt.Errorf("begin with template %s: %w", key, err)
		}
	}
	var mounts []mount.Mount
	for _, name := range s.Model.Mounted() {
		from, kept := template.volumes[name]
		if !kept {
			return fmt.Errorf("begin with template %s: volume %s: %w", key, name, ErrNoTemplate)
		}
		pair := between(from, s.name+"_"+name, name)
		pair[0].VolumeOptions = part(key, name) // a mount makes a volume that somebody has removed meanwhile
		mounts = append(mounts, pair...)
	}
	if err := s.copyVolumes(ctx, "", mounts); err != nil {
		return fmt.Errorf("begin with template %s: %w", key, s.tooSmall(err))
	}
	if _, err := s.engine.Template(ctx, key); err != nil { // then what was copied may be nothing
		return fmt.Errorf("begin with template that is removed meanwhile: %w", err)
	}
	s.filled.Store(true)
	return s.startTogether(ctx, template)
}

// startTogether starts the services that begin with a template's data, all at
// once: the order of the compose file is for those that make data of their own.
func (s *Stack) startTogether(ctx context.Context, template Template) error {
	var starting sync.WaitGroup
	var mutex sync.Mutex
	var failed []error
	for name, service := range s.Model.Services {
		if !slices.ContainsFunc(service.Volumes, func(one string) bool { return template.volumes[one] != "" }) {
			continue
		}
		starting.Go(func() {
			err := s.Start(ctx, name)
			mutex.Lock()
			defer mutex.Unlock()
			failed = append(failed, err)
		})
	}
	starting.Wait()
	return errors.Join(failed...)
}

// between mounts two volumes so that copyScript copies one to the other.
func between(from, to, name string) []mount.Mount {
	return []mount.Mount{
		{Type: mount.TypeVolume, Source: from, Target: "/from/" + name, ReadOnly: true},
		{Type: mount.TypeVolume, Source: to, Target: "/to/" + name},
	}
}

// copyScript keeps owners and modes, those of the volumes' roots included, and
// copies the volumes side by side, from $0 to $1. Most of a fresh WAL segment
// is zeros: they are left out where cp knows how, which BusyBox's does not.
const copyScript = `set -e
known=$(cp --help 2>&1) || true
for one in --reflink=auto --sparse=always; do
	case $known in *"${one%=*}"*) options="$options $one" ;; esac
done
for v in "$0"/*; do cp -a $options "$v/." "$1/${v##*/}/" & copies="$copies $!"; done
for copy in $copies; do wait "$copy"; done`

// tooSmall tells a volume in memory that is full from the engine's disk: cp
// names the file that it could not write.
func (s *Stack) tooSmall(err error) error {
	for name, limit := range s.options.Limited {
		if fullDisk(err) && strings.Contains(err.Error(), "/to/"+name+"/") {
			return fmt.Errorf("volume %s in memory holds %d bytes, which is too little: %w", name, limit.Bytes, err)
		}
	}
	return recognised(err)
}

// copier is a service whose image can be expected to have a shell and cp: one
// that writes to a volume that is copied, as a server does.
func (s *Stack) copier() (string, error) {
	for _, name := range s.Services() {
		if len(s.Model.Services[name].Volumes) > 0 {
			return name, nil
		}
	}
	return "", ErrNoVolume
}

// copyVolumes copies in a container of its own, of an image that the project
// has. There is only one container of a name, unless that is empty. It holds
// the volumes fast, and starts only where copyHere could not do its work.
func (s *Stack) copyVolumes(ctx context.Context, name string, mounts []mount.Mount) (err error) {
	if len(mounts) == 0 {
		return ErrNoVolume
	}
	engine := s.engine.cli.Client()
	service, err := s.copier()
	if err != nil {
		return err
	}
	like, err := s.Inspect(ctx, service)
	if err != nil {
		return err
	}
	labels := s.engine.session.labels()
	labels[api.ProjectLabel] = s.name
	labels[api.OneoffLabel] = "True"
	made, err := engine.ContainerCreate(ctx, &container.Config{
		Image: like.ImageID, User: "0", Labels: labels, Entrypoint: []string{"sh", "-c", copyScript, "/from", "/to"},
	}, &container.HostConfig{Mounts: mounts, NetworkMode: network.NetworkNone}, nil, nil, name)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeLimit)
		defer cancel()
		err = errors.Join(err, removeContainer(ctx, engine, made.ID))
	}()
	if s.copyHere(ctx, made.ID) == nil {
		return nil
	}
	ended, err := runToEnd(ctx, engine, made.ID)
	if err == nil && ended.ExitCode != 0 {
		err = fmt.Errorf("copy: exit code %d: %s", ended.ExitCode, strings.TrimSpace(ended.Stderr))
	}
	return err
}

// setCommands replaces commands of a loaded model.
func setCommands(project *types.Project, commands map[string][]string) {
	for name, command := range commands {
		if service, declared := project.Services[name]; declared {
			service.Command = command
			project.Services[name] = service
		}
	}
}

// originalCommand gives a service the command of its compose file again.
func (s *Stack) originalCommand(service string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.options.Commands = maps.Clone(s.options.Commands) // the caller's stays as it is, and so do copies of the options
	delete(s.options.Commands, service)
}
