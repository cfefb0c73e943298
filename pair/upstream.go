package pair

import (
	"context"
	"fmt"
	"regexp"
	"slices"
)

// Upstream gives the node that a standby streams from, and the WAL sender there
// that serves it: the primary's, or another standby's where the standby is a
// cascading one. The sender is nil when no node has one.
// Errors: ErrNotVisible, or what a server said.
//
// Source: PostgreSQL documentation, "Cascading Replication".
func (p *Pair) Upstream(ctx context.Context, standby *Node, receiver WALReceiver) (*Node, *WALSender, error) {
	nodes := slices.DeleteFunc(p.Nodes(), func(node *Node) bool { return node == standby })
	// Nodes are often named as their standbys know them: ask that one first.
	slices.SortStableFunc(nodes, func(a, b *Node) int { return named(b, receiver) - named(a, receiver) })
	var hidden error
	for _, node := range nodes {
		senders, err := node.WALSenders(ctx)
		if err != nil {
			return nil, nil, err
		}
		if sender := FindStandby(senders, receiver); sender != nil {
			return node, sender, nil
		}
		if slices.ContainsFunc(senders, func(sender WALSender) bool { return sender.State == "" }) {
			hidden = fmt.Errorf("look at WAL senders of %s: %w", node.name, ErrNotVisible)
		}
	}
	return nil, nil, hidden
}

// SortStandbys puts standbys that stream from the primary itself before
// cascading ones. It changes the pair: nobody else may use it meanwhile.
func (p *Pair) SortStandbys(ctx context.Context) error {
	var direct, cascading []*Node
	for _, standby := range p.Standbys {
		receiver, _, err := standby.WALReceiver(ctx)
		if err != nil {
			return err
		}
		upstream, _, err := p.Upstream(ctx, standby, receiver)
		if err != nil {
			return err
		}
		if upstream == nil || upstream == p.Primary {
			direct = append(direct, standby)
		} else {
			cascading = append(cascading, standby)
		}
	}
	p.Standbys = slices.Concat(direct, cascading)
	return nil
}

func named(node *Node, receiver WALReceiver) int {
	if node.name == receiver.SenderHost {
		return 1
	}
	return 0
}

// FindStandby picks the WAL sender that serves a WAL receiver: the one that
// holds the receiver's slot, or, when it uses none, a streaming sender without
// a slot and of the receiver's application_name, which standbys may share. A
// base backup's stream is never taken for a standby's.
func FindStandby(senders []WALSender, receiver WALReceiver) *WALSender {
	name := receiver.applicationName()
	for i, sender := range senders {
		slot := ""
		if sender.SlotName != nil {
			slot = *sender.SlotName
		}
		named := slot != "" || name == "" || sender.ApplicationName == name
		if sender.State == "streaming" && sender.ApplicationName != baseBackupName && slot == receiver.SlotName && named {
			return &senders[i]
		}
	}
	return nil
}

// Values stand there as they are, without quotes.
var (
	givenName    = regexp.MustCompile(`(?:^| )application_name=(.*?)(?: [a-z_]+=|$)`)
	fallbackName = regexp.MustCompile(`(?:^| )fallback_application_name=(.*?)(?: [a-z_]+=|$)`)
	plainName    = regexp.MustCompile(`^[[:print:]]{1,63}$`)
)

// applicationName is what the receiver calls itself to its WAL sender, or ""
// when that cannot be told: servers differ in how they write what is not plain.
//
// Source: libpqrcv_get_conninfo in libpqwalreceiver.c; pg_clean_ascii.
func (r WALReceiver) applicationName() string {
	found := givenName.FindStringSubmatch(r.ConnectionInfo)
	if found == nil {
		found = fallbackName.FindStringSubmatch(r.ConnectionInfo)
	}
	if len(found) > 1 && plainName.MatchString(found[1]) {
		return found[1]
	}
	return ""
}
