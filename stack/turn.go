package stack

import (
	"context"
	"fmt"
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
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o666) //nolint:gosec // other users take turns too
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
