package pair_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// What a developer has set for their own servers says nothing of a test's.
func TestParseConfigGoesByTheStringAlone(t *testing.T) {
	folder := t.TempDir()
	passwords := filepath.Join(folder, "passwords")
	require.NoError(t, os.WriteFile(passwords, []byte("*:*:*:*:theirs"), 0o600))
	for name, value := range map[string]string{
		"PGHOST": "theirs", "PGPORT": "1", "PGUSER": "theirs", "PGPASSWORD": "theirs", "PGDATABASE": "theirs", "PGPASSFILE": passwords,
		"PGAPPNAME": "theirs", "PGOPTIONS": "-c work_mem=64kB", "PGTZ": "Asia/Taipei", "PGTARGETSESSIONATTRS": "read-only",
		"PGCONNECT_TIMEOUT": "77", "PGSSLMODE": "verify-full", "PGSSLROOTCERT": filepath.Join(folder, "none"), "PGSSLCERTMODE": "require",
		"PGREQUIREAUTH": "none", "PGCHANNELBINDING": "require", "PGMINPROTOCOLVERSION": "3.2", "PGSSLNEGOTIATION": "direct",
	} {
		t.Setenv(name, value)
	}
	for name, dsn := range map[string]string{
		"URL":                 "postgres://app@db.example:5433/shop?sslmode=disable&search_path=shop",
		"empty password":      "postgres://app:@db.example:5433/shop?sslmode=disable&search_path=shop",
		"keywords and values": "host=db.example port=5433 user=app dbname=shop sslmode=disable search_path=shop",
		"files of elsewhere":  "host=db.example port=5433 user=app dbname=shop sslmode=disable search_path=shop sslrootcert=/none passfile=" + passwords,
	} {
		t.Run(name, func(t *testing.T) {
			config, err := pair.ParseConfig(dsn)
			require.NoError(t, err)
			assert.Equal(t, "db.example", config.Host)
			assert.EqualValues(t, 5433, config.Port)
			assert.Equal(t, "app", config.User)
			assert.Empty(t, config.Password)
			assert.Equal(t, "shop", config.Database)
			assert.Equal(t, map[string]string{"search_path": "shop"}, config.RuntimeParams)
			assert.Nil(t, config.ValidateConnect)
			assert.Zero(t, config.ConnectTimeout.Truncate(time.Second))
			assert.Nil(t, config.TLSConfig)
			assert.Equal(t, "3.0", config.MinProtocolVersion)
			assert.Equal(t, "prefer", config.ChannelBinding)
			assert.Equal(t, "postgres", config.SSLNegotiation)
		})
	}
	config, err := pair.ParseConfig("postgres://app:its%20own@db.example/shop?application_name=its&target_session_attrs=standby")
	require.NoError(t, err)
	assert.Equal(t, "its own", config.Password, "what the string says counts")
	assert.Equal(t, map[string]string{"application_name": "its"}, config.RuntimeParams)
	assert.NotNil(t, config.ValidateConnect)
}

func TestParseConfigNamesAServiceThatIsNotThere(t *testing.T) {
	t.Setenv("PGSERVICE", "of-the-developer")
	t.Setenv("PGSERVICEFILE", filepath.Join(t.TempDir(), "none"))
	_, err := pair.ParseConfig("postgres://app@db.example/shop")
	require.ErrorContains(t, err, `unset PGSERVICE, which is "of-the-developer" here`)
}
