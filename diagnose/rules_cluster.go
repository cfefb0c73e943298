package diagnose

import (
	"strings"
)

// clusterRules are servers that run, but are not of one cluster or not in two roles.
var clusterRules = []rule{ //nolint:gochecknoglobals // a constant list
	{
		id: "backup-failure-ignored", what: "`|| true` after the base backup: the entrypoint initialises a second cluster",
		sees:  "a pg_basebackup error, then initdb's `The files belonging to this database system will be owned by …` in the same log",
		cause: "{server} went on after pg_basebackup had failed, so that the image initialised a second cluster in its empty data directory",
		cure:  "Remove what hides the failure (`|| true`, `;`) and repeat the backup instead: `until pg_basebackup …; do sleep 1; done`. Then remove the volume of {server}.",
		when: func(scene *scene, found *match) bool {
			if len(scene.writers()) < 2 {
				return false
			}
			return anyServer(func(server *Server, found *match) bool {
				for _, line := range server.Log {
					switch {
					case strings.Contains(line.Text, "pg_basebackup: error"):
						found.line.Text = line.Text // only the answers prove it
					case strings.Contains(line.Text, "The files belonging to this database system") && found.line.Text != "":
						return true
					}
				}
				found.line = Line{}
				return false
			})(scene, found)
		},
	},
	{
		id: "no-write-recovery-conf", what: "pg_basebackup without `-R`: the copy starts as a second primary",
		sees:  "both servers answer `pg_is_in_recovery()` with false, with one system identifier",
		cause: "{server} is a copy of {primary} that started without standby.signal, so that it takes writes of its own",
		cure:  "Call pg_basebackup with -R (--write-recovery-conf), and remove the volume of {server}.",
		when: func(scene *scene, found *match) bool {
			writers := scene.writers()
			for i, server := range writers {
				if scene.isStandby(server) && writers[(i+1)%len(writers)] != server && !server.hasOption(writesRecovery) &&
					server.Answer.SystemIdentifier == writers[(i+1)%len(writers)].Answer.SystemIdentifier {
					found.server, found.conclusive = server, true
					found.line.Text = server.Answer.identity()
					return true
				}
			}
			return false
		},
	},
	{
		id: "two-primaries", what: "two servers of which neither is a standby",
		sees:  "both servers answer `pg_is_in_recovery()` with false",
		cause: "{server} and {other} both take writes: {kind}",
		cure:  "Make one a standby: let it start from `pg_basebackup -R --host={primary}` into an empty volume, never from the image's own initialisation.",
		when: func(scene *scene, found *match) bool {
			writers := scene.writers()
			if len(writers) < 2 {
				return false
			}
			first, second := writers[0], writers[1]
			if second == scene.primary() {
				first, second = second, first
			}
			found.server, found.conclusive = second, true
			found.values["other"] = first.Name
			found.values["kind"] = "they are two clusters that know nothing of each other"
			if first.Answer.SystemIdentifier == second.Answer.SystemIdentifier {
				found.values["kind"] = "they are two copies of one cluster, split brain"
			}
			found.line.Text = second.Answer.identity() + "; " + first.Name + ": " + first.Answer.identity()
			return true
		},
	},
	{
		id: "other-cluster", what: "the standby is of another cluster than the primary",
		sees:  "`database system identifier differs between the primary and standby`",
		cause: "the data of {server} are of another cluster than those of {primary}: it was initialised by itself, or a volume is left over",
		cure:  "Remove the volume of {server} (`docker compose down -v` for both) and let it start from a base backup of {primary}.",
		when: func(scene *scene, found *match) bool {
			said := saying{any: []string{"database system identifier differs"}}
			for i := range scene.Servers {
				server := &scene.Servers[i]
				if one, ok := said.find(scene, server); ok {
					*found = one
					found.conclusive = true
					return true
				}
				primary := scene.primary()
				if server.Answer == nil || !server.Answer.InRecovery || primary == nil || primary.Answer == nil ||
					primary.Answer.SystemIdentifier == server.Answer.SystemIdentifier {
					continue
				}
				found.server, found.conclusive = server, true
				found.line.Text = server.Answer.identity() + "; " + primary.Name + ": " + primary.Answer.identity()
				return true
			}
			return false
		},
	},
	{
		id: "no-primary", what: "every server is a standby",
		sees:  "all servers answer `pg_is_in_recovery()` with true",
		cause: "every server is in recovery, so nobody takes writes",
		cure:  "Let one of them start without standby.signal, or promote one: `SELECT pg_promote()`.",
		when: func(scene *scene, found *match) bool {
			for i := range scene.Servers {
				server := &scene.Servers[i]
				if server.Answer == nil || !server.Answer.InRecovery {
					return false
				}
				found.server = server
				found.line.Text = server.Answer.identity()
			}
			found.conclusive = found.server != nil && len(scene.Others) == 0
			return found.server != nil
		},
	},
	{
		id: "no-primary-conninfo", what: "standby.signal without `primary_conninfo`",
		sees:  "the standby answers, but has no WAL receiver and an empty `primary_conninfo`",
		cause: "{server} is in recovery, but nothing tells it which primary to follow",
		cure:  "Let pg_basebackup -R write primary_conninfo, or set it: `ALTER SYSTEM SET primary_conninfo = 'host={primary} user=…'`, then `SELECT pg_reload_conf()`.",
		when: func(scene *scene, found *match) bool {
			if !scene.primaryAnswers() {
				return false
			}
			return anyServer(func(server *Server, found *match) bool {
				answer := server.Answer
				// Before version 12 it was no setting.
				if answer == nil || !answer.InRecovery || answer.Version < 120000 || answer.ConnectionInfo != "" || answer.Receiver != "" {
					return false
				}
				found.line.Text = answer.replication()
				return true
			})(scene, found)
		},
	},
	{
		id: "timeline-diverged", what: "the standby's data are ahead of the primary's",
		sees:  "`highest timeline … is behind recovery timeline`, `requested starting point … is not in this server's history`",
		cause: "{server} has WAL that {primary} lacks: it was a primary itself, or {primary} was restored from an older state",
		cure:  "Remove the volume of {server} and clone it anew, or run pg_rewind.",
		log:   saying{any: []string{"is behind recovery timeline", "not in this server's history", "is not a child of this server's history", "is ahead of the WAL flush position"}},
	},
}

// writers are the servers that take writes.
func (s *scene) writers() []*Server {
	var found []*Server
	for i := range s.Servers {
		if s.Servers[i].takesWrites() {
			found = append(found, &s.Servers[i])
		}
	}
	return found
}
