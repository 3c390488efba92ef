-- NULLs: how many, where, and where there are too few to show.
BEGIN;
SELECT plan(21);
SET LOCAL client_min_messages = warning;
SELECT setseed(0.75) \g /dev/null

CREATE DOMAIN needed AS int NOT NULL;
CREATE TABLE n AS
SELECT visits,
	CASE WHEN visits > 0 THEN date '2024-01-01' + visits * 10 + floor(random() * 10)::int END AS last_visit,
	CASE WHEN visits > 0 THEN 'doctor ' || visits % 3 END AS doctor,
	CASE WHEN random() < 0.3 THEN NULL ELSE random() END AS third,
	CASE WHEN random() < 0.3 THEN NULL ELSE random() < 0.2 END AS tristate,
	CASE WHEN random() < 0.5 THEN NULL ELSE md5(random()::text) END AS code,
	CASE WHEN random() < 0.5 THEN NULL ELSE interval '1 day' * floor(random() * 100) + random() * interval '1 h' END AS stay,
	CASE WHEN sex = 'm' THEN NULL ELSE floor(random() * 5)::int END AS births,
	CASE WHEN random() < 0.4 THEN NULL ELSE ARRAY[floor(random() * 100), random()] END AS list,
	sex, NULL::int AS nothing, NULL::text AS no_text, NULL::int4range AS no_range, NULL::jsonb AS no_json,
	CASE WHEN g <= 4 THEN NULL ELSE g END AS few_nulls,
	CASE WHEN g <= 4 THEN NULL ELSE 'x' || g % 3 END AS few_null_texts,
	CASE WHEN g <= 4 THEN g END AS few_values,
	CASE WHEN g <= 4 THEN 'secret ' || g END AS few_texts,
	CASE WHEN g <= 5 THEN 7 END AS five_values,
	g::needed AS needed
FROM (SELECT g, CASE WHEN random() < 0.25 THEN 0 ELSE 1 + floor(random() * 12)::int END AS visits,
	CASE WHEN random() < 0.5 THEN 'm' ELSE 'f' END AS sex FROM generate_series(1, 10000) g) s;
SELECT synth_fit('n', seed => 1) \g /dev/null
CREATE TABLE s AS SELECT * FROM synth_sample(NULL::n, 10000, seed => 2);

CREATE FUNCTION is_share(name text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	a float8;
	b float8;
BEGIN
	EXECUTE format('SELECT avg((%I IS NULL)::int) FROM n', name) INTO a;
	EXECUTE format('SELECT avg((%I IS NULL)::int) FROM s', name) INTO b;
	RETURN ok(abs(a - b) < 0.015, format('share of NULLs in %s: %s, not %s', name, b, a));
END $$;
SELECT is_share(name) FROM unnest('{last_visit,doctor,third,tristate,code,stay,births,list}'::text[]) name;

SELECT cmp_ok((SELECT avg(((last_visit IS NULL) = (visits = 0))::int) FROM s), '>', 0.97, 'NULL exactly where another column is 0');
SELECT cmp_ok((SELECT avg(((doctor IS NULL) = (last_visit IS NULL))::int) FROM s), '>', 0.97, 'NULL together');
SELECT cmp_ok((SELECT avg(((births IS NULL) = (sex = 'm'))::int) FROM s), '>', 0.97, 'NULL by a category');
SELECT ok((SELECT corr((third IS NULL)::int, (code IS NULL)::int) FROM s) BETWEEN -0.05 AND 0.05, 'independent NULLs stay so');
SELECT is((SELECT count(nothing) + count(no_text) + count(no_range) + count(no_json) FROM s), 0::bigint, 'columns of nothing but NULL');
SELECT is((SELECT count(*) FROM s WHERE few_nulls IS NULL OR few_null_texts IS NULL), 0::bigint, 'no NULL where four rows have one');
SELECT is((SELECT count(few_values) + count(few_texts) FROM s), 0::bigint, 'nothing but NULL where four rows have a value');
SELECT set_eq('SELECT DISTINCT five_values FROM s', 'VALUES (7), (NULL)', 'a value of five rows');
SELECT is((SELECT count(needed) FROM s), 10000::bigint, 'a domain that is NOT NULL');
SELECT ok((SELECT corr(last_visit - '2024-01-01', visits) FROM s) > 0.9, 'values beside NULLs keep their dependence');
SELECT is((SELECT count(*) FROM synth_sample('n', 500, seed => 2) d WHERE d ? 'nothing' AND d -> 'nothing' = 'null'), 500::bigint,
	'NULL in jsonb');
SELECT bag_eq('SELECT name FROM synth_columns(''n'') WHERE nullable',
	ARRAY['last_visit', 'doctor', 'third', 'tristate', 'code', 'stay', 'births', 'list', 'nothing', 'no_text',
	'no_range', 'no_json', 'few_values', 'few_texts', 'five_values'], 'what synth_columns calls nullable');

-- a number whose NULLs go with what it depends on keeps its distribution
SELECT cmp_ok((SELECT max(abs(a.q - b.q)) FROM
	(SELECT p, percentile_disc(p) WITHIN GROUP (ORDER BY last_visit) - date '2024-01-01' AS q FROM n, unnest(ARRAY[0.1, 0.5, 0.9]) p GROUP BY p) a
	JOIN (SELECT p, percentile_disc(p) WITHIN GROUP (ORDER BY last_visit) - date '2024-01-01' AS q FROM s, unnest(ARRAY[0.1, 0.5, 0.9]) p GROUP BY p) b USING (p)),
	'<=', 3, 'quantiles of a column that is NULL where another is 0');

SELECT * FROM finish();
ROLLBACK;
