package live

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/pair"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

const dataDirectorySQL = `SELECT current_setting('data_directory')`

// limitData names the volume of the primary's data with a size. It asks the
// running primary where its data are and whose: a volume in memory does not
// get its owner from the image, as one on disk does.
func (o *operator) limitData(ctx context.Context, size int64) (map[string]stack.LimitedVolume, error) {
	if size == 0 {
		return nil, nil
	}
	primary := o.target.Pair.Primary
	directory, err := pair.One[string](ctx, primary, dataDirectorySQL)
	if err != nil {
		return nil, fmt.Errorf("ask %s for its data directory: %w", primary.Name(), err)
	}
	mount, ok := mountOf(o.model.Services[primary.Name()], directory)
	if !ok {
		return nil, fmt.Errorf("limit data of %s: %w: %s is on no volume that the compose file declares",
			primary.Name(), conformance.ErrUnavailable, directory)
	}
	ended, err := o.Exec(ctx, primary.Name(), nil, "stat", "-c", "%u %g %a", mount.Target)
	if err != nil {
		return nil, err
	}
	limited := stack.LimitedVolume{Bytes: size}
	var mode string
	if _, err := fmt.Sscan(ended.Stdout, &limited.UID, &limited.GID, &mode); err != nil {
		return nil, fmt.Errorf("look whose %s of %s is: %s%s: %w", mount.Target, primary.Name(), ended.Stdout, ended.Stderr, err)
	}
	if limited.Mode, err = fileMode(mode); err != nil {
		return nil, fmt.Errorf("read mode of %s: %w", mount.Target, err)
	}
	return map[string]stack.LimitedVolume{mount.Source: limited}, nil
}

// limited proves that the engine has made volumes of the size they were to have.
func (o *operator) limited(ctx context.Context) error {
	for volume, limit := range o.stack().Options().Limited {
		free, err := o.stack().Free(ctx, volume)
		if err == nil && free > limit.Bytes {
			err = fmt.Errorf("limit volume %s: %w: it was to have %d bytes, and %d are free", volume, conformance.ErrUnavailable, limit.Bytes, free)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// mountOf finds the volume that a directory of a service is on.
func mountOf(service stack.Service, directory string) (found stack.Mount, ok bool) {
	for _, mount := range service.Mounts {
		target := path.Clean(mount.Target)
		inside := directory == target || strings.HasPrefix(directory, target+"/")
		if mount.Type == "volume" && mount.Source != "" && inside && len(target) > len(found.Target) {
			found, ok = mount, true
		}
	}
	return found, ok
}

// fileMode reads what stat prints.
func fileMode(octal string) (fs.FileMode, error) {
	const base, bits, sticky = 8, 16, 0o1000
	value, err := strconv.ParseUint(octal, base, bits)
	mode := fs.FileMode(value).Perm()
	if value&sticky != 0 {
		mode |= fs.ModeSticky
	}
	return mode, err
}

// limitedVolume is the volume that holds a node's data and can be filled.
func (o *operator) limitedVolume(node string) (volume string, reason string) {
	for _, mount := range o.model.Services[node].Mounts {
		if _, limited := o.stack().Options().Limited[mount.Source]; limited {
			return mount.Source, ""
		}
	}
	return "", "its data are on no volume of limited size: see Instance.DataSize"
}

func (o *operator) FillDisk(ctx context.Context, node string, leave int64) error {
	volume, reason := o.limitedVolume(node)
	if reason != "" {
		return fmt.Errorf("fill disk of %s: %w: %s", node, conformance.ErrUnavailable, reason)
	}
	return o.stack().Fill(ctx, volume, leave)
}

func (o *operator) FreeDisk(ctx context.Context, node string) error {
	volume, reason := o.limitedVolume(node)
	if reason != "" {
		return fmt.Errorf("free disk of %s: %w: %s", node, conformance.ErrUnavailable, reason)
	}
	return o.stack().Drain(ctx, volume)
}
