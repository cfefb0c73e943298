package diagnose

import (
	"regexp"
	"strings"
)

// refusal is what libpq says when the primary refuses a connection: since
// version 14 behind the address, before it alone.
const refusal = `(?:failed|error|server): FATAL:\s+`

// loginRules are a standby that the primary does not let in.
var loginRules = []rule{ //nolint:gochecknoglobals // a constant list
	{
		id: "password-prompt", what: "`-W`: pg_basebackup waits for a password that nobody types",
		sees:  "nothing at all, or `Password:` and `no password supplied`; the container runs",
		cause: "pg_basebackup in {server} is called with -W (--password), so that it asks a terminal at which nobody sits and ignores PGPASSWORD",
		cure:  "Remove -W, say --no-password instead, and give the password by `environment: {PGPASSWORD: …}` or a .pgpass file.",
		when: func(scene *scene, found *match) bool {
			return anyServer(func(server *Server, found *match) bool {
				if !server.hasOption(asksPassword) {
					return false
				}
				if told, ok := asked.find(scene, server); ok && told.conclusive {
					found.line = told.line
					return true
				}
				found.line.Text = "its command calls pg_basebackup with -W, and nothing comes after it"
				return server.Container.Terminal && server.Container.State == "running" && server.Answer == nil && scene.primaryAnswers()
			})(scene, found)
		},
	},
	{
		id: "no-password", what: "the standby gives no password",
		sees:  "`Password:` without end, or `fe_sendauth: no password supplied`",
		cause: "{server} logs in to {primary} without a password, and pg_hba.conf there asks for one",
		cure:  "Give {server} `environment: {PGUSER: …, PGPASSWORD: …}`, or a .pgpass file that only its user may read (mode 0600).",
		log:   asked,
	},
	{
		id: "no-such-role", what: "the role that the standby logs in as does not exist",
		sees:  "`password authentication failed` on the standby, `Role \"…\" does not exist` on the primary",
		cause: "{server} logs in to {primary} as {role}, and {primary} has no such role",
		cure:  "Create it in an init script of {primary}: `CREATE ROLE {role} LOGIN REPLICATION PASSWORD '…';` then `docker compose down -v`, or run it by psql now. Or correct PGUSER/--username of {server}.",
		log: saying{
			standby: true, any: []string{"password authentication failed for user", "does not exist"}, curable: true,
			pattern: regexp.MustCompile(refusal + `(?:password authentication failed for user|role) "(?P<role>[^"]*)"`),
		},
		when: func(scene *scene, found *match) bool {
			missing := `ole "` + found.values["role"] + `" does not exist`
			if strings.Contains(found.line.Text, missing) {
				return true
			}
			for i := range scene.Servers {
				if line := scene.Servers[i].logged(missing); line != nil && &scene.Servers[i] != found.server {
					found.line.Text += "; " + scene.Servers[i].Name + ": " + parse(line.Text).text
					return true
				}
			}
			return false
		},
	},
	{
		id: "role-not-replication", what: "the role has no REPLICATION attribute",
		sees:  "`must be superuser or replication role to start walsender`, `permission denied to start WAL sender`",
		cause: "the role that {server} logs in to {primary} as may not replicate: it lacks the attribute REPLICATION",
		cure:  "On {primary}: `ALTER ROLE … REPLICATION;` and the same in its init script (`CREATE ROLE … LOGIN REPLICATION PASSWORD '…'`).",
		log: saying{
			standby: true, any: []string{"replication role to start walsender", "permission denied to start WAL sender"}, curable: true,
			pattern: regexp.MustCompile(refusal),
		},
	},
	{
		id: "hba-not-loaded", what: "pg_hba.conf was changed to something that cannot be read",
		sees:  "`no pg_hba.conf entry for replication connection`, and an error in `pg_hba_file_rules`",
		cause: "pg_hba.conf of {primary} was not loaded, because it has an error ({error}), so {server} is not let in",
		cure:  "Correct that line of pg_hba.conf, look at `SELECT line_number, error FROM pg_hba_file_rules WHERE error IS NOT NULL`, then `SELECT pg_reload_conf()`.",
		log:   noEntry,
		when: func(scene *scene, found *match) bool {
			primary := scene.primary()
			if primary == nil || primary.Answer == nil || len(primary.Answer.HBAErrors) == 0 {
				return false
			}
			found.values["error"] = primary.Answer.HBAErrors[0]
			return true
		},
	},
	{
		id: "trust", what: "`POSTGRES_HOST_AUTH_METHOD: trust`, and nothing for replication",
		sees:  "`no pg_hba.conf entry for replication connection`, although everybody may log in",
		cause: "POSTGRES_HOST_AUTH_METHOD of {primary} is trust, which makes the line \"host all all all trust\": all databases, but replication is none, so {server} is not let in as {role}",
		cure:  `Use no trust; give replication a line of its own: POSTGRES_HOST_AUTH_METHOD: "scram-sha-256\nhost replication all all scram-sha-256". Then docker compose down -v.`,
		log:   noEntry,
		when: func(scene *scene, _ *match) bool {
			primary := scene.primary()
			return primary != nil && strings.HasPrefix(primary.Environment["POSTGRES_HOST_AUTH_METHOD"], "trust")
		},
	},
	{
		id: "no-hba-line", what: "pg_hba.conf of the primary has no line for replication",
		sees:  "`no pg_hba.conf entry for replication connection from host …`",
		cause: "pg_hba.conf of {primary} lets nobody replicate from {address} as {role}; \"all\" in its database column does not cover replication",
		cure:  `Give {primary} such a line before its first start: POSTGRES_HOST_AUTH_METHOD: "scram-sha-256\nhost replication all all scram-sha-256", then docker compose down -v. Or append it to pg_hba.conf now and SELECT pg_reload_conf().`,
		log:   noEntry,
	},
	{
		id: "wrong-password", what: "the standby has another password than the role",
		sees:  "`password authentication failed for user \"…\"`, again and again",
		cause: "{server} logs in to {primary} as {role} with a password that is not the role's",
		cure:  "Make PGPASSWORD of {server} and the PASSWORD in the init script of {primary} the same. An existing volume keeps the old one: `docker compose down -v`, or `ALTER ROLE {role} PASSWORD '…';` on {primary}.",
		log: saying{
			standby: true, any: []string{"password authentication failed for user"}, curable: true,
			pattern: regexp.MustCompile(refusal + `password authentication failed for user "(?P<role>[^"]*)"`),
		},
	},
	{
		id: "login-refused", what: "`POSTGRES_PASSWORD` of the standby is not the primary's",
		sees:  "the standby runs, but nobody can log in with its service's variables: `password authentication failed`",
		cause: "{server} runs, but refuses {role} with the password that its service names: a copy has the roles and passwords of {primary}",
		cure:  "Give {server} the POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB of {primary}; on an existing volume those of its first start hold.",
		log: saying{
			any: []string{"password authentication failed for user"}, curable: true,
			pattern: regexp.MustCompile(`FATAL:\s+password authentication failed for user "(?P<role>[^"]*)"`),
		},
		// Others may log in wrongly as well, such as a health check: the caller must have been refused.
		when: func(_ *scene, found *match) bool {
			return strings.Contains(found.server.Error, `password authentication failed for user "`+found.values["role"]+`"`)
		},
	},
	{
		id: "tls-required", what: "the standby wants TLS, the primary has none",
		sees:  "`server does not support SSL, but SSL was required`",
		cause: "{server} connects with sslmode=require, and {primary} has no TLS",
		cure:  "Give {primary} `-c ssl=on` with certificate and key, or remove sslmode from {server}.",
		log:   saying{standby: true, any: []string{"server does not support SSL, but SSL was required"}},
	},
	{
		id: "no-wal-senders", what: "`max_wal_senders` is too small",
		sees:  "`number of requested standby connections exceeds max_wal_senders`",
		cause: "{primary} has no WAL sender left for {server}: max_wal_senders is too small (a base backup needs two)",
		cure:  "Give {primary} `-c max_wal_senders=10`, which is the default.",
		log:   saying{standby: true, any: []string{"exceeds max_wal_senders"}, pattern: regexp.MustCompile(refusal)},
		// Several base backups at once need many, for a while.
		when: func(_ *scene, found *match) bool {
			found.conclusive = found.conclusive && strings.Contains(found.line.Text, "(currently 0)")
			return true
		},
	},
}

// asked is a program that wants a password and gets none: at no terminal it
// asks again and again.
var asked = saying{ //nolint:gochecknoglobals // a constant
	standby: true, any: []string{"no password supplied", "Password:"},
	pattern: regexp.MustCompile(`no password supplied|^Password:`),
}

// noEntry is the refusal of a replication connection that no line covers.
var noEntry = saying{ //nolint:gochecknoglobals // a constant
	standby: true, any: []string{"no pg_hba.conf entry for replication connection", "pg_hba.conf rejects replication connection"}, curable: true,
	pattern: regexp.MustCompile(refusal + `.*connection (?:from|for) host "(?P<address>[^"]*)", user "(?P<role>[^"]*)"`),
}
