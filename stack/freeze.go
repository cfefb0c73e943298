package stack

import (
	"context"
	"strings"
	"time"
)

const (
	// freezeLimit bounds the attempts to freeze a container.
	freezeLimit    = 10 * time.Second
	freezeInterval = 50 * time.Millisecond
)

// persist freezes a container of an engine that gives up at once. Under
// cgroup v1 a container in which processes are being started, by a health
// check for instance, may not come to rest; the engine then lets it go on and
// says that it was unable to. Other errors are given at once.
func persist(ctx context.Context, freeze func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, freezeLimit)
	defer cancel()
	ticker := time.NewTicker(freezeInterval)
	defer ticker.Stop()
	for {
		err := freeze(ctx)
		if err == nil || !strings.Contains(err.Error(), "unable to freeze") {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-ticker.C:
		}
	}
}
