package conformance

import (
	"context"
	"crypto/rand"
	"regexp"
	"strings"
	"time"
)

// accessSecretChecks: where passwords must not show up.
func accessSecretChecks() []Check {
	return []Check{
		{
			ID:         "access/conninfo-masked",
			Obligation: "pg_stat_wal_receiver must not show the password that the standby streams with, even to a superuser.",
			Level:      Must, Source: `PostgreSQL documentation, "Monitoring Database Activity", "pg_stat_wal_receiver"`,
			Needs: Needs{Superuser: true}, ReadsOnly: true, Run: conninfoMasked,
		},
		{
			ID:         "access/conninfo-hidden-from-others",
			Obligation: "Roles that are no superuser must not see how the standby connects to the primary.",
			Level:      Must, Source: `PostgreSQL documentation, "Replication", "Standby Servers"`,
			Needs: Needs{Replicator: true}, ReadsOnly: true, Each: true, Run: conninfoHiddenFromOthers,
		},
		{
			ID:         "access/logs-hold-no-secret",
			Obligation: "The logs of both nodes must hold no password and no SCRAM secret.",
			Level:      Must, Source: `PostgreSQL documentation, "CREATE ROLE"`,
			Needs: Needs{Operator: true, Replicator: true}, Run: logsHoldNoSecret,
		},
	}
}

// shownPassword finds the password in a connection string of keywords and values.
var shownPassword = regexp.MustCompile(`\bpassword=('(?:[^'\\]|\\.)*'|\S*)`)

// unmaskedPassword gives the password that a connection string shows, or "".
func unmaskedPassword(connection string) string {
	for _, match := range shownPassword.FindAllStringSubmatch(connection, -1) {
		if strings.Trim(match[1], "*'") != "" {
			return match[1]
		}
	}
	return ""
}

func conninfoMasked(c *C) {
	for _, standby := range c.Pair().Standbys {
		receiver, ok, err := standby.WALReceiver(c.Context())
		if err != nil || !ok || receiver.ConnectionInfo == "" {
			c.Fatalf("%s shows no connection of its WAL receiver: %+v (error %v)", standby.Name(), receiver, err)
		}
		if unmaskedPassword(receiver.ConnectionInfo) != "" {
			c.Errorf("pg_stat_wal_receiver.conninfo of %s shows a password", standby.Name())
		}
	}
}

const (
	showConninfoSQL    = `SHOW primary_conninfo`
	visibleConninfoSQL = `SELECT count(*) FROM pg_stat_wal_receiver WHERE conninfo IS NOT NULL`
)

func conninfoHiddenFromOthers(c *C) {
	session := c.logInAsReplicator(c.Pair().Standby())
	if Value[bool](session, superuserSQL) {
		c.Skipf("%s is a superuser, who may see it", c.Replicator().Role)
	}
	session.Refuses(mayNot, showConninfoSQL)
	if rows := Value[int](session, visibleConninfoSQL); rows != 0 {
		c.Errorf("%s sees pg_stat_wal_receiver.conninfo on %s", c.Replicator().Role, c.Pair().Standby().Name())
	}
}

func logsHoldNoSecret(c *C) {
	replicator := c.Replicator()
	// A refused login leaves a line with a name that nothing else has: once it
	// is there, the log is the server's and up to date.
	stranger, wrong := c.ScratchName(), rand.Text()
	banned := map[string]*regexp.Regexp{
		"a password that was tried in vain": regexp.MustCompile(wrong),
		"a SCRAM secret":                    regexp.MustCompile(`SCRAM-SHA-256\$`),
	}
	ban := func(role, password string) {
		if password != "" {
			banned["the password of role "+role] = leakOf(password)
		}
	}
	ban(replicator.Role, replicator.Password)
	for _, node := range c.Pair().Nodes() {
		if _, err := c.replicate(node, stranger, wrong); err == nil {
			c.Skipf("%s lets a role in that does not exist", node.Name())
		}
		config, err := node.Config(c.Context())
		if err != nil {
			c.Fatalf("%v", err)
		}
		ban(config.User, config.Password)
		var text string
		c.Eventually("a refused login shows in the log of "+node.Name(), 10*time.Second, func(ctx context.Context) (bool, string, error) {
			text, err = c.Operator().Logs(ctx, node.Name(), time.Time{})
			return strings.Contains(text, stranger), lastLines(text, 3), err
		})
		for what, leak := range banned {
			if line := lineWith(text, leak); line != 0 {
				c.Errorf("line %d of the log of %s holds %s", line, node.Name(), what)
			}
		}
	}
}

// leakOf finds a password where a text gives it as one: in SQL, as a keyword or
// variable, in a URL, in a line of a password file. By itself it may be any
// word: a password such as postgres is also a part of every server's paths.
func leakOf(password string) *regexp.Regexp {
	return regexp.MustCompile(`(?m)(?:(?i:pass\w*|pwd)['"]?\s*(?:[=:]\s*E?['"]*|E?['"]+)|://[^\s:/@]*:|(?:[^:\s]*:){4})` +
		regexp.QuoteMeta(password) + `(?:['"\s@;,)]|$)`)
}

// lineWith gives the number of the first line that a pattern is found in, from 1, or 0.
func lineWith(text string, pattern *regexp.Regexp) int {
	found := pattern.FindStringIndex(text)
	if found == nil {
		return 0
	}
	return 1 + strings.Count(text[:found[0]], "\n")
}

// lastLines is the end of a text.
func lastLines(text string, count int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-count):], "\n")
}
