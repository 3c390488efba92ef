-- Wide, narrow and odd tables.
BEGIN;
SELECT plan(36);
SET LOCAL client_min_messages = warning;
SELECT setseed(0.6) \g /dev/null

-- 1,600 columns, as many as a table can have.
DO $$
BEGIN
	EXECUTE 'CREATE TABLE w (' || (SELECT string_agg(format('c%s %s', i, (ARRAY['int2', 'bool', 'int4', 'date'])[1 + i % 4]), ', ')
		FROM generate_series(1, 1600) i) || ')';
	EXECUTE 'INSERT INTO w SELECT ' || (SELECT string_agg((ARRAY['g % 100', 'g % 2 = 0', 'g * ' || i, 'date ''2024-01-01'' + g % 300'])[1 + i % 4], ', ')
		FROM generate_series(1, 1600) i) || ' FROM generate_series(1, 200) g';
END $$;
SELECT results_eq('SELECT columns, rows FROM synth_fit(''w'', seed => 1)', 'VALUES (1600, 200::bigint)', '1,600 columns are learned');
SELECT is((SELECT count(*) FROM synth_sample(NULL::w, 50, seed => 1) s WHERE c1 IS NOT NULL AND c1600 IS NOT NULL), 50::bigint, 'and sampled');
SELECT is((SELECT count(*) FROM synth_sample('w', 5, seed => 1) d WHERE (SELECT count(*) FROM jsonb_object_keys(d)) = 1600), 5::bigint, 'as jsonb too');

-- So few rows that nothing can be learned, and the least that can.
CREATE TABLE tiny (a int, b text);
SELECT throws_ok('SELECT synth_fit(''tiny'')', '02000', NULL, 'no rows');
INSERT INTO tiny VALUES (1, 'x');
SELECT throws_ok('SELECT synth_fit(''tiny'')', '02000', NULL, 'one row');
SELECT is((SELECT count(*) FROM synth_models WHERE model = 'tiny'), 0::bigint, 'and nothing is left behind');
SELECT lives_ok('SELECT synth_fit(''tiny'', options => ''{"rare_threshold": 1}'', seed => 1)', 'one row without protection');
SELECT set_eq('SELECT a, b FROM synth_sample(NULL::tiny, 10)', 'VALUES (1, ''x'')', 'comes back');
INSERT INTO tiny SELECT 1, 'x' FROM generate_series(1, 4);
SELECT lives_ok('SELECT synth_fit(''tiny'', seed => 1)', 'as many rows as the threshold');
SELECT set_eq('SELECT a, b FROM synth_sample(NULL::tiny, 10)', 'VALUES (1, ''x'')', 'constants');

-- One column of each sort that has no variance, beside one that has.
CREATE TABLE flat AS SELECT 1 AS one, 'a'::text AS a, NULL::float8 AS nothing, g AS g, 'NaN'::float8 AS nan,
	'infinity'::timestamptz AS ever, '{}'::jsonb AS document, '{}'::int[] AS list, ''::text AS blank
FROM generate_series(1, 100) g;
SELECT synth_fit('flat', seed => 1) \g /dev/null
SELECT set_eq('SELECT one, a, nothing, nan, ever, document, list, blank FROM synth_sample(NULL::flat, 100, seed => 1)',
	'SELECT one, a, nothing, nan, ever, document, list, blank FROM flat', 'constant columns');

-- Names.
CREATE SCHEMA "Schema ""1""";
CREATE TABLE "Schema ""1"""."Ta.ble ü" ("select" int, "Capital" text, "with ""quotes""" int, "with 'single'" int, "ünïcödé ☃" int,
	" blank " int, "a.b" int, "$1" int, abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz12345678901 int);
INSERT INTO "Schema ""1"""."Ta.ble ü" SELECT g, 'x' || g % 3, g, g, g, g, g, g, g FROM generate_series(1, 50) g;
SELECT is((SELECT model FROM synth_fit('"Schema ""1"""."Ta.ble ü"', seed => 1)), '"Schema ""1"""."Ta.ble ü"', 'quoted names of relations');
SELECT results_eq('SELECT name FROM synth_columns(''"Schema ""1"""."Ta.ble ü"'') ORDER BY ordinal',
	ARRAY['select', 'Capital', 'with "quotes"', 'with ''single''', 'ünïcödé ☃', ' blank ', 'a.b', '$1',
	'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz12345678901'], 'odd names of columns');
SELECT is((SELECT count(*) FROM synth_sample(NULL::"Schema ""1"""."Ta.ble ü", 10, seed => 1) s
	WHERE "select" IS NOT NULL AND "with ""quotes""" IS NOT NULL AND "ünïcödé ☃" IS NOT NULL), 10::bigint, 'the typed form finds them');
SELECT is((SELECT jsonb_agg(d) FROM synth_sample('"Schema ""1"""."Ta.ble ü"', 10, seed => 1) d),
	(SELECT jsonb_agg(to_jsonb(t)) FROM synth_sample(NULL::"Schema ""1"""."Ta.ble ü", 10, seed => 1) t), 'jsonb too');
SELECT is((SELECT count(*) FROM synth_rows('"Schema ""1"""."Ta.ble ü"', 10) AS t("ünïcödé ☃" int, "$1" int)), 10::bigint, 'and a column list');
SELECT results_eq('SELECT columns FROM synth_fit(''"Schema ""1"""."Ta.ble ü"'', exclude => ''{"with \"quotes\"",select}'', seed => 1)', ARRAY[7],
	'and exclude');

-- Columns that are not plain.
CREATE TABLE g (id int GENERATED ALWAYS AS IDENTITY, dropped text, a int, double int GENERATED ALWAYS AS (a * 2) STORED, last text DEFAULT 'x');
INSERT INTO g (dropped, a) SELECT 'secret', i % 10 FROM generate_series(1, 500) i;
ALTER TABLE g DROP COLUMN dropped;
SELECT results_eq('SELECT columns FROM synth_fit(''g'', seed => 1)', ARRAY[4], 'a dropped column is not learned');
SELECT ok((SELECT avg((double = 2 * a)::int) > 0.99 AND count(last) = 500 FROM synth_sample(NULL::g, 500, seed => 1)), 'a generated column follows');

-- Relations that are not tables.
CREATE TABLE part (k int, v text) PARTITION BY RANGE (k);
CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (0) TO (100);
CREATE TABLE part2 (v text, x int, k int);
ALTER TABLE part2 DROP COLUMN x;
ALTER TABLE part ATTACH PARTITION part2 FOR VALUES FROM (100) TO (200);
INSERT INTO part SELECT i, CASE WHEN i < 100 THEN 'low' ELSE 'high' END FROM generate_series(0, 199) i, generate_series(1, 5);
SELECT synth_fit('part', seed => 1) \g /dev/null
SELECT ok((SELECT avg(((k < 100) = (v = 'low'))::int) > 0.95 AND min(k) = 0 AND max(k) = 199 FROM synth_sample(NULL::part, 1000, seed => 1)), 'a partitioned table');
CREATE VIEW v AS SELECT k * 2 AS twice, upper(v) AS v FROM part;
SELECT synth_fit('v', seed => 1) \g /dev/null
SELECT ok((SELECT bool_and(twice % 2 = 0 AND v IN ('LOW', 'HIGH')) FROM synth_sample(NULL::v, 1000, seed => 1)), 'a view');
CREATE MATERIALIZED VIEW m AS SELECT * FROM v;
SELECT synth_fit('m', seed => 1) \g /dev/null
SELECT is((SELECT count(*) FROM synth_sample(NULL::m, 1000, seed => 1) WHERE v IN ('LOW', 'HIGH')), 1000::bigint, 'a materialized view');
CREATE TEMP TABLE temporary AS SELECT * FROM part;
SELECT lives_ok('SELECT synth_fit(''temporary'', model => ''temporary'', seed => 1)', 'a temporary table');

-- Queries.
SELECT lives_ok(format('SELECT synth_fit(%L, model => ''q'', seed => 1)', q), q) FROM unnest(ARRAY[
	'SELECT k, v FROM part WHERE k > 50 -- with a comment',
	'WITH x AS (SELECT k FROM part) SELECT k, k % 7 AS r FROM x',
	'VALUES (1, ''a''), (2, ''b''), (3, ''c''), (4, ''d''), (5, ''e'')',
	'TABLE part',
	'(SELECT k FROM part) UNION ALL SELECT 1']) q;
SELECT throws_ok(format('SELECT synth_fit(%L, model => ''q'', seed => 1)', q), NULL, NULL, q) FROM unnest(ARRAY[
	'DELETE FROM part RETURNING *', 'SELECT 1; SELECT 2', 'SELECT k INTO zz FROM part', 'SELECT FROM part', 'SELECT k, k FROM part',
	'WITH x AS (DELETE FROM part RETURNING *) SELECT * FROM x']) q;
SELECT is((SELECT count(*) FROM part), 1000::bigint, 'none of which wrote');
SELECT is((SELECT count(*) FROM synth_rows('q', 10, seed => 1) AS t(k int)), 10::bigint, 'the model of a query is sampled with a column list');

SELECT * FROM finish();
ROLLBACK;
