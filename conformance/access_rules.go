package conformance

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// accessRulesChecks: pg_hba.conf.
func accessRulesChecks() []Check {
	return []Check{
		{
			ID:         "access/hba-rules-parse",
			Obligation: "Every line of pg_hba.conf must be valid on both nodes, and the primary's must let a standby in.",
			Level:      Must, Source: hbaFile, Needs: Needs{Superuser: true}, ReadsOnly: true, Run: hbaRulesParse,
		},
		{
			ID:         "access/hba-trusts-no-network",
			Obligation: "pg_hba.conf must not trust connections from beyond the server's own socket and loopback.",
			Level:      Must, Source: hbaFile, Needs: Needs{Superuser: true}, ReadsOnly: true, Run: hbaTrustsNoNetwork,
		},
		{
			ID:         "access/no-hba-row",
			Obligation: "A replication connection that no line of pg_hba.conf covers must be refused with SQLSTATE 28000; lines for all databases do not cover it.",
			Level:      Must, Source: hbaFile,
			Needs: Needs{Superuser: true, Replicator: true, Exclusive: true}, Disturbs: true, Run: noHBARow,
		},
	}
}

// hbaRule is a line of pg_hba.conf as the file is now, loaded or not.
type hbaRule struct {
	Line     int32    `db:"line_number"`
	Type     string   `db:"type"`
	Database []string `db:"database"`
	User     []string `db:"user_name"`
	Address  string   `db:"address"`
	Netmask  string   `db:"netmask"`
	Method   string   `db:"method"`
	Error    string   `db:"error"`
	Included bool     `db:"included"` // stands in another file, which 16 and later can include
}

const hbaRulesSQL = `
SELECT line_number,
       COALESCE(type, '') AS type,
       COALESCE(database, '{}') AS database,
       COALESCE(user_name, '{}') AS user_name,
       COALESCE(address, '') AS address,
       COALESCE(netmask, '') AS netmask,
       COALESCE(auth_method, '') AS method,
       COALESCE(error, '') AS error,
       COALESCE(to_jsonb(rule) ->> 'file_name' <> current_setting('hba_file'), false) AS included
  FROM pg_hba_file_rules AS rule`

func (r hbaRule) String() string {
	return fmt.Sprintf("line %d: %s %s %s %s %s %s", r.Line, r.Type, strings.Join(r.Database, ","),
		strings.Join(r.User, ","), r.Address, r.Netmask, r.Method)
}

// overNetwork says whether the line speaks of TCP connections.
func (r hbaRule) overNetwork() bool { return strings.HasPrefix(r.Type, "host") }

// replication says whether the line lets physical replication in.
func (r hbaRule) replication() bool { return slices.Contains(r.Database, "replication") }

// withinHost says whether the line covers no address but the server's own.
func (r hbaRule) withinHost() bool {
	prefix, ok := r.prefix()
	if !ok {
		return r.Address == "samehost" || r.Address == "localhost"
	}
	// A mask shorter than that of the loopback network reaches beyond it.
	return prefix.Addr().IsLoopback() && (prefix.Bits() >= 8 && prefix.Addr().Is4() || prefix.Bits() == 128)
}

// prefix is the line's address with its mask; ok is false for names.
func (r hbaRule) prefix() (prefix netip.Prefix, ok bool) {
	address, err := netip.ParseAddr(r.Address)
	if err != nil {
		return netip.Prefix{}, false
	}
	mask, err := netip.ParseAddr(r.Netmask)
	if err != nil {
		return netip.Prefix{}, false
	}
	bits := 0
	for _, octet := range mask.AsSlice() {
		for ; octet&0x80 != 0; octet <<= 1 {
			bits++
		}
	}
	return netip.PrefixFrom(address, bits), true
}

// hbaRules reads the rules of a node's pg_hba.conf, of which there must be some.
func (c *C) hbaRules(node *pair.Node) []hbaRule {
	rules, err := pair.Rows[hbaRule](c.Context(), node, hbaRulesSQL)
	if err != nil {
		c.Fatalf("read pg_hba.conf of %s: %v", node.Name(), err)
	}
	if len(rules) == 0 {
		c.Fatalf("pg_hba.conf of %s has no line", node.Name())
	}
	return rules
}

func hbaRulesParse(c *C) {
	for _, node := range c.Pair().Nodes() {
		for _, rule := range c.hbaRules(node) {
			if rule.Error != "" {
				c.Errorf("pg_hba.conf of %s, line %d: %s", node.Name(), rule.Line, rule.Error)
			}
		}
	}
	if rules := c.hbaRules(c.Pair().Primary); !admitStandby(rules, fromElsewhere(c.senders())) {
		c.Errorf("pg_hba.conf of the primary lets no standby in that comes from where its standbys do: %v", rules)
	}
}

// fromElsewhere says whether a standby reaches the primary over the network.
func fromElsewhere(senders []pair.WALSender) bool {
	return slices.ContainsFunc(senders, func(sender pair.WALSender) bool {
		return sender.ClientAddress != nil && !sender.ClientAddress.IsLoopback()
	})
}

// admitStandby says whether a line lets a standby in. The lines that initdb
// writes do so for the host itself: they are not enough for one from elsewhere.
func admitStandby(rules []hbaRule, fromElsewhere bool) bool {
	return slices.ContainsFunc(rules, func(rule hbaRule) bool {
		beyond := rule.overNetwork() && (!rule.withinHost() || rule.Address == "samehost") // the host has addresses on the network too
		return rule.replication() && rule.Method != "reject" && (beyond || !fromElsewhere)
	})
}

func hbaTrustsNoNetwork(c *C) {
	for _, node := range c.Pair().Nodes() {
		for _, rule := range c.hbaRules(node) {
			if rule.Method == "trust" && rule.overNetwork() && !rule.withinHost() {
				c.Errorf("pg_hba.conf of %s trusts the network: %v", node.Name(), rule)
			}
		}
	}
}
