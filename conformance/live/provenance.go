package live

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/pair"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// titleLabel is where an image says what it is.
//
// Source: OCI image specification, "Pre-Defined Annotation Keys".
const titleLabel = "org.opencontainers.image.title"

// provenance tells what was really run: engine, images, server versions, and
// who streams to whom.
func (c *crew) provenance(ctx context.Context) ([]conformance.Fact, conformance.Topology, error) {
	var topology conformance.Topology
	engine, err := c.engine.Provenance(ctx)
	if err != nil {
		return nil, topology, err
	}
	facts := []conformance.Fact{{Name: "engine", Value: engine}, {Name: "project", Value: c.at().Name()}}
	for _, node := range c.target.Pair.Nodes() {
		found, err := c.topologyNode(ctx, node)
		if err != nil {
			return nil, topology, err
		}
		topology.Nodes = append(topology.Nodes, found)
		facts = append(facts,
			conformance.Fact{Name: found.Role + "." + found.Name, Value: "PostgreSQL " + found.Version},
			conformance.Fact{Name: "image." + found.Name, Value: found.Image},
		)
	}
	for _, standby := range c.target.Pair.Standbys {
		receiver, ok, err := standby.WALReceiver(ctx)
		if err != nil {
			return nil, topology, err
		}
		if ok {
			upstream, _, err := c.target.Pair.Upstream(ctx, standby, receiver)
			if err != nil {
				return nil, topology, err
			}
			if upstream == nil {
				upstream = c.target.Pair.Primary // its WAL sender has just gone: the receiver will ask again
			}
			topology.Links = append(topology.Links, conformance.TopologyLink{
				From: upstream.Name(), To: standby.Name(), Slot: receiver.SlotName, State: receiver.Status,
			})
		}
	}
	return facts, topology, nil
}

// changed names each change of its own, for a report has one fact of a name; in
// the order of the alphabet, which is the report's, they are in their own.
func changed(changes []string) []conformance.Fact {
	var facts []conformance.Fact
	for i, change := range changes {
		width := len(strconv.Itoa(len(changes)))
		facts = append(facts, conformance.Fact{Name: fmt.Sprintf("changed.%0*d", width, i+1), Value: change})
	}
	return facts
}

func (c *crew) topologyNode(ctx context.Context, node *pair.Node) (conformance.TopologyNode, error) {
	found := conformance.TopologyNode{Name: node.Name(), Role: "primary"}
	state, err := c.at().Inspect(ctx, node.Name())
	if err != nil {
		return found, err
	}
	identity, err := node.Identity(ctx)
	if err != nil {
		return found, err
	}
	if identity.InRecovery {
		found.Role = "standby"
	}
	found.Version, found.Image = identity.Version, image(state)
	for _, port := range state.Ports {
		found.Ports = append(found.Ports, net.JoinHostPort(port.Address, strconv.Itoa(int(port.Port))))
	}
	return found, nil
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
