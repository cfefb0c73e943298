package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
)

// errNotHere says that volumes are out of this process's reach.
var errNotHere = errors.New("volumes are not on this machine, or not for this user")

// copyHere copies what a container that was made for copying would copy once
// started, which takes far longer than copying does. It works for root beside
// its engine, where volumes are folders. Whatever it leaves undone, copyScript
// can do over.
func (s *Stack) copyHere(ctx context.Context, made string) error {
	if s.engine.place.remote || os.Geteuid() != 0 || len(s.options.Limited) > 0 {
		return errNotHere
	}
	copier, err := s.engine.cli.Client().ContainerInspect(ctx, made)
	if err != nil {
		return err
	}
	copies := copiesOf(copier.Mounts)
	if len(copies) == 0 {
		return errNotHere
	}
	for _, one := range copies {
		if err := copyFolder(ctx, one.from, one.to); err != nil {
			return err
		}
	}
	// A server that recovers syncs its files one by one, which is slow unless
	// they have been written by then. This one may fail: that server does not.
	//
	// Source: PostgreSQL documentation, recovery_init_sync_method.
	_ = exec.CommandContext(ctx, "sync", "-f", copies[0].to).Run()
	return nil
}

type folderCopy struct{ from, to string }

// copiesOf gives the folders behind the mounts of between; none where one of
// them is not a folder that is seen here.
func copiesOf(mounts []container.MountPoint) []folderCopy {
	folders := map[string]string{}
	for _, one := range mounts {
		if one.Type != mount.TypeVolume || one.Driver != "local" || !isFolder(one.Source) {
			return nil
		}
		folders[one.Destination] = one.Source
	}
	var copies []folderCopy
	for target, from := range folders {
		if name, is := strings.CutPrefix(target, "/from/"); is {
			to, known := folders["/to/"+name]
			if !known {
				return nil
			}
			copies = append(copies, folderCopy{from, to})
		}
	}
	return copies
}

func isFolder(path string) bool {
	state, err := os.Stat(path)
	return err == nil && state.IsDir()
}

// copyFolder keeps owners and modes, and leaves zeros out: see copyScript.
func copyFolder(ctx context.Context, from, to string) error {
	said, err := exec.CommandContext(ctx, "cp", "-a", "--reflink=auto", "--sparse=always", from+"/.", to+"/").CombinedOutput()
	if err != nil {
		return fmt.Errorf("copy %s: %w: %s", from, err, strings.TrimSpace(string(said)))
	}
	return nil
}
