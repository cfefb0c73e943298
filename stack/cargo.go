package stack

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/compose/v2/pkg/api"
	"github.com/docker/docker/api/types/container"
)

// ErrNotSent says that a file or folder that a service mounts cannot be copied
// to an engine on another machine.
var ErrNotSent = errors.New("cannot be copied to an engine on another machine")

// cargoLimit is how many bytes one mount may have: what compose files mount of
// their folder are scripts and settings, not data.
const cargoLimit = 64 << 20

// parcel is a file or folder of this machine that a container shall have.
type parcel struct{ source, target string }

// unload takes the mounts of this machine's files out of a model, and gives
// them by service: an engine on another machine would find a path of its own
// there, or make an empty folder.
//
// Source: compose specification, "configs" and "secrets" of services: default targets.
func unload(project *types.Project) map[string][]parcel {
	cargo := map[string][]parcel{}
	for name, service := range project.Services {
		service.Volumes = slices.DeleteFunc(slices.Clone(service.Volumes), func(one types.ServiceVolumeConfig) bool {
			if one.Type != types.VolumeTypeBind {
				return false
			}
			cargo[name] = append(cargo[name], parcel{one.Source, one.Target})
			return true
		})
		service.Secrets = slices.DeleteFunc(slices.Clone(service.Secrets), func(one types.ServiceSecretConfig) bool {
			file := project.Secrets[one.Source].File
			if file != "" {
				cargo[name] = append(cargo[name], parcel{file, under("/run/secrets", one.Target, one.Source)})
			}
			return file != ""
		})
		service.Configs = slices.DeleteFunc(slices.Clone(service.Configs), func(one types.ServiceConfigObjConfig) bool {
			file := project.Configs[one.Source].File
			if file != "" {
				cargo[name] = append(cargo[name], parcel{file, under("/", one.Target, one.Source)})
			}
			return file != ""
		})
		project.Services[name] = service
	}
	return cargo
}

// under is where a secret or config is found in a container.
func under(folder, target, source string) string {
	switch {
	case target == "":
		return path.Join(folder, source)
	case path.IsAbs(target):
		return target
	}
	return path.Join(folder, target)
}

// packed makes an archive for each service that mounts files of this machine,
// with the owners and modes that a mount would show, and takes the mounts out
// of the model. Errors: ErrNotSent.
func packed(project *types.Project) (map[string][]byte, error) {
	archives := map[string][]byte{}
	for service, parcels := range unload(project) {
		var archive bytes.Buffer
		out := tar.NewWriter(&archive)
		for _, one := range parcels {
			if err := one.pack(out); err != nil {
				return nil, fmt.Errorf("mount %s in service %s: %w: %w", one.source, service, ErrNotSent, err)
			}
		}
		if err := out.Close(); err != nil {
			return nil, fmt.Errorf("pack files of service %s: %w", service, err)
		}
		archives[service] = archive.Bytes()
	}
	return archives, nil
}

func (p parcel) pack(out *tar.Writer) error {
	source, err := filepath.EvalSymlinks(p.source)
	if err != nil {
		return err
	}
	left := int64(cargoLimit)
	return filepath.WalkDir(source, func(at string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		within, err := filepath.Rel(source, at)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if left -= info.Size(); left < 0 {
			return fmt.Errorf("it is larger than %d MiB", cargoLimit>>20) //nolint:mnd // bytes in a MiB
		}
		return add(out, at, inArchive(path.Join(p.target, filepath.ToSlash(within))), info)
	})
}

// inArchive is a path of a container as archives have it.
func inArchive(path string) string { return strings.TrimPrefix(path, "/") }

// add writes one file, folder or symbolic link.
func add(out *tar.Writer, at, name string, info fs.FileInfo) error {
	link := ""
	var err error
	switch {
	case info.Mode().IsRegular():
	case info.IsDir():
		name += "/"
	case info.Mode()&fs.ModeSymlink != 0:
		if link, err = os.Readlink(at); err != nil {
			return err
		}
	default:
		return fmt.Errorf("%s is no file, folder or symbolic link (%s)", at, info.Mode().Type())
	}
	header, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return err
	}
	header.Name, header.Uname, header.Gname = name, "", "" // numbers, as with a mount: names differ between machines
	if err := out.WriteHeader(header); err != nil || !info.Mode().IsRegular() {
		return err
	}
	file, err := os.Open(at)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, file)
	return errors.Join(err, file.Close())
}

// canBeSent says why a recipe's files cannot be had where the engine is.
func (s *Stack) canBeSent(ctx context.Context) error {
	if !s.engine.place.remote {
		return nil
	}
	project, err := s.project(ctx)
	if err == nil {
		_, err = packed(project)
	}
	return err
}

// create makes containers. On an engine of another machine they get copies of
// what they would mount of this one, before they are started.
func (s *Stack) create(ctx context.Context, project *types.Project, options api.CreateOptions) error {
	var archives map[string][]byte
	if s.engine.place.remote {
		var err error
		if archives, err = packed(project); err != nil {
			return err
		}
	}
	if err := s.engine.compose.Create(ctx, project, options); err != nil {
		return err
	}
	for service, archive := range archives {
		containers, err := s.list(ctx, service)
		if err != nil {
			return err
		}
		for _, one := range containers {
			if one.State == container.StateRunning || one.State == container.StatePaused {
				continue // it has them
			}
			if err := s.deliver(ctx, one.ID, service, archive); err != nil {
				return err
			}
		}
	}
	return nil
}

// furnish gives a one-off container the files that its service has.
func (s *Stack) furnish(ctx context.Context, id, service string) error {
	if !s.engine.place.remote {
		return nil
	}
	project, err := s.project(ctx)
	if err != nil {
		return err
	}
	archives, err := packed(project)
	if err != nil || archives[service] == nil {
		return err
	}
	return s.deliver(ctx, id, service, archives[service])
}

func (s *Stack) deliver(ctx context.Context, id, service string, archive []byte) error {
	err := s.engine.cli.Client().CopyToContainer(ctx, id, "/", bytes.NewReader(archive), container.CopyToContainerOptions{})
	if err != nil {
		return fmt.Errorf("copy files of service %s: %w", service, err)
	}
	return nil
}
