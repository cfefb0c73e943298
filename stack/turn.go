package stack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// turnFile is held locked by whoever uses ports that a compose file names.
const turnFile = "postgres-master-slave-literal-ports.lock"

// TakeTurn waits until no other run of this project on this machine uses the
// ports that a compose file names, at most until ctx ends: two runs at once
// then take turns instead of finding each other's ports taken. The turn ends
// with release, or with the process.
func TakeTurn(ctx context.Context) (release func() error, err error) {
	const interval = 100 * time.Millisecond
	path := filepath.Join(os.TempDir(), turnFile)
	file, err := openShared(path)
	if err != nil {
		return nil, fmt.Errorf("take turn on literal ports: %w", err)
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for lock(file) != nil {
		select {
		case <-ctx.Done():
			_ = file.Close() // nothing was written
			return nil, fmt.Errorf("take turn on literal ports: another run of this project uses them: %w", context.Cause(ctx))
		case <-ticker.C:
		}
	}
	return file.Close, nil
}

// openShared opens a file that all users of this machine lock, and makes it
// where it is missing. To lock it needs no right to write, and to open another
// user's with O_CREATE may be refused in a folder such as /tmp.
//
// Source: flock(2); proc(5), /proc/sys/fs/protected_regular.
func openShared(path string) (*os.File, error) {
	const forAll = 0o644
	for {
		file, err := os.Open(path)
		if !errors.Is(err, fs.ErrNotExist) {
			return file, err
		}
		file, err = os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, forAll)
		switch {
		case errors.Is(err, fs.ErrExist): // somebody was faster
		case err != nil:
			return nil, err
		default:
			if err := file.Chmod(forAll); err != nil { // whatever this process's umask is
				return nil, errors.Join(err, file.Close())
			}
			return file, nil
		}
	}
}
