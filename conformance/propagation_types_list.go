package conformance

import "strings"

// typeSamples lists the types that a column can have and values at their edges.
//
// Missing are those whose values nobody can write: gtsvector, pg_node_tree,
// pg_ndistinct, pg_dependencies, pg_mcv_list and the summaries of BRIN indexes.
func typeSamples() []typeSample {
	long := strings.Repeat("abcdefgh", 2000)
	return []typeSample{
		// Numbers.
		{sqlType: "boolean", values: []string{"true", "false"}},
		{sqlType: "smallint", values: []string{"-32768", "0", "32767"}},
		{sqlType: "integer", values: []string{"-2147483648", "0", "2147483647"}},
		{sqlType: "bigint", values: []string{"-9223372036854775808", "0", "9223372036854775807"}},
		{sqlType: "real", values: []string{"NaN", "Infinity", "-Infinity", "-0", "1e-45", "3.4028235e38", "0.1"}},
		{sqlType: "double precision", values: []string{"NaN", "Infinity", "-Infinity", "-0", "5e-324", "1.7976931348623157e308", "0.1"}},
		{sqlType: "numeric", values: []string{
			"NaN", "0", "-0.000", "1e-1000", "123456789012345678901234567890.123456789",
			strings.Repeat("9", 5000) + "." + strings.Repeat("1", 5000),
		}},
		{sqlType: "numeric", values: []string{"Infinity", "-Infinity"}, optional: true},
		{sqlType: "numeric(10, 2)", values: []string{"-99999999.99", "99999999.99", "0.005"}},
		{sqlType: "money", values: []string{"-92233720368547758.08", "92233720368547758.07", "0"}},
		{sqlType: "oid", values: []string{"0", "4294967295"}},

		// Text and bytes.
		{sqlType: "text", values: []string{"", " ", "quote ' \\ \t \n", "naïve Ü ß", long}},
		{sqlType: "text", values: []string{"日本語 𝄞 e\u0301 \u202e", "🐘"}, optional: true},
		{sqlType: "varchar(10)", values: []string{"", "0123456789"}},
		{sqlType: "char(10)", values: []string{"", "padded", "0123456789"}},
		{sqlType: "bpchar", values: []string{"no length  ", "x"}},
		{sqlType: "name", values: []string{"", strings.Repeat("n", 63)}},
		{sqlType: `"char"`, values: []string{"", "x"}},
		{sqlType: "bytea", values: []string{`\x`, `\x00`, `\x00ff00`, `\x` + strings.Repeat("00ff", 4000)}},
		{sqlType: "bit(3)", values: []string{"000", "101"}},
		{sqlType: "bit varying", values: []string{"", "1", strings.Repeat("10", 100)}},
		{sqlType: "uuid", values: []string{"00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"}},

		// Times.
		{sqlType: "date", values: []string{"4713-01-01 BC", "5874897-12-31", "infinity", "-infinity", "2000-02-29"}},
		{sqlType: "time", values: []string{"00:00", "23:59:59.999999", "24:00"}},
		{sqlType: "time with time zone", values: []string{"00:00+15:59:59", "24:00-15:59:59"}},
		{sqlType: "timestamp", values: []string{"4713-01-01 00:00 BC", "294276-12-31 23:59:59.999999", "infinity", "-infinity", "1999-12-31 23:59:59.999999"}},
		{sqlType: "timestamp with time zone", values: []string{"4713-01-01 00:00+00 BC", "294276-12-31 23:59:59.999999+00", "infinity", "-infinity"}},
		{sqlType: "timestamp(0)", values: []string{"2001-02-03 04:05:06.7"}},
		{sqlType: "interval", values: []string{"178000000 years", "-178000000 years", "0", "1 mon -1 day 00:00:00.000001", "-1 year 2 mons -3 days"}},
		{sqlType: "interval", values: []string{"infinity", "-infinity"}, optional: true},
		{sqlType: "interval day to second(3)", values: []string{"1 12:59:10.1239"}},

		// Geometry and networks.
		{sqlType: "point", values: []string{"(0,0)", "(NaN,Infinity)", "(-1e300,5e-324)"}},
		{sqlType: "line", values: []string{"{1,-1,0}", "{0,-1,3}"}},
		{sqlType: "lseg", values: []string{"[(0,0),(1,1)]"}},
		{sqlType: "box", values: []string{"(1,1),(0,0)", "(Infinity,Infinity),(-Infinity,-Infinity)"}},
		{sqlType: "path", values: []string{"[(0,0),(1,1),(2,0)]", "((0,0),(1,1),(2,0))"}},
		{sqlType: "polygon", values: []string{"((0,0),(1,1),(2,0))"}},
		{sqlType: "circle", values: []string{"<(0,0),0>", "<(1,-1),1e300>"}},
		{sqlType: "inet", values: []string{"0.0.0.0", "255.255.255.255", "10.1.2.3/8", "::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", "::ffff:1.2.3.4"}},
		{sqlType: "cidr", values: []string{"0.0.0.0/0", "10.0.0.0/8", "2001:db8::/32"}},
		{sqlType: "macaddr", values: []string{"00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"}},
		{sqlType: "macaddr8", values: []string{"00:00:00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff:ff:ff"}},

		// Documents and search.
		{sqlType: "json", values: []string{"null", ` {"b" : 1, "a":2, "a":3} `, `[]`, `"\u0041 \\ é"`}},
		{sqlType: "jsonb", values: []string{
			"null", `{"b": 1, "a": [null, true, 1.50, {"deep": {}}], "": ""}`, `[]`, `-1e100`, `"é"`,
			`{"long": "` + long + `"}`,
		}},
		{sqlType: "jsonpath", values: []string{"$", `strict $."a"[*] ? (@ > 1 && @.b == "x")`}},
		{sqlType: "xml", values: []string{`<a b="c">&amp;<!-- d --></a>`, "text only"}, optional: true},
		{sqlType: "tsvector", values: []string{"", "'a':1A,2B,16383C 'b'", "'quote '' and \\\\'"}},
		{sqlType: "tsquery", values: []string{"", "'a' & !('b' | 'c':*AB) <-> 'd' <3> 'e'"}},

		// Ranges and multiranges.
		{sqlType: "int4range", values: []string{"empty", "(,)", "[-2147483648,2147483646]", "(1,5]"}},
		{sqlType: "int8range", values: []string{"empty", "(,)", "[-9223372036854775808,1)"}},
		{sqlType: "numrange", values: []string{"empty", "(,)", "[NaN,NaN]", "(1.10,1.1000001)"}},
		{sqlType: "daterange", values: []string{"empty", "(,)", "[-infinity,infinity]", "[2000-01-01,2000-01-02)"}},
		{sqlType: "tsrange", values: []string{"empty", "(,)", "[2000-01-01,infinity]"}},
		{sqlType: "tstzrange", values: []string{"empty", "(,)", "[2000-01-01 00:00+00,infinity]"}},
		{sqlType: "int4multirange", values: []string{"{}", "{(,)}", "{[1,2),[5,9)}"}, optional: true},
		{sqlType: "int8multirange", values: []string{"{}", "{(,)}", "{[1,2),[5,9)}"}, optional: true},
		{sqlType: "nummultirange", values: []string{"{}", "{(,)}", "{[1.5,2),(5,NaN]}"}, optional: true},
		{sqlType: "datemultirange", values: []string{"{}", "{[2000-01-01,2000-02-01),[2001-01-01,)}"}, optional: true},
		{sqlType: "tsmultirange", values: []string{"{}", "{[2000-01-01,2000-02-01),[2001-01-01,)}"}, optional: true},
		{sqlType: "tstzmultirange", values: []string{"{}", "{[2000-01-01 00:00+00,infinity]}"}, optional: true},

		// Arrays, and types of the check's own.
		{sqlType: "integer[]", values: []string{"{}", "{NULL}", "{{1,2},{3,NULL}}", "[-1:1]={1,2,3}", "[0:0][5:6]={{1,2}}"}},
		{sqlType: "text[]", values: []string{`{"",NULL,"NULL","quote \" comma , brace }"}`, `{{{{{{deep}}}}}}`, "{" + long + "}"}},
		{sqlType: "jsonb[]", values: []string{`{"{\"a\": 1}",NULL}`}},
		{sqlType: "timestamptz[]", values: []string{"{infinity,NULL,\"2000-01-01 00:00:00+00\"}"}},
		{sqlType: "own_enum", values: []string{"first", "Ünïted"}},
		{sqlType: "own_enum[]", values: []string{"{second,NULL}"}},
		{sqlType: "own_pair", values: []string{"(,)", `(1,"a ""quoted"" note")`}},
		{sqlType: "own_pair[]", values: []string{`{"(1,one)",NULL,"(,)"}`}},
		{sqlType: "own_domain", values: []string{"0.01", "9999.99"}},
		{sqlType: "own_range", values: []string{"empty", "[-Infinity,NaN]"}},

		// What the catalogs are made of.
		{sqlType: "pg_lsn", values: []string{"0/0", "FFFFFFFF/FFFFFFFF"}},
		{sqlType: "xid", values: []string{"0", "4294967295"}},
		{sqlType: "xid8", values: []string{"0", "18446744073709551615"}},
		{sqlType: "cid", values: []string{"0", "4294967295"}},
		{sqlType: "tid", values: []string{"(0,0)", "(4294967295,65535)"}},
		{sqlType: "pg_snapshot", values: []string{"1:1:", "10:20:10,14,15"}},
		{sqlType: "txid_snapshot", values: []string{"1:1:", "10:20:10,14,15"}},
		{sqlType: "int2vector", values: []string{"", "-32768 32767"}},
		{sqlType: "oidvector", values: []string{"", "0 4294967295"}},
		{sqlType: "refcursor", values: []string{"", "cursor"}},
		{sqlType: "aclitem", values: []string{"=r/pg_monitor", "pg_monitor=rw*/pg_monitor"}, noBinary: true},
		{sqlType: "regproc", values: []string{"-", "now"}},
		{sqlType: "regprocedure", values: []string{"-", "abs(numeric)"}},
		{sqlType: "regoper", values: []string{"0", "||/"}},
		{sqlType: "regoperator", values: []string{"0", "+(integer,integer)"}},
		{sqlType: "regclass", values: []string{"-", "pg_class"}},
		{sqlType: "regtype", values: []string{"-", "timestamp with time zone"}},
		{sqlType: "regrole", values: []string{"-", "pg_monitor"}},
		{sqlType: "regnamespace", values: []string{"-", "pg_catalog"}},
		{sqlType: "regcollation", values: []string{"-", `"C"`}},
		{sqlType: "regconfig", values: []string{"-", "simple"}},
		{sqlType: "regdictionary", values: []string{"-", "simple"}},
	}
}
