-- Value protection: what few rows hold is never shown.
BEGIN;
SELECT plan(28);
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
