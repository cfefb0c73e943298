package conformance

import (
	"net/netip"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func TestHBARuleReach(t *testing.T) {
	for name, row := range map[string]struct {
		address, netmask string
		withinHost       bool
		bits             int // of the prefix, -1 for none
	}{
		"IPv4 loopback":         {"127.0.0.1", "255.255.255.255", true, 32},
		"IPv4 loopback network": {"127.0.0.0", "255.0.0.0", true, 8},
		"wider than loopback":   {"127.0.0.0", "254.0.0.0", false, 7},
		"everything":            {"0.0.0.0", "0.0.0.0", false, 0},
		"one other host":        {"10.0.0.7", "255.255.255.255", false, 32},
		"IPv6 loopback":         {"::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true, 128},
		"IPv6 beyond loopback":  {"::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff0", false, 124},
		"IPv6 everything":       {"::", "::", false, 0},
		"own addresses":         {"samehost", "", true, -1},
		"own networks":          {"samenet", "", false, -1},
		"all":                   {"all", "", false, -1},
		"a name":                {"standby.example", "", false, -1},
	} {
		t.Run(name, func(t *testing.T) {
			rule := hbaRule{Type: "host", Address: row.address, Netmask: row.netmask}
			require.Equal(t, row.withinHost, rule.withinHost())
			prefix, ok := rule.prefix()
			require.Equal(t, row.bits >= 0, ok)
			if ok {
				require.Equal(t, row.bits, prefix.Bits())
			}
		})
	}
}

func TestHBARuleKind(t *testing.T) {
	require.True(t, hbaRule{Type: "hostssl"}.overNetwork())
	require.False(t, hbaRule{Type: "local"}.overNetwork())
	require.True(t, hbaRule{Database: []string{"all", "replication"}}.replication())
	require.False(t, hbaRule{Database: []string{"all"}}.replication())
}

func TestAdmitStandby(t *testing.T) {
	const host, all = "255.255.255.255", "0.0.0.0"
	byInitdb := []hbaRule{
		{Type: "local", Database: []string{"replication"}, Method: "trust"},
		{Type: "host", Database: []string{"replication"}, Address: "127.0.0.1", Netmask: host, Method: "trust"},
		{Type: "host", Database: []string{"all"}, Address: "all", Method: "scram-sha-256"},
	}
	remote := func(address, netmask, method string) []hbaRule {
		return append(slices.Clone(byInitdb), hbaRule{Type: "host", Database: []string{"replication"}, Address: address, Netmask: netmask, Method: method})
	}
	here, away := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("172.18.0.3")
	bySocket, byLoopback, byNetwork := pair.WALSender{}, pair.WALSender{ClientAddress: &here}, pair.WALSender{ClientAddress: &away}
	for name, test := range map[string]struct {
		rules   []hbaRule
		senders []pair.WALSender
		admits  bool
	}{
		"what initdb writes, for one from elsewhere":     {byInitdb, []pair.WALSender{bySocket, byNetwork}, false},
		"what initdb writes, for the host's own":         {byInitdb, []pair.WALSender{bySocket, byLoopback}, true},
		"what initdb writes, and nobody streams":         {byInitdb, nil, true},
		"a line for the network":                         {remote("172.18.0.0", "255.255.0.0", "scram-sha-256"), []pair.WALSender{byNetwork}, true},
		"a line for everybody":                           {remote("0.0.0.0", all, "md5"), []pair.WALSender{byNetwork}, true},
		"a line for the host's addresses on the network": {remote("samehost", "", "md5"), []pair.WALSender{byNetwork}, true},
		"a line that rejects":                            {remote("0.0.0.0", all, "reject"), []pair.WALSender{byNetwork}, false},
		"no line for replication":                        {byInitdb[2:], []pair.WALSender{bySocket}, false},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.admits, admitStandby(test.rules, fromElsewhere(test.senders)))
		})
	}
}

func TestWithoutLines(t *testing.T) {
	content := []byte("one\ntwo\n\nfour")
	require.Equal(t, "one\n# two\n\n# four", string(withoutLines(content, []int32{2, 4})))
	require.Equal(t, string(content), string(withoutLines(content, nil)))
}

func TestUnmaskedPassword(t *testing.T) {
	for connection, want := range map[string]string{
		"user=replicator password=******** host=primary": "",
		"user=replicator password='********'":            "",
		"user=replicator host=primary":                   "",
		"user=replicator password=secret host=primary":   "secret",
		`password='se\'cret' host=primary`:               `'se\'cret'`,
		"passfile='/root/.pgpass' password=":             "",
	} {
		require.Equal(t, want, unmaskedPassword(connection), connection)
	}
}

func TestLineWith(t *testing.T) {
	text := "first\nsecond word\nthird word"
	require.Equal(t, 2, lineWith(text, regexp.MustCompile("word")))
	require.Equal(t, 1, lineWith(text, regexp.MustCompile("first")))
	require.Zero(t, lineWith(text, regexp.MustCompile("absent")))
}

func TestLeakIsAPasswordGivenAsOne(t *testing.T) {
	for text, secret := range map[string]string{
		`CREATE USER replicator ENCRYPTED PASSWORD 'secret';`:                 "secret",
		`ALTER ROLE a PASSWORD E'it\'s'`:                                      `it\'s`,
		`"user=replicator password=secret host=primary"`:                      "secret",
		`SET primary_conninfo = 'password=''secret'''`:                        "secret",
		"+ PGPASSWORD=secret pg_basebackup":                                   "secret",
		"REPL_PWD=secret postgres":                                            "secret",
		`{"password": "se.ret"}`:                                              "se.ret",
		"pg_basebackup --dbname=postgres://replicator:secret@primary/":        "secret",
		"bash -c \"echo 'primary:5432:*:replicator:secret' > /root/.pgpass\"": "secret",
		`CREATE ROLE password PASSWORD 'password'`:                            "password",
	} {
		require.Regexp(t, leakOf(secret), text)
	}
	for text, secret := range map[string]string{
		`FATAL:  password authentication failed for user "password"`:                         "password",
		`DETAIL:  Connection matched pg_hba.conf line 100: "host all all all scram-sha-256"`: "all",
		`LOG:  listening on Unix socket "/var/run/postgresql/.s.PGSQL.5432"`:                 "postgres",
		"pg_basebackup -U replicator -h primary":                                             "replicator",
		`pg_basebackup --dbname="user=replicator password=other"`:                            "replicator",
		"postgres://postgres@primary:5432/":                                                  "postgres",
		`CREATE USER replicator PASSWORD 'secrets'`:                                          "secret",
		"POSTGRES_PASSWORD_FILE=/run/secrets/password":                                       "password",
		"PASSWORD=seXret": "se.ret",
	} {
		require.NotRegexp(t, leakOf(secret), text)
	}
}
