package conformance

import "fmt"

const (
	verifiedTableSQL = `
CREATE TABLE verified (id int PRIMARY KEY, word text UNIQUE);
INSERT INTO verified SELECT i, md5(i::text) FROM generate_series(1, 5000) AS i;
DELETE FROM verified WHERE id % 3 = 0;
INSERT INTO verified SELECT i, md5(i::text) FROM generate_series(5001, 6000) AS i`

	verifyIndexesSQL = `
SELECT indexrelid::regclass || ' ' || COALESCE(%s.bt_index_check(indexrelid, true)::text, 'ok')
  FROM pg_index WHERE indrelid = 'verified'::regclass
 ORDER BY 1`
)

// indexesVerify has amcheck compare the structure of indexes, and that every
// row has its entry.
func indexesVerify(c *C) {
	primary := c.writer()
	schema := c.useExtension("amcheck")
	primary.Do(verifiedTableSQL)
	c.wantSame("verification of B-tree indexes", []string{"verified_pkey ", "verified_word_key "},
		fmt.Sprintf(verifyIndexesSQL, schema))
}
