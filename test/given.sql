-- Conditions: given => jsonb.
BEGIN;
SELECT plan(106);
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy', 'elated');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);

-- Normal variates without a seed to set: rows are the same in every run.
CREATE FUNCTION pg_temp.u(i int, k int) RETURNS float8 LANGUAGE sql AS $$
	SELECT (('x' || substr(md5(i || ':' || k), 1, 8))::bit(32)::bigint + 0.5) / 4294967296.0
$$;
CREATE FUNCTION pg_temp.z(i int, k int) RETURNS float8 LANGUAGE sql AS $$
	SELECT sqrt(-2 * ln(pg_temp.u(i, 2 * k))) * cos(2 * pi() * pg_temp.u(i, 2 * k + 1))
$$;

CREATE TABLE people AS
SELECT
	(18 + least(60, abs(15 * a + 8 * b)))::int AS age,
	CASE WHEN 0.6 * a + c > 0.5 THEN 'F' ELSE 'M' END AS sex,
	(ARRAY['Bonn', 'Ulm', 'Kiel', 'Jena', 'Hof'])[1 + least(4, floor(abs(a + d) * 2))::int] AS city,
	'c-' || (ARRAY['Bonn', 'Ulm', 'Kiel', 'Jena', 'Hof'])[1 + least(4, floor(abs(a + d) * 2))::int] AS code,
	CASE WHEN e < -0.8 THEN NULL WHEN c < -0.5 THEN 0 ELSE 1000 * exp(0.5 * a + 0.3 * c) END::numeric(10, 2) AS income,
	date '2020-01-01' + (b * 200)::int AS joined,
	timestamp '2020-01-01' + c * interval '100 days' AS seen,
	CASE WHEN e + 0.5 * a > 1.2 THEN NULL ELSE d > 0 END AS smoker,
	20 + 5 * a + d AS bmi,
	round((b * 3)::numeric, 1)::float4 AS tenths,
	(ARRAY['sad', 'ok', 'happy'])[1 + least(2, floor(abs(b + e)))::int]::mood AS mood,
	(floor(pg_temp.u(g, 99) * 40) * 2)::int AS level,
	'g' || floor(floor(pg_temp.u(g, 99) * 40) / 10) AS grp,
	CASE WHEN a > 0 THEN 5 ELSE 2 END::positive AS counted,
	'always' AS constant,
	md5(g::text) AS tag,
	jsonb_build_object('a', g) AS doc,
	point(a, b) AS place
FROM (
	SELECT g, pg_temp.z(g, 1) AS a, 0.6 * pg_temp.z(g, 1) + 0.8 * pg_temp.z(g, 2) AS b,
		0.5 * pg_temp.z(g, 1) + 0.8 * pg_temp.z(g, 3) AS c, pg_temp.z(g, 4) AS d, pg_temp.z(g, 5) AS e
	FROM generate_series(1, 20000) g
) AS latent;
SELECT synth_fit('people', method => 'copula', seed => 1) IS NOT NULL AS fitted;
CREATE TEMP TABLE free AS SELECT * FROM synth_sample(NULL::people, 300000, seed => 7);

-- Every row of a conditioned sample meets a condition in SQL.
CREATE FUNCTION met(given jsonb, condition text, n int = 5000) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	met bigint;
BEGIN
	EXECUTE format('SELECT count(*) FILTER (WHERE %s) FROM synth_sample(NULL::people, $1, seed => 3, given => $2)',
		condition) INTO met USING n, given;
	RETURN is(met, n::bigint, given::text || ' is met');
END $$;

-- The same rows come out of a filtered sample: means within 4.5 standard
-- errors, shares within 0.02.
CREATE FUNCTION as_filtered(given jsonb, condition text, expressions text[], n int = 40000) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	expression text;
	here record;
	there record;
	tolerance float8;
BEGIN
	FOREACH expression IN ARRAY expressions LOOP
		EXECUTE format('SELECT avg(x) AS mean, var_samp(x) AS var, count(x) AS n, min(x) AS low, max(x) AS high FROM (
				SELECT (%s)::float8 AS x FROM synth_sample(NULL::people, $1, seed => 5, given => $2)) AS s', expression)
			INTO here USING n, given;
		EXECUTE format('SELECT avg(x) AS mean, var_samp(x) AS var, count(x) AS n FROM (
				SELECT (%s)::float8 AS x FROM free WHERE %s) AS s', expression, condition) INTO there;
		tolerance := 4.5 * sqrt(here.var / here.n + there.var / there.n) + 1e-9;
		IF here.low >= 0 AND here.high <= 1 THEN
			tolerance := least(tolerance, 0.02);
		END IF;
		RETURN NEXT ok(abs(here.mean - there.mean) <= tolerance,
			format('%s given %s: %s, filtered %s (%s rows), within %s', expression, given,
				round(here.mean::numeric, 4), round(there.mean::numeric, 4), there.n, round(tolerance::numeric, 4)));
	END LOOP;
END $$;

-- Refused with a state, a message and a hint.
CREATE FUNCTION refused(given jsonb, state text, message text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	got text;
	hint text;
BEGIN
	PERFORM count(*) FROM synth_sample(NULL::people, 10, seed => 1, given => $1);
	RETURN fail(given || ' is accepted');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN ok(SQLSTATE = state AND SQLERRM LIKE message AND (hint <> '' OR state = '23514'),
		format('%s: %s, %s (%s)', given, SQLSTATE, SQLERRM, hint));
END $$;

-- One column: points.
SELECT met('{"sex": "F"}', $$sex = 'F'$$);
SELECT met('{"age": 18}', $$age = 18$$);
SELECT met('{"age": "42"}', $$age = 42$$);
SELECT met('{"income": 0}', $$income = 0$$);
SELECT met('{"income": 1234.56}', $$income::text = '1234.56'$$);
SELECT met('{"joined": "2020-02-29"}', $$joined = '2020-02-29'$$);
SELECT met('{"joined": "29 Feb 2020"}', $$joined = '2020-02-29'$$);
SELECT met('{"seen": "2020-02-29 12:34:56.789012"}', $$seen = '2020-02-29 12:34:56.789012'$$);
SELECT met('{"bmi": 21.123456789012}', $$bmi = 21.123456789012$$);
SELECT met('{"tenths": 1.3}', $$tenths::text = '1.3'$$);
SELECT met('{"mood": "happy"}', $$mood = 'happy'$$);
SELECT met('{"smoker": true}', $$smoker$$);
SELECT met('{"counted": 5}', $$counted = 5$$);
SELECT met('{"constant": "always"}', $$constant = 'always'$$);
SELECT met('{}', 'true');

-- Sets and NULL.
SELECT met('{"city": ["Bonn", "Ulm"]}', $$city IN ('Bonn', 'Ulm')$$);
SELECT met('{"age": [20, 30, 30, 40]}', $$age IN (20, 30, 40)$$);
SELECT met('{"seen": ["2020-02-29 12:34:56.7", "2020-03-01 00:00:00.000001"]}',
	$$seen IN ('2020-02-29 12:34:56.7', '2020-03-01 00:00:00.000001')$$);
SELECT met('{"bmi": [15.25, 21.123456789012, 30]}', $$bmi IN (15.25, 21.123456789012, 30)$$);
SELECT met('{"smoker": null}', $$smoker IS NULL$$);
SELECT met('{"smoker": [false, null]}', $$smoker IS NOT TRUE$$);
SELECT met('{"income": null}', $$income IS NULL$$);
SELECT met('{"income": [null, 0]}', $$income IS NULL OR income = 0$$);

-- Ranges.
SELECT met('{"age": {"gte": 20, "lt": 30}}', $$age >= 20 AND age < 30$$);
SELECT met('{"age": {"gt": 20, "lte": 30}}', $$age > 20 AND age <= 30$$);
SELECT met('{"age": {"lt": 20}}', $$age < 20$$);
SELECT met('{"age": {"gte": -1000000, "lte": 2147483647}}', 'true');
SELECT met('{"income": {"gt": 999.994, "lt": 1000.006}}', $$income BETWEEN 1000.00 AND 1000.00$$);
SELECT met('{"income": {"gte": 900.005, "lt": 1000.50}}', $$income BETWEEN 900.01 AND 1000.49$$);
SELECT met('{"income": {"gt": 0}}', $$income > 0$$);
SELECT met('{"joined": {"gte": "2020-02-01", "lt": "2020-03-01"}}', $$date_trunc('month', joined) = '2020-02-01'$$);
SELECT met('{"seen": {"gte": "2020-02-01", "lt": "2020-02-01 00:00:01"}}', $$date_trunc('second', seen) = '2020-02-01'$$);
SELECT met('{"bmi": {"gt": 20, "lte": 20.5}}', $$bmi > 20 AND bmi <= 20.5$$);
SELECT met('{"tenths": {"gt": 1.1, "lte": 1.3}}', $$tenths::text IN ('1.2', '1.3')$$);
SELECT met('{"tenths": {"gte": 1.1, "lt": 1.3}}', $$tenths::text IN ('1.1', '1.2')$$);
SELECT met('{"mood": {"gte": "ok"}}', $$mood >= 'ok'$$);
SELECT met('{"counted": {"lt": 5}}', $$counted = 2$$);
SELECT cmp_ok((SELECT count(DISTINCT seen) FROM synth_sample(NULL::people, 5000, seed => 1,
	given => '{"seen": {"gte": "2020-02-01", "lt": "2020-02-01 00:00:01"}}')), '>', 4000::bigint, 'a second is full of values');
SELECT is((SELECT count(DISTINCT age) FROM synth_sample(NULL::people, 5000, seed => 1,
	given => '{"age": {"gte": 20, "lt": 30}}')), 10::bigint, 'a range gives all of its values');

-- What determines a column is conditioned instead; and chains of columns.
SELECT met('{"code": "c-Kiel"}', $$code = 'c-Kiel' AND city = 'Kiel'$$);
SELECT met('{"code": ["c-Kiel", "c-Hof"], "city": ["Hof", "Ulm"]}', $$code = 'c-Hof' AND city = 'Hof'$$);
SELECT met('{"city": ["Kiel"]}', $$code = 'c-Kiel' AND city = 'Kiel'$$);
SELECT met('{"grp": "g2"}', $$grp = 'g2' AND level BETWEEN 40 AND 58$$);
SELECT met('{"level": 40}', $$level = 40 AND grp = 'g2'$$);
SELECT met('{"grp": ["g1", "g3"], "level": {"gte": 30, "lte": 70}}',
	$$level BETWEEN 30 AND 70 AND (grp = 'g1' AND level < 40 OR grp = 'g3' AND level >= 60)$$);

-- Two columns and more.
SELECT met('{"sex": "F", "city": "Kiel"}', $$sex = 'F' AND city = 'Kiel'$$);
SELECT met('{"sex": "F", "age": {"gte": 30, "lt": 40}, "smoker": null}',
	$$sex = 'F' AND age >= 30 AND age < 40 AND smoker IS NULL$$);
SELECT met('{"income": [0, null], "age": 30, "joined": {"lt": "2020-01-01"}}',
	$$(income = 0 OR income IS NULL) AND age = 30 AND joined < '2020-01-01'$$);
SELECT met('{"bmi": 24.5, "age": 25, "tenths": [0.5, 0.7], "seen": "2020-01-01 01:01:01"}',
	$$bmi = 24.5 AND age = 25 AND tenths::text IN ('0.5', '0.7') AND seen = '2020-01-01 01:01:01'$$);
SELECT met('{"bmi": {"gt": 33}, "age": 19, "sex": "M"}', $$bmi > 33 AND age = 19 AND sex = 'M'$$, 1000);

-- The other columns are distributed as in rows that were filtered.
SELECT as_filtered('{"sex": "F"}', $$sex = 'F'$$, '{age,bmi,tenths,(income IS NULL)::int,(city = ''Ulm'')::int}');
SELECT as_filtered('{"city": ["Bonn", "Hof"]}', $$city IN ('Bonn', 'Hof')$$, '{age,bmi,(sex = ''F'')::int,(city = ''Hof'')::int}');
SELECT as_filtered('{"sex": "F", "city": "Kiel"}', $$sex = 'F' AND city = 'Kiel'$$, '{age,bmi,(smoker IS NULL)::int}');
SELECT as_filtered('{"bmi": {"gte": 25}, "sex": "M", "age": {"lt": 35}}', $$bmi >= 25 AND sex = 'M' AND age < 35$$,
	'{age,bmi,tenths,(city = ''Kiel'')::int}');
SELECT as_filtered('{"income": [0, null], "sex": "F"}', $$(income = 0 OR income IS NULL) AND sex = 'F'$$,
	'{(income IS NULL)::int,bmi,extract(epoch FROM seen) / 86400}');
SELECT as_filtered('{"age": [18, 30, 50], "smoker": [null, true]}', $$age IN (18, 30, 50) AND smoker IS NOT FALSE$$,
	'{(age = 18)::int,(smoker IS NULL)::int,bmi}');
SELECT as_filtered('{"bmi": 25}', $$bmi BETWEEN 24.8 AND 25.2$$, '{tenths,(sex = ''F'')::int}');

-- Rows are a function of their number.
SELECT results_eq(
	$$SELECT to_jsonb(s) FROM synth_sample(NULL::people, 700, seed => 9, start => 1500,
		given => '{"sex": "F", "income": [null, 0], "age": {"lt": 50}}') s$$,
	$$SELECT to_jsonb(s) FROM synth_sample(NULL::people, 3000, seed => 9,
		given => '{"sex": "F", "income": [null, 0], "age": {"lt": 50}}') s OFFSET 1499 LIMIT 700$$,
	'the same rows wherever a stream starts');
SELECT isnt(
	(SELECT array_agg(bmi) FROM synth_sample(NULL::people, 10, seed => 1, given => '{"sex": "F"}')),
	(SELECT array_agg(bmi) FROM synth_sample(NULL::people, 10, seed => 2, given => '{"sex": "F"}')),
	'another seed gives other rows');

-- Errors.
SELECT refused('[1]', '22023', 'given is not a jsonb object');
SELECT refused('{"height": 1}', '42703', 'the model has no column "height" to be given');
SELECT refused('{"age": "old"}', '22P02', 'invalid input syntax for type integer: "old"');
SELECT refused('{"age": 17.5}', '22P02', 'invalid input syntax for type integer: "17.5"');
SELECT refused('{"age": [[1]]}', '22023', 'what is given for column "age" is not a value%');
SELECT refused('{"age": {"gte": null}}', '22023', 'what is given for column "age" is not a value%');
SELECT refused('{"age": []}', '22023', 'the set given for column "age" is empty');
SELECT refused('{"age": {}}', '22023', 'the range given for column "age" is empty');
SELECT refused('{"age": {"gt": 5, "lt": 5}}', '22023', 'the range given for column "age" is empty');
SELECT refused('{"age": {"gte": 5, "gt": 5}}', '22023', '%two bounds on one side');
SELECT refused('{"age": {"ge": 5}}', '22023', '%unknown bound "ge"');
SELECT refused('{"age": 5}', '22000', 'column "age" is 5 with probability zero');
SELECT refused('{"age": {"gte": 200}}', '22000', 'column "age" is within the range given with probability zero');
SELECT refused('{"age": null}', '22000', 'column "age" is NULL with probability zero');
SELECT refused('{"income": 0.001}', '22000', 'column "income" is 0.001 with probability zero');
SELECT refused('{"city": ["Ulm", "Rome"]}', '22000', 'column "city" is Rome with probability zero');
SELECT refused('{"mood": "elated"}', '22000', 'column "mood" is elated with probability zero');
SELECT refused('{"mood": "blue"}', '22P02', 'invalid input value for enum mood: "blue"');
SELECT refused('{"counted": -1}', '22000', 'column "counted" is -1 with probability zero');
SELECT refused('{"city": {"gte": "Ulm"}}', '0A000', 'a range of column "city" (text) cannot be given');
SELECT refused('{"tag": "abc"}', '0A000', 'values of column "tag" (generated text) cannot be given');
SELECT refused('{"doc": "{}"}', '0A000', 'values of column "doc" (json) cannot be given');
SELECT refused('{"place": "(1,2)"}', '0A000', 'values of column "place" (point) cannot be given');
SELECT refused('{"code": "c-Ulm", "city": "Bonn"}', '22000', 'the given values have probability zero together');

-- So many values that their probabilities together are below the least double.
DO $$ BEGIN
	EXECUTE (SELECT format('CREATE TABLE wide AS SELECT %s FROM generate_series(1, 300) AS g',
		string_agg(format('pg_temp.z(g, %s) AS c%s', i, i), ', ')) FROM generate_series(1, 60) AS i);
END $$;
SELECT FROM synth_fit('wide', method => 'copula', seed => 1, options => '{"differences": 0, "dependencies": 0}');
SELECT is((SELECT count(*) FROM synth_sample('wide', 100, seed => 1, given => (SELECT jsonb_object_agg('c' || i, 0.1) FROM generate_series(1, 59) AS i)) AS w
	WHERE w ->> 'c1' = '0.1' AND w ->> 'c59' = '0.1'), 100::bigint, 'values of 59 columns');

-- Values of several parts that are one level, and numbers of few values.
CREATE TABLE few AS SELECT i % 4 * interval '1 month 2 hours' AS stay, numrange(i % 3, i % 3 + 1.50) AS span,
	i % 3 * 12345678901234567890.50 AS wide, CASE i % 4 WHEN 0 THEN float8 '-0' WHEN 1 THEN 0 WHEN 2 THEN 'NaN' ELSE 1.5 END AS real
FROM generate_series(1, 600) i;
SELECT synth_fit('few', seed => 1, options => '{"dependencies": 0}');
SELECT is(ARRAY(SELECT DISTINCT stay::text FROM synth_sample(NULL::few, 200, seed => 1, given => '{"stay": ["1 month 2 hours", "2 mons 4 hours"]}') ORDER BY 1),
	ARRAY['1 mon 02:00:00', '2 mons 04:00:00'], 'intervals that are few');
SELECT is(ARRAY(SELECT DISTINCT wide FROM synth_sample(NULL::few, 200, seed => 1, given => '{"wide": [0.0, 12345678901234567890.5]}') ORDER BY 1),
	ARRAY[0.00, 12345678901234567890.50], 'wide numerics');
SELECT is(ARRAY(SELECT DISTINCT real::text COLLATE "C" FROM synth_sample(NULL::few, 200, seed => 1, given => '{"real": ["NaN", 0]}') ORDER BY 1),
	ARRAY['-0', '0', 'NaN'], 'both zeros');
SELECT throws_like($$SELECT synth_sample('few', 1, given => '{"stay": "60 days 4 hours"}')$$,
	'column "stay" is 60 days 4 hours with probability zero', 'an interval that is equal to one, and is not the same');

-- What is not NULL in any row, of types of which a feature is only a part.
CREATE TABLE parted AS SELECT g * interval '1 month 1 s' AS i, int4range(g, g + g % 9) AS r, tstzrange('2020-01-01Z'::timestamptz + g * interval '1 h', NULL) AS tr,
	point(g, g % 7) AS p, '10.0.0.0'::inet + g AS ip, '00:00+01'::timetz + g * interval '1 min' AS tz, numrange(g / 3.0, g) AS nr FROM generate_series(1, 300) AS g;
SELECT FROM synth_fit('parted', seed => 1);
CREATE FUNCTION hint_of(name text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	PERFORM synth_sample('parted', 1, given => jsonb_build_object(name, NULL));
	RETURN 'none';
EXCEPTION WHEN data_exception THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN hint;
END $$;
SELECT is((SELECT string_agg(DISTINCT hint_of(attname), '|') FROM pg_attribute WHERE attrelid = 'parted'::regclass AND attnum > 0),
	'Its values have several parts: none but NULL could be given, and it has none.', 'nothing is told of parts');

SELECT * FROM finish();
ROLLBACK;
