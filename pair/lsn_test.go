package pair_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func ExampleParseLSN() {
	older, _ := pair.ParseLSN("0/3000060")
	newer, _ := pair.ParseLSN("1/0")
	fmt.Println(uint64(newer-older), "bytes after", older)
	// Output: 4244635552 bytes after 0/3000060
}

func TestParseLSN(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want pair.LSN
	}{
		"zero":          {"0/0", 0},
		"both halves":   {"16/B374D848", 0x16B374D848},
		"lower case":    {"16/b374d848", 0x16B374D848},
		"the last one":  {"FFFFFFFF/FFFFFFFF", 0xFFFFFFFFFFFFFFFF},
		"leading zeros": {"00000001/00000002", 0x100000002},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := pair.ParseLSN(test.text)
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
	for name, text := range map[string]string{
		"empty": "", "no slash": "16B374D848", "no halves": "/", "a letter": "G/0", "a sign": "-1/0",
		"nine digits": "000000001/0", "two slashes": "0/0/0", "a blank": "0/ 1",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := pair.ParseLSN(text)
			require.ErrorContains(t, err, fmt.Sprintf("parse LSN %q", text))
		})
	}
}

func TestScanLSN(t *testing.T) {
	var lsn pair.LSN
	require.NoError(t, lsn.Scan("0/10"))
	assert.Equal(t, pair.LSN(16), lsn)
	require.NoError(t, lsn.Scan(nil), "NULL")
	assert.Zero(t, lsn)
	require.Error(t, lsn.Scan(16))
}

func FuzzParseLSN(f *testing.F) {
	for _, seed := range []string{"0/0", "16/B374D848", "FFFFFFFF/FFFFFFFF", "/", "0/x", "00000001/00000002"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lsn, err := pair.ParseLSN(text)
		if err != nil {
			return
		}
		again, err := pair.ParseLSN(lsn.String())
		require.NoError(t, err)
		assert.Equal(t, lsn, again, strings.ToUpper(text))
	})
}
