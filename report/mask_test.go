package report_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/report"
)

// planted is a password that can be recognised.
const planted = "S3CR3T"

// leaks are the forms in which text gives a password away.
var leaks = map[string]string{
	"URI":                      "postgres://user:S3CR3T@host:5432/db?sslmode=disable",
	"URI, hard password":       "postgresql://user:S3CR3T:p/w@S3CR3T@host/db",
	"URI without user":         "postgres://:S3CR3T@host/db",
	"URI, password as a value": "postgres://host/db?user=u&password=S3CR3T&sslmode=disable",
	"URI in quotes":            `dial "postgres://user:S3CR3T@host/db" failed`,
	"keywords":                 "host=h user=u password=S3CR3T dbname=d",
	"keywords, quoted":         `password='S3CR3T \' S3CR3T' host=h`,
	"keywords, spaces":         "password = S3CR3T",
	"keywords, commas inside":  "password=S3CR3T,S3CR3T;S3CR3T)S3CR3T",
	"quote left open":          "password='S3CR3T",
	"environment":              "POSTGRES_PASSWORD=S3CR3T",
	"environment, YAML list":   `- "POSTGRES_PASSWORD=S3CR3T"`,
	"environment, YAML":        "  POSTGRES_PASSWORD: S3CR3T",
	"environment, JSON":        `{"POSTGRES_PASSWORD":"S3CR3T"}`,
	"JSON in JSON":             `"{\"password\":\"S3CR3T\"}"`,
	"PGPASSWORD":               "PGPASSWORD=S3CR3T pg_basebackup -h primary",
	"SSL key":                  "sslpassword=S3CR3T",
	"statement":                "ALTER ROLE r PASSWORD 'S3CR3T'",
	"statement, quote inside":  "CREATE ROLE r LOGIN ENCRYPTED PASSWORD 'S3CR3T''S3CR3T'",
	"primary_conninfo":         "primary_conninfo = 'user=replicator password=S3CR3T host=postgres_master'",
	"upper case":               "PASSWORD=S3CR3T",
	"token":                    "token: S3CR3T",
	"short":                    "pass=S3CR3T",
	"short, environment":       "REPL_PASS=S3CR3T",
	"short, YAML":              "  DB_PASS: S3CR3T",
	"short, JSON":              `{"DB_PASS": "S3CR3T"}`,
	"shorter":                  "pwd=S3CR3T",
	"shorter, YAML":            `DB_PWD: "S3CR3T"`,
}

func TestMask(t *testing.T) {
	for name, text := range leaks {
		t.Run(name, func(t *testing.T) {
			hidden := report.Mask(text)
			assert.NotContains(t, hidden, planted)
			assert.Contains(t, hidden, "***")
			assert.Equal(t, hidden, report.Mask(hidden), "masking twice is masking once")
		})
	}
}

// What is no secret stays.
func TestMaskLeavesTheRest(t *testing.T) {
	for _, text := range []string{
		"FATAL:  password authentication failed for user \"replicator\"",
		"password_encryption = scram-sha-256",
		"https://www.postgresql.org/docs/15/runtime-config.html",
		"127.0.0.1:32768",
		"slot replication_slot at 0/5A3F2C8",
		"postgres://user@host:5432/db",
		"pass: The standby must replay WAL.",
		"3 pass, 1 fail",
	} {
		assert.Equal(t, text, report.Mask(text))
	}
	assert.Equal(t, "postgres://user:***@host:5432/db?sslmode=disable", report.Mask(leaks["URI"]))
	assert.Equal(t, "host=h user=u password=*** dbname=d", report.Mask(leaks["keywords"]))
}

// Passwords anywhere in a stream reach no format, nor the recorded events.
func TestNoFormatHoldsAPassword(t *testing.T) {
	for name, leak := range leaks {
		t.Run(name, func(t *testing.T) {
			results := everywhere(leak).Results()
			for format, write := range formats {
				var out strings.Builder
				require.NoError(t, write(&out, results))
				hides(t, out.String(), planted, format)
			}
			line, err := json.Marshal(report.Event{Action: "output", Package: "p", Test: "T", Output: leak, Value: leak})
			require.NoError(t, err)
			assert.NotContains(t, string(report.MaskLine(line)), planted)
			assert.NotContains(t, string(report.MaskLine([]byte(leak))), planted, "a line that is no event")
			event, err := report.ParseEvent(line)
			require.NoError(t, err)
			assert.NotContains(t, event.Output+event.Value, planted)
			var shown strings.Builder
			progress := report.NewProgress(&shown, false, 0)
			require.NoError(t, progress.Add(event))
			assert.NotContains(t, shown.String(), planted, "progress")
		})
	}
}

func TestMaskLineLeavesEventsAsTheyAre(t *testing.T) {
	line := []byte(`{"Time":"2026-01-02T03:04:05Z","Action":"output","Package":"p","New":1.50,"Output":"a\u003cb\n"}`)
	assert.Equal(t, string(line), string(report.MaskLine(line)))
}
