-- Differentially private fits: what they tell beside what is paid for.
\ir lib/as_role.sql
SELECT plan(83);
SET client_min_messages = warning;
CREATE FUNCTION probe_release(mode text) RETURNS int LANGUAGE C STRICT AS 'gensynth', 'gs_probe_release';
CREATE FUNCTION probe_counts(what text, recording int) RETURNS bigint[] LANGUAGE C STRICT AS 'gensynth', 'gs_probe_counts';
CREATE FUNCTION probe_audit(copies int, runs int) RETURNS float8 LANGUAGE C STRICT AS 'gensynth', 'gs_probe_audit';

-- An audit that can fail: two tables that differ by 8 copies of a row.
CREATE TABLE audited (a int NOT NULL CHECK (a BETWEEN 0 AND 5), b int NOT NULL CHECK (b >= 0 AND b < 5),
	c text NOT NULL CHECK (c IN ('p', 'q', 'r', 's')), d boolean, e numeric(2,1) NOT NULL CHECK (e BETWEEN 0 AND 0.7));
INSERT INTO audited SELECT i % 5, i % 4, (ARRAY['p', 'q', 'r'])[1 + i % 3], i % 2 = 0, i % 7 / 10.0 FROM generate_series(1, 20000) i;
SELECT probe_release('record') \g /dev/null
SELECT synth_fit('audited', epsilon => 1) \g /dev/null
INSERT INTO audited SELECT 5, 4, 's', NULL, 0.7 FROM generate_series(1, 8);
SELECT probe_release('play') \g /dev/null
SELECT synth_fit('audited', epsilon => 1) \g /dev/null
SELECT sqrt(2 * rho) AS mu FROM synth_ledger WHERE model = 'audited' LIMIT 1 \gset
SELECT probe_release('off') \g /dev/null
SELECT cmp_ok(probe_audit(8, 400), '<=', :mu::float8, 'the audit lets the noise pass');
SELECT probe_release('half') \g /dev/null
SELECT cmp_ok(probe_audit(8, 400), '>', :mu::float8, 'it catches half of it');
SELECT probe_release('seven tenths') \g /dev/null
SELECT cmp_ok(probe_audit(8, 1000), '>', :mu::float8, 'and seven tenths');
SELECT probe_release('twice') \g /dev/null
SELECT cmp_ok(probe_audit(8, 400), '>', :mu::float8, 'and rows that count twice');
SELECT probe_release('uncharged') \g /dev/null
SELECT cmp_ok(probe_audit(8, 700), '>', :mu::float8, 'and pairs that are not charged');
SELECT probe_release('off') \g /dev/null
SELECT ok(abs(rho - sum) < 1e-8 AND sum <= rho AND abs(rho - 0.024356) < 1e-6, 'steps cost what was charged, and it is the rho of (1, 1e-6)')
FROM (SELECT rho, (SELECT sum((s ->> 'rho')::float8) FROM jsonb_array_elements(steps) s) FROM synth_ledger WHERE model = 'audited' LIMIT 1) l;
SELECT is((SELECT array_agg(c ORDER BY i) FROM unnest(probe_counts('exact', 0)) WITH ORDINALITY u(c, i) WHERE i <= 6),
	ARRAY[4000, 4000, 4000, 4000, 4000, 0]::bigint[], 'counts are exact before the noise');
SELECT is((SELECT count(DISTINCT c) FROM unnest(probe_counts('vector', 0)) c), 15::bigint, 'one vector for each column, and for each pair');

-- Neighbours: the same noisy counts handed in, all else that is stored must be the same.
CREATE TABLE wards (id int PRIMARY KEY);
INSERT INTO wards SELECT generate_series(1, 9);
CREATE TABLE person (id int PRIMARY KEY, code text UNIQUE, number bigint UNIQUE, age int CHECK (age BETWEEN 0 AND 90), half int,
	kind text, remark varchar(9), price numeric(6,2), ratio float8, day date, seen timestamptz, ward int NOT NULL REFERENCES wards, ok boolean,
	CHECK (half >= -10 OR half < age), worth int GENERATED ALWAYS AS (age * 2) STORED);
INSERT INTO person SELECT i, 'code ' || i, i * 7, i % 90, i % 45, (ARRAY['in', 'out'])[1 + i % 2], 'x' || i % 3, i % 70, sin(i),
	date '2020-01-01' + i % 30, '2020-01-01 UTC'::timestamptz + i * interval '1 h', 1 + i % 9, i % 5 > 0
FROM generate_series(1, 300) i;
CREATE TEMP TABLE asked AS SELECT '{"bounds": {"half": [-10, 100], "price": [0, 1.5], "ratio": [-1.5, 1.5],
	"day": ["2020-01-01", "2020-02-01"], "seen": ["2020-01-01 00:00:00", "2020-01-01 00:00:00.0002"], "ward": [1, 9]},
	"categories": {"kind": ["in", "out"], "remark": ["x0", "x1", "x2"]}}'::jsonb AS options;
CREATE FUNCTION stored(OUT hash text, OUT detail text) LANGUAGE plpgsql AS $$
DECLARE
	v int;
BEGIN
	SELECT f.version INTO v FROM synth_fit('person', epsilon => 1, options => (SELECT options FROM asked)) f;
	SELECT md5(string_agg(t.name || t.type || t.shape::text || encode(t.data, 'hex'), ',' ORDER BY t.name)),
		(SELECT string_agg(c.name || c.nullable || c.detail, ',' ORDER BY c.ordinal) FROM gensynth.columns c WHERE c.model = 'person' AND c.version = v) ||
		(SELECT string_agg(concat_ws(',', c.name, c.kind, c.columns, c.definition, c.expression, c.met), ';' ORDER BY c.ordinal)
			FROM gensynth.constraints c WHERE c.model = 'person' AND c.version = v) ||
		(SELECT concat_ws(',', source, relation, method, seed, rows, sampled, options, seconds, bytes, epsilon, delta, notes, ncolumns)
			FROM gensynth.versions WHERE model = 'person' AND version = v)
	INTO hash, detail FROM gensynth.tensors t WHERE t.model = 'person' AND t.version = v;
END $$;
SELECT probe_release('record') \g /dev/null
CREATE TEMP TABLE base AS SELECT * FROM stored();
SELECT ok(length(detail) > 1000 AND length(hash) = 32, 'a model is stored') FROM base;

-- Of a change: whether all that is stored is the same, and by how much counts differ.
CREATE FUNCTION neighbour(change text, what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	now record;
	most bigint;
	cells bigint;
	left_over int;
BEGIN
	BEGIN
		EXECUTE change;
		PERFORM probe_release('play');
		SELECT * INTO now FROM stored();
		left_over := probe_release('off');
		SELECT max(abs(a - b)), max(n) INTO most, cells FROM (SELECT sum(abs(a - b)) AS n FROM
			unnest(probe_counts('exact', 0), probe_counts('exact', 1), probe_counts('vector', 0)) u(a, b, v) GROUP BY v) s,
			unnest(probe_counts('exact', 0), probe_counts('exact', 1)) u(a, b);
		RAISE SQLSTATE 'GSNBR';
	EXCEPTION WHEN SQLSTATE 'GSNBR' THEN NULL;
	END;
	RETURN NEXT ok(most <= 1 AND cells <= 1, what || ': one cell of a vector differs by one at most');
	RETURN NEXT is(now.hash, (SELECT hash FROM base), what || ': the same tensors');
	RETURN NEXT is(now.detail, (SELECT detail FROM base), what || ': the same columns, constraints, notes and figures');
	RETURN NEXT is(left_over, 0, what || ': the same questions');
END $$;
SELECT neighbour('DELETE FROM person WHERE id = 1', 'a row less');
SELECT neighbour($$INSERT INTO person VALUES (301, 'code 301', 1000, 5, 5, 'in', 'x1', 1, 0.5, '2020-01-02', '2020-01-02', 1, true)$$,
	'an ordinary row');
SELECT neighbour('INSERT INTO person (id, ward) VALUES (302, 1)', 'a row of nulls');
SELECT neighbour($$INSERT INTO person VALUES (2147483647, repeat('long text ', 100), -9223372036854775808, 90, -2147483648, 'never seen',
	'odd', 9999.99, 'NaN', 'infinity', '4713-01-01 BC', 9, NULL)$$, 'a row of extremes');
SELECT neighbour($$INSERT INTO person VALUES (0, '', 0, 0, 2147483647, '', '', -0.01, '-Infinity', '-infinity', 'infinity', 2, false)$$,
	'a row of other extremes');
SELECT neighbour($$INSERT INTO person VALUES (303, 'x', 5000, 44, 1, 'IN', 'x0 ', 3.33, 1.23456789, '0001-01-01', '9999-12-31', 3, true)$$,
	'a row of decimals, that breaks what columns say of each other');

-- Ends of the range of rows.
CREATE TABLE nobody (id int PRIMARY KEY, age int NOT NULL CHECK (age BETWEEN 0 AND 99), kind text CHECK (kind IN ('a', 'b')));
SELECT lives_ok($$SELECT synth_fit('nobody', epsilon => 1)$$, 'an empty table gives a model');
SELECT ok((SELECT count(*) = 500 AND count(DISTINCT id) = 500 AND min(age) >= 0 AND max(age) < 100 FROM synth_sample(NULL::nobody, 500)),
	'which is sampled');
INSERT INTO nobody VALUES (1, 50, 'a');
SELECT lives_ok($$SELECT synth_fit('nobody', epsilon => 1)$$, 'and so does one row');
CREATE TABLE only_keys (id int PRIMARY KEY, token uuid UNIQUE, name varchar(5) UNIQUE, bits bit(12) UNIQUE, bytes bytea UNIQUE);
INSERT INTO only_keys SELECT i, gen_random_uuid(), i, i::bit(12), int4send(i) FROM generate_series(1, 2000) i;
SELECT lives_ok($$SELECT synth_fit('only_keys', epsilon => 3)$$, 'nothing but keys');
SELECT ok((SELECT count(*) = 1000 AND count(DISTINCT id) = 1000 AND min(id) = 1 AND count(DISTINCT token) = count(token)
	AND bool_and(token::text ~ '^.{14}4') AND count(DISTINCT name) = count(name) AND count(DISTINCT bits) = count(bits) AND count(DISTINCT bytes) = count(bytes)
	FROM synth_sample(NULL::only_keys, 1000, seed => 1)), 'which are made by type');
SELECT ok((SELECT rows BETWEEN 1900 AND 2100 FROM synth_models WHERE model = 'only_keys'), 'the number of rows is a noisy one');

-- What comes out: shares as they were, nothing undeclared.
SELECT ok((SELECT rows BETWEEN 0 AND 1000 AND seconds IS NULL AND epsilon = 1 FROM synth_models WHERE model = 'person' AND current),
	'the row count is noisy, and no time is told');
SELECT ok((SELECT seed IS NULL AND sampled IS NULL AND seconds IS NULL AND delta = 1e-6 FROM gensynth.versions WHERE model = 'person' LIMIT 1),
	'no seed, no sample, no time is stored');
CREATE TABLE wide AS SELECT i % 100 AS age, CASE WHEN i % 10 = 0 THEN 1000 + i % 5000 ELSE 0 END AS gain, (ARRAY['a', 'b', 'b', NULL])[1 + i % 4] AS kind
FROM generate_series(1, 20000) i;
SELECT synth_fit('wide', epsilon => 1, options => '{"bounds": {"age": [0, 99], "gain": [0, 99999]}, "categories": {"kind": ["b", "a", "c"]}}') \g /dev/null
CREATE TABLE made AS SELECT * FROM synth_sample(NULL::wide, 20000, seed => 1);
SELECT ok((SELECT abs(avg(age) - 49.5) < 1 AND min(age) >= 0 AND max(age) <= 99 FROM made), 'a number');
SELECT ok((SELECT abs(avg((gain = 0)::int) - 0.9) < 0.02 AND min(gain) >= 0 AND max(gain) <= 99999 FROM made), 'zero is a cell of its own');
SELECT ok((SELECT abs(avg((kind = 'b')::int) - 2 / 3.0) < 0.02 AND abs(avg((kind IS NULL)::int) - 0.25) < 0.02 FROM made), 'levels and nulls');
SELECT is((SELECT array_agg(DISTINCT kind ORDER BY kind) <@ ARRAY['a', 'b', 'c'] FROM made WHERE kind IS NOT NULL), true, 'levels are those that were declared');

-- Bad input, before anything is charged.
SELECT count(*) AS charged FROM synth_ledger \gset
SELECT throws_ok('SELECT synth_fit(''nobody'', epsilon => ' || e || ')', '22023', 'epsilon must be a number above 0', 'epsilon ' || e)
FROM unnest(ARRAY['0', '-1', '''NaN''', '''Infinity''']) e;
SELECT throws_ok('SELECT synth_fit(''nobody'', epsilon => 1, delta => ' || d || ')', '22023', 'delta must be above 0, and 0.01 at most', 'delta ' || d)
FROM unnest(ARRAY['0', '0.02', '-1', '''NaN''']) d;
SELECT throws_ok($$SELECT synth_fit('nobody', delta => 1e-6)$$, '22023', 'delta means nothing without epsilon', 'delta alone');
SELECT throws_ok($$SELECT synth_fit('nobody', epsilon => 1, seed => 1)$$, '22023', 'seed cannot be used together with epsilon', 'a seed');
SELECT throws_ok('SELECT synth_fit(''nobody'', epsilon => 1, options => ''{"' || o || '": ' || v || '}'')', '22023',
	'option "' || o || '" cannot be used together with epsilon', 'option ' || o)
FROM (VALUES ('rare_threshold', '5'), ('max_rows', '1000'), ('refine', '0'), ('context', '["age"]'), ('public', '1')) AS option(o, v);
SELECT throws_ok($$SELECT synth_fit('nobody', method => 'tree', epsilon => 1)$$, '0A000', 'method "tree" cannot learn with epsilon', 'another method');
SELECT throws_ok($$SELECT synth_fit('nobody', method => 'private')$$, '22023', 'method "private" needs epsilon', 'method private without epsilon');
CREATE VIEW seen AS SELECT * FROM nobody;
SELECT throws_ok($$SELECT synth_fit('seen', epsilon => 1)$$, '0A000', 'only tables can be learned with epsilon', 'a view');
SELECT throws_ok($$SELECT synth_fit('SELECT * FROM nobody', model => 'q', epsilon => 1)$$, '0A000', 'only tables can be learned with epsilon', 'a query');
CREATE TEMP TABLE passing (a boolean);
SELECT throws_ok($$SELECT synth_fit('passing', epsilon => 1, model => 'p')$$, '0A000', 'temporary tables cannot be learned with epsilon', 'a temporary table');
SELECT throws_ok('SELECT synth_fit(''wide'', epsilon => 1, options => ''' || o || ''')', s, m, o) FROM (VALUES
	('{"bounds": {"age": [9, 1], "gain": [0, 1]}, "categories": {"kind": ["a"]}}', '22023', 'option "bounds" of column "age" leaves no values'),
	('{"bounds": {"age": [9], "gain": [0, 1]}}', '22023', 'option "bounds" of column "age" is not a pair of values'),
	('{"bounds": {"age": []}}', '22023', 'option "bounds" must be an object of pairs of values by column'),
	('{"bounds": {"age": [0, null]}}', '22023', 'option "bounds" must be an object of pairs of values by column'),
	('{"bounds": 5}', '22023', 'option "bounds" must be an object of pairs of values by column'),
	('{"bounds": {"age": ["old", 1]}}', '22023', '"old" in option "bounds" is no value of column "age" of type integer'),
	('{"bounds": {"kind": ["a", "b"]}}', '22023', 'option "bounds" names column "kind" of type text, whose values are no numbers'),
	('{"bounds": {"nobody": [0, 1]}}', '42703', 'column "nobody" of option "bounds" is not learned'),
	('{"categories": {"nobody": ["a"]}}', '42703', 'column "nobody" of option "categories" is not learned'),
	('{"categories": {"kind": ["a", "b", "a"]}}', '22023', 'option "categories" of column "kind" has a value twice'),
	('{"categories": {"kind": "a"}}', '22023', 'option "categories" must be an object of lists of values by column'),
	('{"bounds": {"age": [0, 1]}, "categories": {"age": [1, 2]}}', '22023', 'option "categories" of column "age" is in option "bounds" too'),
	('{"bounds": {"age": [0, 1]}}', '22023', 'the values of columns "gain" (integer), "kind" (text) are not declared')) AS bad(o, s, m);
SELECT is((SELECT count(*) FROM synth_ledger), :charged::bigint, 'nothing of that was charged');

-- Rights: who may not read a table cannot spend its budget; policies hold.
CREATE ROLE private_reader;
CREATE TABLE guarded (who text CHECK (who IN ('mine', 'theirs')));
INSERT INTO guarded SELECT CASE WHEN i % 2 = 0 THEN 'mine' ELSE 'theirs' END FROM generate_series(1, 2000) i;
SELECT is(as_role('private_reader', $$SELECT synth_fit('guarded', epsilon => 1)$$), '42501', 'no right to read');
SELECT is((SELECT count(*) FROM synth_ledger WHERE relation = 'public.guarded'), 0::bigint, 'is nothing to be charged');
GRANT SELECT ON guarded TO private_reader;
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON guarded USING (who = 'mine');
SELECT is(as_role('private_reader', $$SELECT synth_fit('guarded', epsilon => 3, model => 'by_reader')$$), 'no error', 'a reader may fit');
SELECT ok((SELECT avg((r ->> 'who' = 'mine')::int) > 0.95 FROM synth_sample('by_reader', 1000) r), 'the rows that policies show');
SELECT * FROM finish();
DROP OWNED BY private_reader;
DROP ROLE private_reader;
