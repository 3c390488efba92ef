-- Refinement: rows are accepted as likely as real ones are, whatever the family.
BEGIN;
SELECT plan(31);
SET LOCAL client_min_messages = warning;
SELECT setseed(0.3) \g /dev/null

-- c tells whether a and b differ, and a copula cannot know; z is bent.
CREATE TABLE r AS
SELECT g AS id, a, b, CASE WHEN random() < 0.8 THEN a <> b ELSE a = b END AS c, x,
	(x * x + 100 * random())::int AS z, CASE WHEN random() < 0.7 THEN x + (10 * random())::int END AS n,
	(ARRAY['red', 'green', 'blue'])[1 + (abs(x) / 7)::int % 3] AS hue
FROM (SELECT g, random() < 0.5 AS a, random() < 0.4 AS b, (20 * random() - 10)::int AS x FROM generate_series(1, 12000) g) t;
ALTER TABLE r ADD PRIMARY KEY (id);

-- The note of a round, as numbers: AUC before, after, acceptance.
CREATE FUNCTION told(notes text[], round int) RETURNS float8[] LANGUAGE sql AS $$
	SELECT regexp_match(note, 'AUC of ([0-9.]+), and of ([0-9.]+) after ([0-9]+) %')::float8[]
	FROM unnest(notes) AS note WHERE note LIKE 'refinement ' || round || ':%' $$;
CREATE TABLE fits AS SELECT * FROM generate_series(0, 2) AS refine, synth_fit('r', method => 'copula', model => 'm' || refine, seed => 1,
	exclude => '{id}', options => jsonb_build_object('refine', refine));
SELECT is((SELECT count(*) FROM fits, unnest(notes) AS note WHERE note LIKE 'refinement%'), 3::bigint, 'every round is reported');
SELECT ok((told(notes, 1))[1] > 0.7, 'a copula''s rows are told from real ones') FROM fits WHERE refine = 1;
SELECT ok((told(notes, 1))[2] < (told(notes, 1))[1] - 0.15, 'hardly so those that are accepted') FROM fits WHERE refine = 1;
SELECT ok((told(notes, 1))[3] BETWEEN 14 AND 95, 'not all are') FROM fits WHERE refine = 1;
SELECT ok(coalesce((told(notes, 2))[1], 0.5) < (told(notes, 1))[1] - 0.1, 'the next round has less to tell, or nothing') FROM fits WHERE refine = 2;

CREATE TABLE s AS SELECT refine, t.* FROM generate_series(0, 2) AS refine, synth_rows('m' || refine, 6000, seed => 3) AS
	t(a bool, b bool, c bool, x int, z int, n int, hue text);
CREATE FUNCTION off(statistic text, model int, place text DEFAULT 'true') RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	d float8;
BEGIN
	EXECUTE format('SELECT abs((SELECT %1$s FROM r WHERE %3$s) - (SELECT %1$s FROM s WHERE refine = %2$s AND %3$s))', statistic, model, place) INTO d;
	RETURN d;
END $$;
SELECT ok(off('avg((c = (a <> b))::int)', 0) > 0.2, 'an exclusive or is beyond the copula');
SELECT ok(off('avg((c = (a <> b))::int)', 2) < 0.08, 'refined, it comes out');
SELECT ok(off('avg(z)', 0, 'abs(x) < 3') > 10, 'nor does it bend');
SELECT ok(off('avg(z)', 1, 'abs(x) < 3') < 4, 'as early as in the first round');
SELECT ok(off('avg(z)', 2, 'abs(x) < 3') < 3, 'what is refined does');
SELECT ok(off('avg((n IS NULL)::int)', 2) < 0.02 AND off('avg(n)', 2, 'a') < 0.5, 'NULLs stay, and the rest depends on what it did');
SELECT ok(off('avg(x)', 1) < 0.4 AND off('stddev(x)', 1) < 0.3 AND off('avg(a::int)', 1) < 0.04 AND off('avg(b::int)', 1) < 0.04,
	'no column by itself gets worse');

-- A figure that a copula knows nothing of: few rows are accepted, of which a lowered cut must not spoil the columns by themselves.
SELECT setseed(0.3) \g /dev/null
CREATE TABLE figure AS
SELECT round((10 * (1 - 0.5 * abs(sin(2 * w))) * cos(w) + random())::numeric, 2) AS x, round((10 * sin(w) + random())::numeric, 2) AS y,
	(w / 0.7)::int % 5 AS sector, random() < 0.3 + 0.3 * sin(w) AS lit
FROM (SELECT 6.283 * random() * random() AS w FROM generate_series(1, 12000)) AS t;
CREATE TABLE figured AS SELECT notes FROM synth_fit('figure', method => 'copula', seed => 1, options => '{"refine": 1}');
CREATE TABLE made AS SELECT * FROM synth_sample(NULL::figure, 60000, seed => 1);
CREATE FUNCTION moved(what text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	d float8;
BEGIN
	EXECUTE format('SELECT sum(abs(coalesce(a.share, 0) - coalesce(b.share, 0))) / 2
		FROM (SELECT %1$s AS k, count(*) / 12000.0 AS share FROM figure GROUP BY 1) AS a
		FULL JOIN (SELECT %1$s AS k, count(*) / 60000.0 AS share FROM made GROUP BY 1) AS b USING (k)', what) INTO d;
	RETURN d;
END $$;
SELECT ok((told(notes, 1))[1] > 0.9 AND (told(notes, 1))[3] = 15, 'of a figure as few are accepted as may be') FROM figured;
SELECT ok(moved('sector') < 0.018, 'shares of a category stay');
SELECT ok(moved('width_bucket(x, -10, 11, 20)') < 0.052 AND moved('width_bucket(y, -10, 11, 20)') < 0.042, 'and those of ranges of numbers');

-- The same rows whoever asks.
SELECT results_eq('SELECT hue, x FROM synth_rows(''m2'', 2048, seed => 3) AS t(x int, hue text)',
	'SELECT hue, x FROM synth_rows(''m2'', 2048, seed => 3) AS t(a bool, b bool, c bool, x int, z int, n int, hue text)',
	'a part of the columns is a part of the rows');
SELECT results_eq('SELECT * FROM synth_rows(''m2'', 100, seed => 3, start => 1949) AS t(x int, hue text)',
	'SELECT * FROM synth_rows(''m2'', 2048, seed => 3) AS t(x int, hue text) OFFSET 1948 LIMIT 100', 'any start gives the same rows');
SELECT count(synth_fit('r', method => 'copula', model => 'again', seed => 1, exclude => '{id}', options => '{"refine": 2}')) \g /dev/null
SELECT is((SELECT count(*) FROM gensynth.tensors AS a JOIN gensynth.tensors AS b USING (name)
	WHERE a.model = 'm2' AND b.model = 'again' AND a.name LIKE 'refine/%' AND a.data = b.data),
	(SELECT count(*) FROM gensynth.tensors WHERE model = 'm2' AND name LIKE 'refine/%'), 'the same seed learns the same');

-- Conditions.
SELECT is((SELECT count(*) FROM synth_rows('m2', 2000, seed => 5, given => '{"a": true, "x": {"gte": 5}}') AS t(a bool, x int)
	WHERE a AND x >= 5), 2000::bigint, 'conditions hold');
SELECT ok(abs(avg(c::int) - (SELECT avg(c::int) FROM r WHERE a AND NOT b)) < 0.06, 'and what depends on them follows the refined model')
FROM synth_rows('m2', 3000, seed => 5, given => '{"a": true, "b": false}') AS t(c bool);

-- With a key, and a condition of the user's.
SELECT count(synth_fit('r', method => 'copula', seed => 1, options => '{"refine": 2, "constraints": ["z >= x"]}')) \g /dev/null
SELECT is((SELECT count(DISTINCT id) FROM synth_sample(NULL::r, 5000, model => 'r', seed => 2) WHERE z >= x), 5000::bigint, 'keys and conditions hold');
SELECT ok(abs(avg((c = (a <> b))::int) - 0.8) < 0.1, 'in refined rows') FROM synth_sample(NULL::r, 5000, model => 'r', seed => 2);

-- What EXPLAIN tells.
CREATE FUNCTION explained(query text, what text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) ' || query LOOP
		IF line LIKE '%' || what || ': %' THEN
			RETURN substring(line FROM ': ([0-9.]+)');
		END IF;
	END LOOP;
END $$;
SELECT is(explained('SELECT * FROM synth_sample(NULL::r, 5000, model => ''r'')', 'Refinement Rounds'),
	(SELECT count(told(notes, round))::float8 FROM fits, generate_series(1, 2) AS round WHERE refine = 2), 'EXPLAIN tells the rounds');
SELECT ok(explained('SELECT * FROM synth_sample(NULL::r, 5000, model => ''r'')', 'Refinement Acceptance') BETWEEN 0.05 AND 0.95, 'and the acceptance');
SELECT ok(explained('SELECT * FROM synth_sample(NULL::r, 5000, model => ''r'')', 'AUC Before Refinement') >
	explained('SELECT * FROM synth_sample(NULL::r, 5000, model => ''r'')', 'AUC After Refinement') + 0.15, 'and the gain');

-- Nothing to refine.
SELECT ok('refinement 1: rows of the model are not told from real ones' = ANY ((synth_fit('SELECT a, c, x FROM r', model => 'plain',
	method => 'tree', seed => 1, options => '{"refine": 3}')).notes), 'where nothing is told, nothing is refined');
CREATE TABLE few AS SELECT * FROM r LIMIT 300;
SELECT ok(EXISTS (SELECT FROM synth_fit('few', seed => 1, options => '{"refine": 1}'), unnest(notes) AS note WHERE note LIKE 'nothing was refined: %'),
	'few rows are not refined');
SELECT throws_like($$SELECT synth_fit('r', options => '{"refine": 4}')$$, 'option "refine" is out of range', 'rounds are at most 3');

-- A date that is told from another one has a part of its own where that one is NULL: not having it is nothing to be told by.
SELECT setseed(0.5) \g /dev/null
CREATE TABLE lives AS SELECT CASE WHEN i % 25 > 0 THEN born END AS born, CASE WHEN i % 2 > 0 THEN born + 9000 + (r * 20000)::int END AS died, extract(year FROM born)::int / 3 + (r * 3)::int AS x
	FROM (SELECT i, date '1850-01-01' + (random() * 50000)::int AS born, random() AS r FROM generate_series(1, 6000) AS i) AS b;
SELECT synth_fit('lives', seed => 1, options => '{"refine": 1}') \g /dev/null
SELECT cmp_ok(abs(avg((died IS NULL)::int) - (SELECT avg((died IS NULL)::int) FROM lives)), '<', 0.05, 'parts that are not there do not tell') FROM synth_sample(NULL::lives, 6000, seed => 1);

-- What is stored is hostile.
CREATE FUNCTION with_word(tensor text, at int, word bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	payload bytea;
BEGIN
	SELECT substr(data, 13) INTO payload FROM gensynth.tensors WHERE (model, name) = ('m2', tensor);
	at := at % (length(payload) / length(word));
	payload := overlay(payload PLACING word FROM at * length(word) + 1);
	UPDATE gensynth.tensors SET data = 'GST1'::bytea || substr(sha256(payload), 1, 8) || payload WHERE (model, name) = ('m2', tensor);
	PERFORM count(t::text) FROM synth_rows('m2', 100, seed => 1) AS t(x int, hue text);
	RAISE EXCEPTION 'none';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT is((SELECT string_agg(DISTINCT with_word(tensor, at, word), ',') FROM (VALUES ('refine/predictor', '\x00000080'::bytea), ('refine/predictor', '\xffffff7f'),
	('refine/code', '\xff'), ('refine/round', '\x000000000000f87f'), ('refine/shift', '\x0000807f'), ('refine/split', '\xffffff7f'),
	('refine/split', '\x00000080'), ('refine/value', '\x0000c07f')) AS t(tensor, word), generate_series(0, 1) AS at),
	'XX001', 'impossible words are found');
SELECT is((SELECT count(*) FROM generate_series(1, 300) AS i, LATERAL (SELECT with_word((ARRAY['refine/predictor', 'refine/code', 'refine/round', 'refine/shift',
	'refine/split', 'refine/mask', 'refine/value'])[1 + i % 7], i * i, (ARRAY['\x00000000', '\xffffffff', '\x01000000', '\x7f', '\xff000000',
	'\x0000803f']::bytea[])[1 + i % 6]) AS state) AS s WHERE state NOT IN ('XX001', 'P0001')), 0::bigint, 'any other word is an error or none');
SELECT * FROM finish();
ROLLBACK;
