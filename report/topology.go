package report

// branch is a server and the standbys that it sends WAL to.
type branch struct {
	Node
	Link  *Link // by which WAL comes in; nil at a root
	Below []*branch
}

// Tree arranges the servers by who sends WAL to whom. A server that nobody
// sends to is a root, so that a standby that lost its primary, and a second
// primary, stand apart. Each server appears once.
func (t *Topology) Tree() []*branch { //nolint:revive // for the page's template
	placed := map[string]bool{}
	receives := map[string]bool{}
	for _, link := range t.Links {
		if t.node(link.From) != nil && link.From != link.To {
			receives[link.To] = true
		}
	}
	var roots []*branch
	for _, wanted := range [...]bool{false, true} { // at last those in a circle, which have no root
		for _, node := range t.Nodes {
			if receives[node.Name] == wanted && !placed[node.Name] {
				roots = append(roots, t.grow(node, nil, placed))
			}
		}
	}
	return roots
}

func (t *Topology) grow(node Node, link *Link, placed map[string]bool) *branch {
	placed[node.Name] = true
	grown := &branch{Node: node, Link: link}
	for i := range t.Links {
		below := t.node(t.Links[i].To)
		if t.Links[i].From == node.Name && below != nil && !placed[below.Name] {
			grown.Below = append(grown.Below, t.grow(*below, &t.Links[i], placed))
		}
	}
	return grown
}

func (t *Topology) node(name string) *Node {
	for i := range t.Nodes {
		if t.Nodes[i].Name == name {
			return &t.Nodes[i]
		}
	}
	return nil
}
