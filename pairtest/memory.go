package pairtest

import (
	"context"
	"errors"
	"fmt"

	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// errBuilt says that data in memory lack the template that they begin with.
var errBuilt = errors.New("keep data in memory: there is no template where the compose files build an image")

// pullFor starts a pair once, so that the engine has its images, and gives the
// key of its template.
func pullFor(ctx context.Context, engine *stack.Engine, chosen config, options stack.Options) (key string, err error) {
	model, err := chosen.stack().Load(ctx)
	if err != nil {
		return "", err
	}
	if len(model.Mounted()) == 0 {
		return "", fmt.Errorf("keep data in memory: %w", stack.ErrNoVolume)
	}
	for _, service := range model.Services {
		if service.Built {
			return "", fmt.Errorf("%w: %s", errBuilt, service.Name)
		}
	}
	first, err := startNew(ctx, engine, chosen, options)
	if err != nil {
		return "", err
	}
	if err := first.stop(ctx); err != nil {
		return "", err
	}
	if key, err = templateKey(ctx, engine, chosen); err == nil && key == "" {
		err = errors.New("keep data in memory: there is no template while the engine lacks an image of the compose files")
	}
	return key, err
}

// inMemory names the volumes that go into memory: all that a template fills.
func inMemory(ctx context.Context, chosen config) (map[string]stack.LimitedVolume, error) {
	if chosen.Memory == 0 {
		return nil, nil
	}
	model, err := chosen.stack().Load(ctx)
	if err != nil {
		return nil, err
	}
	limited := map[string]stack.LimitedVolume{}
	for _, name := range model.Mounted() {
		limited[name] = stack.LimitedVolume{Bytes: chosen.Memory}
	}
	return limited, nil
}
