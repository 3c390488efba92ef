-- Value protection: what few rows hold is never shown.
BEGIN;
SELECT plan(50);
SET LOCAL client_min_messages = warning;

-- One row holds 'once', four 'four times', five 'five times', nineteen, twenty;
-- the rest is common.
CREATE TABLE p AS
SELECT CASE WHEN g = 1 THEN 'once' WHEN g <= 5 THEN 'four times' WHEN g <= 10 THEN 'five times'
		WHEN g <= 29 THEN 'nineteen times' WHEN g <= 49 THEN 'twenty times' ELSE 'common ' || g % 3 END AS category,
	CASE WHEN g = 1 THEN 1 WHEN g <= 5 THEN 4 WHEN g <= 10 THEN 5
		WHEN g <= 29 THEN 19 WHEN g <= 49 THEN 20 ELSE 1000 + g % 3 END AS few,
	CASE WHEN g = 1 THEN '10.0.0.1'::inet WHEN g <= 5 THEN '10.0.0.4' WHEN g <= 10 THEN '10.0.0.5/8'
		ELSE ('10.1.0.' || g % 3)::inet END AS address,
	CASE WHEN g <= 3 THEN float8 'NaN' WHEN g <= 7 THEN 'Infinity' WHEN g <= 12 THEN '-Infinity' ELSE g END AS special,
	CASE WHEN g <= 4 THEN date 'infinity' ELSE date '2020-01-01' + g % 700 END AS ends,
	CASE WHEN g <= 4 THEN 1e9 + g WHEN g <= 8 THEN -1e9 - g ELSE g END AS outlier,
	CASE WHEN g <= 4 THEN ARRAY['secret' || g] ELSE ARRAY['open', 'x' || g % 5] END AS tags,
	CASE WHEN g <= 4 THEN jsonb_build_object('secret' || g, g) ELSE jsonb_build_object('open', g % 5) END AS document,
	ARRAY[CASE WHEN g <= 4 THEN 1000000 + g WHEN g <= 8 THEN -1000000 - g ELSE g END] AS list,
	jsonb_build_object('a', CASE WHEN g <= 4 THEN 1e9 + g WHEN g <= 8 THEN -1e9 - g ELSE g + 0.5 END) AS nested,
	decode(repeat('ab', CASE WHEN g <= 4 THEN 3000 ELSE 10 END) || md5(g::text), 'hex') AS bytes,
	'code ' || md5(g::text) || CASE WHEN g <= 4 THEN repeat('x', 500) ELSE '' END AS code,
	g = 1 AS flag
FROM generate_series(1, 2000) g;

SELECT synth_fit('p', seed => 1) \g /dev/null
CREATE TABLE five AS SELECT * FROM synth_sample(NULL::p, 20000, seed => 2);
SELECT synth_fit('p', seed => 1, options => '{"rare_threshold": 20}') \g /dev/null
CREATE TABLE twenty AS SELECT * FROM synth_sample(NULL::p, 20000, seed => 2);

SELECT set_eq('SELECT DISTINCT category FROM five', ARRAY['five times', 'nineteen times', 'twenty times',
	'common 0', 'common 1', 'common 2'], 'categories of five rows and more');
SELECT set_eq('SELECT DISTINCT category FROM twenty', ARRAY['twenty times', 'common 0', 'common 1', 'common 2'],
	'categories of twenty rows and more');
SELECT set_eq('SELECT DISTINCT few FROM five', ARRAY[5, 19, 20, 1000, 1001, 1002], 'numbers of five rows and more');
-- rare ones are too many to leave out, so it is a number with ends: the twentieth is 19
SELECT is((SELECT count(*) FROM twenty WHERE few < 19), 0::bigint, 'numbers below the twentieth');
SELECT set_eq('SELECT DISTINCT address::text FROM five', ARRAY['10.0.0.5/8', '10.1.0.0/32', '10.1.0.1/32', '10.1.0.2/32'],
	'values of several parts');
SELECT is((SELECT count(*) FROM twenty WHERE address <<= '10.0.0.0/16'), 0::bigint, 'values of several parts, threshold 20');
SELECT is((SELECT count(*) FROM five WHERE special IN ('NaN', 'Infinity')), 0::bigint, 'NaN and infinity of few rows');
SELECT cmp_ok((SELECT count(*) FROM five WHERE special = '-Infinity'), '>', 0::bigint, 'infinity of five rows');
SELECT is((SELECT count(*) FROM twenty WHERE special = '-Infinity'), 0::bigint, 'but not of fewer than the threshold');
SELECT is((SELECT count(*) FROM five WHERE NOT isfinite(ends)), 0::bigint, 'infinite dates of few rows');
SELECT ok((SELECT min(outlier) >= 9 AND max(outlier) <= 2000 FROM five), 'four outliers at either end');
SELECT ok((SELECT min(outlier) > 9 AND max(outlier) < 2000 - 14 FROM twenty), 'ends of the threshold 20');
SELECT is((SELECT count(*) FROM five WHERE tags::text ~ 'secret'), 0::bigint, 'arrays of few rows');
SELECT is((SELECT count(*) FROM five WHERE document::text ~ 'secret'), 0::bigint, 'keys of few rows');
SELECT ok((SELECT min(list[1]) >= 9 AND max(list[1]) <= 2000 FROM five), 'outliers in arrays');
SELECT ok((SELECT min((nested -> 'a')::numeric) >= 9 AND max((nested -> 'a')::numeric) <= 2000.5 FROM five), 'outliers in jsonb');
SELECT ok((SELECT max(length(bytes)) = 26 AND max(length(code)) < 100 FROM five), 'lengths of few rows');
SELECT is((SELECT count(*) FROM synth_columns('p') WHERE detail::text ~ 'secret|once|four times|nineteen'), 0::bigint,
	'nor does synth_columns tell');
SELECT is((SELECT count(*) FROM gensynth.tensors WHERE position('once'::bytea IN data) > 0
	OR position('four times'::bytea IN data) > 0 OR position('secret1'::bytea IN data) > 0), 0::bigint,
	'nor do the tensors hold what is rare');

-- Rows count, not occurrences: what one row says many times it says once.
CREATE FUNCTION digits(n int) RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT (n * 7919 % 100000)::text$$;
CREATE TABLE often AS SELECT
	CASE WHEN g = 7 THEN array_fill(987654321, ARRAY[12]) ELSE ARRAY[g, g % 17] END AS numbers,
	CASE WHEN g = 7 THEN (SELECT array_agg(987654000 + i) FROM generate_series(1, 40) AS i) ELSE ARRAY[g, g % 17] END AS near,
	CASE WHEN g = 7 THEN (SELECT array_agg('Zxqcanary ' || i) FROM generate_series(1, 6) AS i) ELSE ARRAY['note ' || digits(g), 'open'] END AS notes,
	CASE WHEN g = 7 THEN ARRAY['Zxqa', 'Zxqb', 'Zxqc', 'Zxqd', 'Zxqe', 'Zxqf', 'Zxqg'] ELSE ARRAY['word' || chr(97 + g % 26) || chr(97 + g % 23) || chr(97 + g % 19)] END AS stems,
	CASE WHEN g = 7 THEN (SELECT jsonb_agg(jsonb_build_object('n', 987654321, 'label', 'Zxqcanary', 'Zxqkey', i, 'deep', array_fill(1.234567891, ARRAY[9]))) FROM generate_series(1, 9) AS i)
		ELSE jsonb_build_array(jsonb_build_object('n', g, 'label', 'l' || digits(g), 'deep', ARRAY[g])) END AS document,
	CASE WHEN g = 7 THEN repeat('Zxqcanary ', 30) || 'Zxqcanarya Zxqcanaryb Zxqcanaryc Zxqcanaryd Zxqcanarye'
		ELSE 'The patient ' || digits(g) || ' came on day ' || g % 30 || CASE WHEN g % 2 = 0 THEN ' and left' ELSE '' END || repeat(' again', g % 90) END AS prose,
	CASE WHEN g = 7 THEN repeat('918273645 ', 30) ELSE 'no ' || repeat(digits(g) || ' ', g % 80) END AS figures,
	CASE WHEN g = 7 THEN to_jsonb(array_fill(true, ARRAY[50])) ELSE jsonb_build_array(false) END AS flags,
	jsonb_build_array(CASE WHEN g = 7 THEN to_jsonb((SELECT array_agg(array_fill(0, ARRAY[700])) FROM generate_series(1, 20))) ELSE to_jsonb(ARRAY[ARRAY[g % 5]]) END) AS lengths
FROM generate_series(1, 3000) AS g;
SELECT synth_fit('often', seed => 1) \g /dev/null
CREATE TABLE seldom AS SELECT * FROM synth_sample(NULL::often, 3000, seed => 2);
SELECT is((SELECT count(*) FROM seldom WHERE 987654321 = ANY (numbers) OR (SELECT max(n) FROM unnest(numbers) AS n) > 3000), 0::bigint, 'a number that fills an array');
SELECT is((SELECT count(*) FROM seldom WHERE (SELECT max(n) FROM unnest(near) AS n) > 3000), 0::bigint, 'numbers close to each other');
SELECT is((SELECT count(*) FROM seldom WHERE notes::text ~* 'zxq|canary'), 0::bigint, 'a word of several texts');
SELECT is((SELECT count(*) FROM seldom WHERE stems::text ~* 'zxq'), 0::bigint, 'the stem of several words');
SELECT is((SELECT count(*) FROM seldom WHERE document::text ~* '98765|zxq|canary|\.2345'), 0::bigint, 'numbers, labels and keys of documents');
SELECT is((SELECT count(*) FROM seldom WHERE prose ~* 'zxq|canary'), 0::bigint, 'a word that fills a text, and its inflections');
SELECT is((SELECT count(*) FROM seldom WHERE figures ~ '918273645'), 0::bigint, 'a number that fills a text');
SELECT is((SELECT count(*) FROM seldom WHERE flags::text ~ 'true'), 0::bigint, 'a truth');
SELECT is((SELECT max(length(lengths::text)) FROM seldom) < 100, true, 'the length of many arrays');
SELECT is((SELECT count(*) FROM gensynth.tensors WHERE model = 'often' AND position('anary'::bytea IN data) > 0), 0::bigint, 'nor do the tensors hold them');
SELECT cmp_ok((SELECT count(*) FROM seldom WHERE 'open' = ANY (notes)), '>', 300::bigint, 'what many rows hold is kept');

-- One row, and what it says in several ways: novel strings, a letter in several places, numbers of several scales.
CREATE TABLE alone AS SELECT
	jsonb_build_object('n', g, 's', CASE WHEN g = 7 THEN (SELECT array_agg(repeat(chr(96 + i) || 'x', 300)) FROM generate_series(1, 9) AS i) ELSE ARRAY['open', 'shut'] END) AS strings,
	CASE WHEN g = 7 THEN 'z1z2z3z4z5z6' ELSE '1a2b3c' || substr(md5(g::text), 1, 6) END AS code,
	to_jsonb(CASE WHEN g = 7 THEN ARRAY[1.1, 1.22, 1.333, 1.4444, 1.55555, 1.666666] ELSE ARRAY[g * 37 % 3001, g] END) AS decimals,
	jsonb_build_object('i', g, 'n', CASE WHEN g = 7 THEN array_fill(123456, ARRAY[900]) ELSE ARRAY[CASE WHEN g % 100 = 0 THEN 777777 ELSE g * 48271 % 1000003 END] END) AS numbers,
	jsonb_build_object('n', g, 's', CASE WHEN g % 4 < 2 THEN repeat('long ', 300) WHEN g % 4 = 2 THEN 'alpha beta' ELSE 'gamma delta' END) AS verbatim,
	CASE WHEN g IN (7, 8, 9) THEN left(repeat(g || ' - why; ', 900), 4321) ELSE 'no ' || g * 31 END AS long
FROM generate_series(1, 3000) AS g;
SELECT synth_fit('alone', seed => 1) \g /dev/null
CREATE TABLE seen AS SELECT * FROM synth_sample(NULL::alone, 20000, seed => 2);
SELECT is((SELECT max(length(s)) FROM seen, jsonb_array_elements_text(strings -> 's') AS s), 4, 'the length of novel strings of one row');
SELECT is((SELECT count(*) FROM seen WHERE code ~ 'z'), 0::bigint, 'a letter that one code has in six places');
SELECT cmp_ok((SELECT avg((code ~ '^1a2b3c[0-9a-f]{6}$')::int) FROM seen), '>', 0.99, 'what the others are made of');
SELECT is((SELECT count(*) FROM seen WHERE decimals::text ~ '\.'), 0::bigint, 'decimals, each number of one row with more of them');
SELECT is((SELECT count(*) FROM seen WHERE numbers::text ~ '123456,'), 0::bigint, 'a number of one row');
SELECT cmp_ok((SELECT count(*) FROM seen, jsonb_array_elements_text(numbers -> 'n') AS n WHERE n = '777777'), '>', 60::bigint, 'does not hide the frequent ones after it');
SELECT is((SELECT count(*) FROM seen WHERE verbatim::text ~ 'alpha delta|gamma beta'), 0::bigint, 'nor does a long string');
SELECT is((SELECT count(*) FROM gensynth.tensors WHERE model = 'alone' AND position('\xe1100000'::bytea IN data) > 0), 0::bigint, 'the length of texts of three rows is not stored');

-- The number of children is a number.
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (parent int REFERENCES parent, v int);
INSERT INTO parent SELECT generate_series(1, 6000);
INSERT INTO child SELECT p, g % 7 FROM generate_series(1, 6000) AS p, generate_series(1, CASE WHEN p <= 4 THEN 100 + p WHEN p <= 9 THEN 20 ELSE 1 + p % 4 END) AS g;
SELECT synth_fit('child', seed => 1) \g /dev/null
CREATE TABLE child_too (parent int REFERENCES parent, v int);
CALL synth_into('child_too', model => 'child', seed => 1);
SELECT cmp_ok((SELECT max(n) FROM (SELECT count(*) AS n FROM child_too GROUP BY parent) AS c), '<', 60::bigint, 'the parents with most children do not show');
SELECT is((SELECT count(*) FROM gensynth.tensors, generate_series(101, 104) AS n
	WHERE model = 'child' AND name = 'children/parent' AND position(decode(to_hex(n) || '00000000000000', 'hex') IN data) > 0), 0::bigint, 'nor are their numbers stored');

-- What the schema itself lists is public.
CREATE TYPE colour AS ENUM ('red', 'green', 'blue');
CREATE TABLE e AS SELECT CASE WHEN g = 1 THEN 'red' ELSE 'green' END::colour AS c, g = 1 AS b FROM generate_series(1, 100) g;
SELECT synth_fit('e', seed => 1) \g /dev/null
SELECT set_eq('SELECT DISTINCT c FROM synth_sample(NULL::e, 5000, seed => 2)', ARRAY['red', 'green']::colour[], 'labels of an enum');
SELECT set_eq('SELECT DISTINCT b FROM synth_sample(NULL::e, 5000, seed => 2)', ARRAY[true, false], 'booleans');

-- So few rows that the ends cross: no value at all is shown.
CREATE TABLE f AS SELECT g * g AS v, 'name' || g AS t FROM generate_series(1, 6) g;
SELECT synth_fit('f', seed => 1) \g /dev/null
SELECT is((SELECT count(*) FROM synth_sample(NULL::f, 100, seed => 2) WHERE v IN (SELECT v FROM f)), 0::bigint, 'numbers of six rows');
SELECT is((SELECT count(*) FROM synth_sample(NULL::f, 100, seed => 2) WHERE t IN (SELECT t FROM f)), 0::bigint, 'texts of six rows');
SELECT synth_fit('SELECT jsonb_build_object(''v'', v, ''list'', array_fill(0, ARRAY[v + 100])) AS j FROM f', model => 'fj', seed => 1) \g /dev/null
SELECT is((SELECT count(*) FROM synth_sample('fj', 100, seed => 2) AS s, f WHERE (s -> 'j' ->> 'v')::numeric = v OR jsonb_array_length(s -> 'j' -> 'list') = v + 100), 0::bigint, 'numbers and lengths in documents of six rows');
SELECT throws_ok($$SELECT synth_fit('SELECT * FROM f LIMIT 4', model => 'f4')$$, '02000', NULL, 'fewer rows than the threshold');

-- Without protection everything may come back, and does.
SELECT synth_fit('p', seed => 1, options => '{"rare_threshold": 1}') \g /dev/null
CREATE TABLE one AS SELECT * FROM synth_sample(NULL::p, 50000, seed => 2);
SELECT cmp_ok((SELECT count(*) FROM one WHERE category = 'once'), '>', 0::bigint, 'a category of one row');
SELECT cmp_ok((SELECT count(*) FROM one WHERE few = 1), '>', 0::bigint, 'a number of one row');
SELECT cmp_ok((SELECT count(*) FROM one WHERE special = 'NaN'), '>', 0::bigint, 'NaN of three rows');
SELECT cmp_ok((SELECT count(*) FROM one WHERE ends = 'infinity'), '>', 0::bigint, 'infinity of four rows');

SELECT * FROM finish();
ROLLBACK;
