package attach

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// FuzzConnectionString puts a password anywhere into a text: what cannot be
// read as a connection string is refused without a word of it.
func FuzzConnectionString(f *testing.F) {
	const planted = "Pl4nted"
	for _, seed := range [][2]string{
		{"postgres://u:", "@h:5432/d"},
		{"postgres://u:", "/x@h:5432/d"},
		{"postgres://u:", "#x@h/d"},
		{"postgres://u:", "%zz@h/d"},
		{"postgresql://", "@h/d?sslmode=nonsense"},
		{"host=h password=", " user=u"},
		{"host=h password='", " user=u"},
		{"host=h port=", ""},
		{"host=h connect_timeout=", ""},
		{"postgres://u@h:", "/d"},
		{"", ""},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		config, err := parse(before + planted + after)
		if err != nil {
			assert.NotContains(t, strings.ToLower(err.Error()), strings.ToLower(planted))
			return
		}
		assert.NotEmpty(t, config.Host)
	})
}
