-- Values and tables at their limits.
BEGIN;
SELECT plan(26);
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';
SELECT setseed(0.9) \g /dev/null

-- Both ends of each type, and what is between, in one column.
CREATE TABLE x AS
SELECT CASE g % 3 WHEN 0 THEN -9223372036854775808 + g WHEN 1 THEN 9223372036854775807 - g ELSE g END AS int8,
	(CASE g % 2 WHEN 0 THEN -2147483648 + g ELSE 2147483647 - g END)::int4 AS int4,
	CASE g % 3 WHEN 0 THEN float8 '-1.7976931348623157e308' WHEN 1 THEN float8 '1.7976931348623157e308' ELSE 1e-320::float8 * g END::float8 AS float8,
	(CASE g % 2 WHEN 0 THEN -3.4e38 ELSE 3.4e38 / g END)::float4 AS float4,
	CASE g % 4 WHEN 0 THEN date '4713-01-01 BC' + g WHEN 1 THEN date '5874897-12-31' - g WHEN 2 THEN 'infinity' ELSE '-infinity' END AS date,
	CASE g % 4 WHEN 0 THEN timestamp '4713-01-01 BC' + g * interval '1 s' WHEN 1 THEN timestamp '294276-12-31 23:59:59' - g * interval '1 s'
		WHEN 2 THEN 'infinity' ELSE '-infinity' END AS timestamp,
	CASE g % 2 WHEN 0 THEN interval '178956970 years' ELSE interval '-178956970 years' END + g * interval '1 day 1 s' AS interval,
	CASE g % 2 WHEN 0 THEN '-92233720368547758.08'::money + g::money ELSE '92233720368547758.07'::money - g::money END AS money,
	('\x' || CASE g % 2 WHEN 0 THEN '' ELSE 'ff' END)::bytea AS bytes,
	int8range(-9223372036854775808 + g, 9223372036854775807 - g) AS range,
	daterange(date '4713-01-01 BC' + g, date '5874897-12-30' - g, '[]') AS dates,
	tsrange(timestamp '4713-01-01 BC' + g * interval '1 s', timestamp '294276-12-31 23:59:59' - g * interval '1 s', '[]') AS times,
	time '24:00' - (g % 50) * interval '1 us' AS time, point(1e308 * (g % 2), -1e-308 * g) AS point,
	('ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'::inet - g) AS address
FROM generate_series(1, 3000) g;
SELECT synth_fit('x', seed => 1) \g /dev/null
SELECT is((SELECT count(*) FROM synth_sample(NULL::x, 5000, seed => 2) s WHERE s::text IS NOT NULL), 5000::bigint, 'rows at the limits');
SELECT is((SELECT count(*) FROM synth_sample('x', 5000, seed => 2)), 5000::bigint, 'as jsonb');
CREATE TABLE xs AS SELECT * FROM synth_sample(NULL::x, 5000, seed => 2);
SELECT ok((SELECT bool_and(float8 BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308) FROM xs), 'no infinity, no NaN of a float');
SELECT ok((SELECT bool_and(r) FROM (SELECT lower(range) < -9223372036854770000 AND upper(range) > 9223372036854770000
	AND lower(dates) < '4703-01-01 BC' AND upper(times) > '294276-01-01' AS r FROM xs) s), 'spans beyond their bounds'' type');
SELECT ok((SELECT abs(avg((int8 < -1e18)::int) - 1 / 3.0) < 0.02 AND abs(avg((int8 > 1e18)::int) - 1 / 3.0) < 0.02 FROM xs), 'the ends of int8');
SELECT ok((SELECT abs(avg((NOT isfinite(date))::int) - 0.5) < 0.02 AND abs(avg((timestamp = 'infinity')::int) - 0.25) < 0.02 FROM xs), 'infinite dates');
SELECT lives_ok($$SELECT sum(extract(epoch FROM interval)), max(interval::text) FROM xs$$, 'intervals');

-- Wide numerics among narrow ones: few, and many.
CREATE TABLE wide AS
SELECT CASE WHEN g <= 6 THEN 1e200 + g ELSE g / 100.0 END AS outlier,
	CASE WHEN g % 2 = 0 THEN 1e40 ELSE g % 3 END AS few,
	CASE WHEN g = 1 THEN 'NaN' WHEN g <= 20 THEN 'Infinity' ELSE trunc(10.0 ^ (g / 10.0)) END AS huge,
	g * 1e-20 AS small, (g % 7)::numeric / 8 AS eighths
FROM generate_series(1, 4000) g;
SELECT synth_fit('wide', seed => 1) \g /dev/null
CREATE TABLE ws AS SELECT * FROM synth_sample(NULL::wide, 4000, seed => 2);
SELECT set_eq('SELECT DISTINCT few FROM ws', 'SELECT DISTINCT few FROM wide', 'a wide numeric of few values');
SELECT ok((SELECT abs(percentile_cont(0.5) WITHIN GROUP (ORDER BY outlier) - 20) < 1 FROM ws WHERE outlier < 1e100), 'an outlier of 200 digits');
SELECT is((SELECT count(*) FROM ws WHERE huge = 'NaN' OR huge < 1 OR (huge > 2e308 AND huge < 'Infinity')), 0::bigint, 'numerics beyond a double');
SELECT ok((SELECT abs(avg((huge = 'Infinity')::int) - 19 / 4000.0) < 0.005 FROM ws), 'do not become infinite');
SELECT ok((SELECT bool_and(small > 0 AND small < 1e-16 AND scale(small) = 20) FROM ws), 'numerics of 20 decimals');
SELECT set_eq('SELECT DISTINCT eighths FROM ws', 'SELECT DISTINCT eighths FROM wide', 'a wide scale of few values');

-- More rows than are kept, and less memory than they need.
CREATE TABLE many AS SELECT g AS a, md5(g::text) AS b, 'x' || g % 50 AS c, g % 2 = 0 AS d FROM generate_series(1, 30000) g;
SELECT results_eq($$SELECT rows, cardinality(notes) FROM synth_fit('many', seed => 1, options => '{"max_rows": 1000}')$$,
	'VALUES (30000::bigint, 1)', 'a sample of the rows');
SELECT ok((SELECT abs(avg(a) - 15000) < 1500 AND count(DISTINCT c) > 30 FROM synth_sample(NULL::many, 3000, seed => 1)), 'is a fair one');
SELECT synth_fit('many', seed => 1, model => 'again', options => '{"max_rows": 1000}') \g /dev/null
SELECT results_eq('SELECT a, b, c FROM synth_sample(NULL::many, 100, seed => 1, model => ''many'')',
	'SELECT a, b, c FROM synth_sample(NULL::many, 100, seed => 1, model => ''again'')', 'and the same with the same seed');
SET LOCAL maintenance_work_mem = '1MB';
SELECT lives_ok($$SELECT synth_fit('many', seed => 1)$$, 'with 1 MB');
SELECT ok((SELECT bool_and(b ~ '^[0-9a-f]{25,32}$') AND count(DISTINCT b) > 2900 AND count(DISTINCT c) = 50 FROM synth_sample(NULL::many, 3000, seed => 1, model => 'many')),
	'formats are learned from a part of the texts');
CREATE TABLE docs AS SELECT jsonb_build_object('a', g, 't', repeat(md5(g::text), 700)) AS j FROM generate_series(1, 100) g;
SELECT synth_fit('docs', seed => 1) \g /dev/null
SELECT ok((SELECT bool_and(j ? 'a' AND j ? 't') FROM synth_sample(NULL::docs, 50, seed => 1)), 'and from a part of the documents');
RESET maintenance_work_mem;

-- Types that go after the fit; their values are still what they were.
CREATE TYPE floatrange AS RANGE (subtype = float8);
CREATE DOMAIN percent AS numeric(5,2) CHECK (VALUE BETWEEN 0 AND 100);
CREATE TABLE gone AS SELECT floatrange(g, g + 0.5) AS r, (g % 100)::percent AS p FROM generate_series(1, 300) g;
SELECT synth_fit('gone', seed => 1) \g /dev/null
SELECT ok((SELECT bool_and(upper(r) - lower(r) = 0.5 AND lower(r) BETWEEN 5 AND 296) FROM synth_sample(NULL::gone, 300, seed => 1)), 'a range of one''s own');
CREATE TABLE gone2 AS SELECT p::numeric FROM synth_sample(NULL::gone, 300, seed => 1);
DROP TABLE gone;
DROP DOMAIN percent;
SELECT results_eq('SELECT p FROM synth_rows(''gone'', 300, seed => 1) AS t(p numeric)', 'SELECT p FROM gone2', 'without its domain');
DROP TYPE floatrange;
SELECT throws_like('SELECT p FROM synth_rows(''gone'', 300, seed => 1) AS t(p numeric)', 'type public.floatrange of column "r" %', 'a range type that went is named');

-- Unsupported types are named.
CREATE TABLE u AS SELECT g AS a, box(point(g, g), point(0, 0)) AS b, NULL::xml AS c, ARRAY[box(point(g, g), point(0, 0))] AS d FROM generate_series(1, 9) g;
SELECT throws_ok('SELECT synth_fit(''SELECT a, b FROM u'', model => ''u'')', '0A000', 'column "b" is of type box, which cannot be learned', 'box');
SELECT throws_ok('SELECT synth_fit(''SELECT c FROM u'', model => ''u'')', '0A000', 'column "c" is of type xml, which cannot be learned', 'xml');
SELECT throws_ok('SELECT synth_fit(''SELECT a, d FROM u'', model => ''u'')', '0A000', 'column "d" is of type box[], which cannot be learned', 'box[]');

-- an array of arrays in a domain would come back as an array of more dimensions
CREATE DOMAIN int_list AS int[];
CREATE TABLE nested AS SELECT ARRAY[ARRAY[i]::int_list, ARRAY[i, 2]::int_list]::int_list[] AS a FROM generate_series(1, 100) i;
SELECT throws_ok($$SELECT synth_fit('nested')$$, '0A000', NULL, 'an array of a domain over arrays is refused');

SELECT * FROM finish();
ROLLBACK;
