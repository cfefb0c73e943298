package stack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
)

// LimitedVolume is a volume of a compose file that is kept in memory and can
// therefore be small, and full. Its content lives until the project's
// containers are stopped all at once; a single service may come and go.
type LimitedVolume struct {
	Bytes int64
	// Who owns its root, and what they may do there. A volume on disk gets this
	// from the image, and one that begins with a template from that.
	UID, GID int
	Mode     fs.FileMode
}

// ErrNotLimited says that a volume is not one of Options.Limited.
var ErrNotLimited = errors.New("volume has no limit of its own")

const (
	// keeper is the service that keeps limited volumes mounted: the engine
	// forgets what is in memory when nobody uses it.
	keeper = "keeps-volumes"
	// kept is the folder where the keeper has them, by their names.
	kept = "/volumes/"
)

// limitVolumes puts volumes of a loaded model into memory.
//
// Source: Docker documentation, `docker volume create`, driver-specific
// options of the local driver; tmpfs(5).
func limitVolumes(project *types.Project, limits map[string]LimitedVolume, labels map[string]string) error {
	if len(limits) == 0 {
		return nil
	}
	grace := types.Duration(time.Second)
	keeps := types.ServiceConfig{
		Name: keeper, CustomLabels: merged(nil, labels, composeLabels(project, keeper)),
		Entrypoint: types.ShellCommand{"sleep", "infinity"}, User: "0",
		NetworkMode: "none", StopSignal: "SIGKILL", StopGracePeriod: &grace,
	}
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		limit := limits[name]
		volume, declared := project.Volumes[name]
		user := slices.IndexFunc(project.ServiceNames(), func(service string) bool { return mounts(project.Services[service], name) })
		if !declared || user < 0 {
			return fmt.Errorf("limit volume %s: %w: no service has such a volume", name, ErrRecipe)
		}
		volume.Driver = "local"
		volume.DriverOpts = map[string]string{
			"type": "tmpfs", "device": "tmpfs",
			"o": fmt.Sprintf("size=%d,uid=%d,gid=%d,mode=%s", limit.Bytes, limit.UID, limit.GID, octal(limit.Mode)),
		}
		project.Volumes[name] = volume
		keeps.Image = project.Services[project.ServiceNames()[user]].Image
		keeps.Volumes = append(keeps.Volumes, types.ServiceVolumeConfig{Type: types.VolumeTypeVolume, Source: name, Target: kept + name})
	}
	project.Services[keeper] = keeps
	return nil
}

func mounts(service types.ServiceConfig, volume string) bool {
	return slices.ContainsFunc(service.Volumes, func(one types.ServiceVolumeConfig) bool {
		return one.Type == types.VolumeTypeVolume && one.Source == volume
	})
}

// octal writes a mode as mount does, the sticky bit included.
func octal(mode fs.FileMode) string {
	const sticky = 0o1000
	bits := uint32(mode.Perm())
	if mode&fs.ModeSticky != 0 {
		bits |= sticky
	}
	return strconv.FormatUint(uint64(bits), 8)
}

// Each script gets the volume's folder as $0.
const (
	freeBytes = `stat -f -c '%a %S' "$0"`
	// fillScript writes real bytes. The second write takes what the first has
	// left while somebody else freed or took some.
	fillScript = `
set -- $(` + freeBytes + `)
umask 022
head -c $(($1 * $2 - LEAVE)) /dev/zero >>"$0/ballast" || test LEAVE -eq 0
`
	drainScript = `rm -f "$0/ballast"`
	emptyScript = `find "$0" -mindepth 1 -delete`
)

// Fill writes into a limited volume until so many bytes are left.
// Errors: ErrNotLimited, ErrNoContainer, or what the engine said.
func (s *Stack) Fill(ctx context.Context, volume string, leave int64) error {
	script := strings.ReplaceAll(fillScript, "LEAVE", strconv.FormatInt(leave, 10))
	if _, err := s.inKeeper(ctx, "fill", volume, script); err != nil {
		return err
	}
	free, err := s.Free(ctx, volume)
	if err == nil && free > leave {
		err = fmt.Errorf("fill volume %s: %d bytes are still free, wanted %d", volume, free, leave)
	}
	return err
}

// Drain removes what Fill wrote. A volume that was not filled is left alone.
// Errors: as of Fill.
func (s *Stack) Drain(ctx context.Context, volume string) error {
	_, err := s.inKeeper(ctx, "drain", volume, drainScript)
	return err
}

// empty removes what is in a limited volume, which its keeper holds fast.
func (s *Stack) empty(ctx context.Context, volume string) error {
	_, err := s.inKeeper(ctx, "empty", volume, emptyScript)
	return err
}

// Free is how many bytes are free in a limited volume.
// Errors: as of Fill.
func (s *Stack) Free(ctx context.Context, volume string) (int64, error) {
	ended, err := s.inKeeper(ctx, "look into", volume, freeBytes)
	if err != nil {
		return 0, err
	}
	var blocks, size int64
	if _, err := fmt.Sscan(ended.Stdout, &blocks, &size); err != nil {
		return 0, fmt.Errorf("look into volume %s: read %q: %w", volume, ended.Stdout, err)
	}
	return blocks * size, nil
}

// inKeeper runs a script beside a limited volume, whatever its own service does.
func (s *Stack) inKeeper(ctx context.Context, verb, volume, script string) (Execution, error) {
	if _, limited := s.options.Limited[volume]; !limited {
		return Execution{}, fmt.Errorf("%s volume %s: %w", verb, volume, ErrNotLimited)
	}
	ended, err := s.Exec(ctx, keeper, nil, "sh", "-c", script, kept+volume)
	if err == nil && ended.ExitCode != 0 {
		err = fmt.Errorf("exit code %d: %s", ended.ExitCode, strings.TrimSpace(ended.Stderr))
	}
	if err != nil {
		return ended, fmt.Errorf("%s volume %s: %w", verb, volume, err)
	}
	return ended, nil
}
