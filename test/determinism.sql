-- Row i of (version, seed) is a function of i, whoever asks for it.
BEGIN;
SELECT plan(30);
SET LOCAL client_min_messages = warning;
SELECT setseed(0.1) \g /dev/null

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE d AS
SELECT g AS id, random() AS f, (random() * 1e15)::int8 AS wide, (random() * 100)::numeric(6,2) AS amount,
	'name' || g AS name, 'cat ' || floor(random() * 9) AS category, md5(g::text)::uuid AS uuid,
	CASE WHEN random() < 0.5 THEN date '2024-01-01' + floor(random() * 100)::int END AS day,
	now()::date + random() * interval '100 days' AS moment, (random() * 10) * interval '1 h' AS stay,
	int4range(g, g + floor(random() * 100)::int) AS range, ARRAY[g, g % 7] AS list,
	jsonb_build_object('a', g, 'b', md5(g::text)) AS document, decode(md5(g::text), 'hex') AS bytes,
	random() < 0.5 AS flag, (enum_range(NULL::mood))[1 + g % 3] AS mood, ('10.0.0.0'::inet + g) AS address,
	point(random(), g) AS place, g::bit(20) AS bits, '12:00'::timetz + g * interval '1 s' AS clock
FROM generate_series(1, 3000) g;
SELECT synth_fit('d', seed => 42) \g /dev/null

-- Rows with their numbers, by their position in the stream.
CREATE FUNCTION rows_of(start bigint, n float8, seed bigint) RETURNS TABLE (i bigint, r jsonb)
LANGUAGE sql AS $$
	SELECT start + ordinality - 1, r FROM synth_sample('d', n, seed => seed, start => start) WITH ORDINALITY s (r, ordinality)
$$;
CREATE TABLE whole AS SELECT * FROM rows_of(1, 5000, 7);
SELECT is((SELECT count(*) FROM whole), 5000::bigint, 'all rows');
SELECT cmp_ok((SELECT count(DISTINCT r) FROM whole), '>', 4990::bigint, 'and not the same one');

CREATE FUNCTION is_part(start bigint, n float8) RETURNS text
LANGUAGE sql AS $$
	SELECT is((SELECT count(*) FROM rows_of(start, n, 7) p JOIN whole w USING (i) WHERE p.r = w.r), n::bigint,
		format('rows %s to %s', start, start + n - 1))
$$;
SELECT is_part(start, n)
FROM (VALUES (1, 1), (1, 1000), (1001, 1000), (1023, 1), (1024, 1), (1025, 1), (1020, 10), (1024, 2050), (2049, 2951), (4999, 2)) v (start, n);

SELECT results_eq('SELECT r FROM synth_sample(''d'', 20000, seed => 7) r LIMIT 1500', 'SELECT r FROM whole ORDER BY i LIMIT 1500',
	'whatever n, and under LIMIT');
SELECT results_eq('SELECT to_jsonb(t) FROM synth_sample(NULL::d, 5000, seed => 7) t', 'SELECT r FROM whole ORDER BY i',
	'jsonb is to_jsonb of the typed form');
SELECT results_eq('SELECT f, name, category FROM synth_rows(''d'', 3000, seed => 7) AS t(category text, name text, f float8)',
	'SELECT f, name, category FROM synth_sample(NULL::d, 3000, seed => 7)', 'a column is the same without the others');
SELECT results_eq('SELECT day FROM synth_rows(''d'', 3000, seed => 7) AS t(day date)',
	'SELECT day FROM synth_sample(NULL::d, 3000, seed => 7)', 'NULLs too');
SELECT results_eq('SELECT r FROM synth_sample(''d''::regclass, 100, seed => 7) r', 'SELECT r FROM whole ORDER BY i LIMIT 100',
	'the relation''s form');
SELECT is((SELECT count(*) FROM synth_sample('d', 0)), 0::bigint, 'no rows');
SELECT is((SELECT count(*) FROM synth_sample('d')), 3000::bigint, 'as many as the source by default');
SELECT cmp_ok((SELECT count(*) FROM rows_of(1, 1000, 8) p JOIN whole w USING (i) WHERE p.r = w.r), '<', 5::bigint, 'another seed, other rows');
SELECT isnt((SELECT jsonb_agg(r) FROM synth_sample('d', 20) r), (SELECT jsonb_agg(r) FROM synth_sample('d', 20) r),
	'without a seed each call draws one');
SELECT lives_ok('SELECT count(*) FROM synth_sample(''d'', 10, seed => 7, start => 9223372036854774000)', 'rows at the end of their numbers');

-- Whatever the session likes to see; so few values are possible that many are
-- drawn again because they are copies.
CREATE TABLE a AS SELECT ARRAY[date '2024-01-01' + g % 40, date '2024-01-01' + g * 7 % 40] AS days,
	ARRAY[timestamptz '2024-01-01' + g * interval '1 h', timestamptz '2024-01-01' + g * 7 % 40 * interval '1 h'] AS moments,
	ARRAY[g % 40 * interval '1 day 1 s', g * 7 % 40 * interval '1 mon'] AS stays, ARRAY[g % 40 / 7.0, g * 7 % 40 / 3.0]::float8[] AS floats
FROM generate_series(1, 1000) g;
SELECT synth_fit('a', seed => 1, options => '{"rare_threshold": 50}') \g /dev/null
CREATE TABLE a1 AS SELECT * FROM synth_sample(NULL::a, 2000, seed => 1);
SET LOCAL datestyle = 'German';
SET LOCAL intervalstyle = 'sql_standard';
SET LOCAL timezone = 'Asia/Kolkata';
SET LOCAL extra_float_digits = -10;
CREATE TABLE a2 AS SELECT * FROM synth_sample(NULL::a, 2000, seed => 1);
SELECT is((SELECT count(*) FROM (TABLE a2 EXCEPT TABLE a1) d), 0::bigint, 'rows do not depend on the settings of the session that samples');
SELECT synth_fit('a', model => 'a3', seed => 1, options => '{"rare_threshold": 50}') \g /dev/null
RESET datestyle;
RESET intervalstyle;
RESET timezone;
RESET extra_float_digits;
SELECT set_eq('SELECT name, md5(data) FROM gensynth.tensors WHERE model = ''a3''', 'SELECT name, md5(data) FROM gensynth.tensors WHERE model = ''a''',
	'nor on those of the one that fits');

-- What the source computes does follow them, from the first row to the last; and they are back afterwards, after an
-- error too.
CREATE FUNCTION settings() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings
	WHERE name IN ('DateStyle', 'IntervalStyle', 'TimeZone', 'bytea_output', 'extra_float_digits', 'search_path', 'standard_conforming_strings') $$;
SET LOCAL datestyle = 'German';
SET LOCAL bytea_output = 'escape';
CREATE TABLE before AS SELECT settings();
SELECT synth_fit('SELECT days, (date ''2024-12-31'')::text AS written, settings() AS known FROM a, generate_series(1, 3)', model => 'written', seed => 1) \g /dev/null
SELECT results_eq('SELECT DISTINCT written, known FROM synth_rows(''written'', 500, seed => 1) AS t(written text, known text)',
	$$SELECT '31.12.2024', settings FROM before$$, 'the source is read as the session has it');
SELECT throws_ok($$SELECT synth_fit('SELECT ARRAY[date ''2024-12-31''] AS days, 1 / (700 - i) AS x FROM generate_series(1, 1000) AS i', model => 'failed')$$,
	'22012', NULL, 'a source that fails');
SELECT throws_ok($$SELECT synth_fit('SELECT ARRAY[date ''2024-12-31''] AS days, 1 AS x', model => 'failed')$$, NULL, NULL, 'one that is too small');
SELECT is(settings(), settings, 'settings are put back') FROM before;
RESET datestyle;
RESET bytea_output;

-- The same fit seed gives the same model.
SELECT synth_fit('d', model => 'd2', seed => 42) \g /dev/null
SELECT synth_fit('d', model => 'd3', seed => 43) \g /dev/null
SELECT set_eq('SELECT name, type, shape, md5(data) FROM gensynth.tensors WHERE model = ''d''',
	'SELECT name, type, shape, md5(data) FROM gensynth.tensors WHERE model = ''d2''', 'the same seed, the same tensors');
SELECT results_eq('SELECT r FROM synth_sample(''d2'', 100, seed => 7) r', 'SELECT r FROM whole ORDER BY i LIMIT 100',
	'and the same rows');

SELECT * FROM finish();
ROLLBACK;
