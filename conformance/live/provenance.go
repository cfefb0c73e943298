package live

import (
	"context"
	"strings"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// titleLabel is where an image says what it is.
//
// Source: OCI image specification, "Pre-Defined Annotation Keys".
const titleLabel = "org.opencontainers.image.title"

// provenance tells what was really run: engine, images, server versions.
func (o *operator) provenance(ctx context.Context) ([]conformance.Fact, error) {
	engine, err := o.engine.Provenance(ctx)
	if err != nil {
		return nil, err
	}
	facts := []conformance.Fact{{Name: "engine", Value: engine}}
	for _, node := range o.target.Pair.Nodes() {
		state, err := o.stack().Inspect(ctx, node.Name())
		if err != nil {
			return nil, err
		}
		identity, err := node.Identity(ctx)
		if err != nil {
			return nil, err
		}
		role := "primary"
		if identity.InRecovery {
			role = "standby"
		}
		facts = append(facts,
			conformance.Fact{Name: role + "." + node.Name(), Value: "PostgreSQL " + identity.Version},
			conformance.Fact{Name: "image." + node.Name(), Value: image(state)},
		)
	}
	return facts, nil
}

// image names a container's image and, where it says so, that it is a stand-in.
func image(state stack.Container) string {
	id := strings.TrimPrefix(state.ImageID, "sha256:")
	text := state.Image + " (" + id[:min(12, len(id))] + ")"
	if title := state.Labels[titleLabel]; title != "" {
		text += ": " + title
	}
	return text
}
