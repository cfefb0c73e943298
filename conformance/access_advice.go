package conformance

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// accessAdvice is good practice that a recipe for a laptop need not follow.
func accessAdvice() []Check {
	return []Check{
		{
			ID:         "access/hba-is-narrow",
			Obligation: "Replication should be open to the replication role only, from an address range of its own, with scram-sha-256.",
			Level:      Should, Source: hbaFile, Needs: Needs{Superuser: true}, ReadsOnly: true, Run: hbaIsNarrow,
		},
		{
			ID:         "access/ports-on-loopback",
			Obligation: "Ports of servers with well-known passwords should be published on loopback only.",
			Level:      Should, Source: "compose specification, ports", Needs: Needs{Operator: true}, Run: portsOnLoopback,
		},
		{
			ID:         "access/no-literal-secrets",
			Obligation: "Passwords should not stand in the environment or the command line of a container.",
			Level:      Should, Source: "compose specification, secrets", Needs: Needs{Operator: true}, Run: noLiteralSecrets,
		},
		{
			ID:         "access/tls",
			Obligation: "The standby should stream over TLS 1.2 or later.",
			Level:      Should, Source: `PostgreSQL documentation, "Secure TCP/IP Connections with SSL"`, Needs: Needs{Statistics: true}, ReadsOnly: true, Run: streamsOverTLS,
		},
	}
}

func hbaIsNarrow(c *C) {
	for _, rule := range c.hbaRules(c.Pair().Primary) {
		if !rule.replication() || !rule.overNetwork() || rule.withinHost() || rule.Method == "reject" {
			continue
		}
		if prefix, ok := rule.prefix(); rule.Address == "all" || ok && prefix.Bits() == 0 {
			c.Errorf("every address may replicate: %v", rule)
		}
		if slices.Contains(rule.User, "all") {
			c.Errorf("every role with REPLICATION may replicate: %v", rule)
		}
		if rule.Method == "md5" || rule.Method == "password" || rule.Method == "trust" {
			c.Errorf("replication is not held to SCRAM: %v", rule)
		}
	}
}

func portsOnLoopback(c *C) {
	for _, node := range c.Pair().Nodes() {
		container, err := c.Operator().Inspect(c.Context(), node.Name())
		c.Harness(err)
		for _, port := range container.Literal {
			address, err := netip.ParseAddr(port.HostAddress)
			if err != nil || !address.IsLoopback() {
				c.Errorf("port %d of %s is published as %q:%d, beyond loopback", port.Port, node.Name(), port.HostAddress, port.HostPort)
			}
		}
	}
}

func noLiteralSecrets(c *C) {
	secret := c.Replicator().Password
	for _, node := range c.Pair().Nodes() {
		container, err := c.Operator().Inspect(c.Context(), node.Name())
		c.Harness(err)
		for name, value := range container.Env {
			// A name that ends in _FILE gives the path of a secret, not the secret.
			if strings.Contains(name, "PASSWORD") && !strings.HasSuffix(name, "_FILE") && value != "" {
				c.Errorf("environment variable %s of %s holds a password", name, node.Name())
			}
		}
		if command := strings.Join(container.Command, " "); secret != "" && leakOf(secret).MatchString(command) {
			c.Errorf("command of %s holds the replication role's password", node.Name())
		}
	}
}

const streamTLSSQL = `SELECT COALESCE((SELECT version FROM pg_stat_ssl WHERE pid = $1 AND ssl), 'none')`

func streamsOverTLS(c *C) {
	for _, standby := range c.Pair().Standbys {
		stream := c.streamTo(standby)
		version, err := pair.One[string](c.Context(), stream.upstream, streamTLSSQL, stream.sender.PID)
		if err != nil {
			c.Fatalf("look up encryption of WAL sender %d: %v", stream.sender.PID, err)
		}
		if version != "TLSv1.2" && version != "TLSv1.3" {
			c.Errorf("%s streams with encryption %s, should be TLSv1.2 or later", standby.Name(), version)
		}
	}
}
