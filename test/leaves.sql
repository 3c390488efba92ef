-- Sequential trees: leaves whose size the fit chooses, refinement that nobody asked for, categories of very many levels.
BEGIN;
SELECT plan(12);
SET LOCAL client_min_messages = warning;
SELECT setseed(0.6) \g /dev/null

CREATE FUNCTION normal() RETURNS float8
LANGUAGE sql AS $$ SELECT sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) $$;

-- A curve that leaves of 100 rows blur, and columns that tell nothing.
CREATE TABLE curve AS
SELECT x, 10 * sin(3 * x) + 0.3 * normal() AS y, normal() AS z, floor(random() * 5)::int AS g
FROM (SELECT 2 * normal() AS x FROM generate_series(1, 4000)) t;
SELECT count(synth_fit('curve', model => 'chosen', seed => 1, options => '{"refine": 0}')) \g /dev/null
SELECT count(synth_fit('curve', model => 'hundred', seed => 1, options => '{"refine": 0, "min_leaf": 100}')) \g /dev/null
CREATE FUNCTION blur(model text) RETURNS float8 LANGUAGE sql AS $$
	SELECT sqrt(avg((y - 10 * sin(3 * x)) ^ 2)) FROM synth_rows(model, 4000, seed => 2) AS t(x float8, y float8) $$;
SELECT ok(blur('chosen') < 0.7 * blur('hundred'), format('leaves are as small as pays: %s, not %s', blur('chosen'), blur('hundred')));
SELECT count(synth_fit('SELECT x, y, z, g FROM (SELECT row_number() OVER () AS i, * FROM curve) c WHERE i % 2 = 0', model => 'half', seed => 1)) \g /dev/null
SELECT ok(abs(avg((own < other)::int) - 0.5) < 0.09, 'and do not remember: ' || avg((own < other)::int))
FROM (SELECT min(d) FILTER (WHERE i % 2 = 0) AS own, min(d) FILTER (WHERE i % 2 = 1) AS other
	FROM (SELECT s.n, h.i, (h.x - s.x) ^ 2 + (h.y - s.y) ^ 2 / 9 + (h.z - s.z) ^ 2 + (h.g <> s.g)::int AS d
		FROM (SELECT row_number() OVER () AS n, t.* FROM synth_rows('half', 600, seed => 4) AS t(x float8, y float8, z float8, g int)) s,
			(SELECT row_number() OVER () AS i, * FROM curve) h) pair GROUP BY n) nearest;

-- A table of 150 rows keeps what goes together.
CREATE TABLE small AS SELECT x, x + 0.6 * normal() AS y, CASE WHEN x > 0 THEN 'high' ELSE 'low' END AS kind
FROM (SELECT normal() AS x FROM generate_series(1, 150)) t;
SELECT count(synth_fit('small', seed => 1)) \g /dev/null
SELECT ok(corr(x, y) > 0.5, 'few rows keep dependence: ' || corr(x, y)) FROM synth_sample(NULL::small, 2000, seed => 2);
SELECT ok(avg(((x > 0) = (kind = 'high'))::int) > 0.85, 'of a category, too') FROM synth_sample(NULL::small, 2000, seed => 2);

-- 600 tail numbers of 12 carriers, with an exception now and then: more levels than classes, and than codes.
CREATE TABLE flight AS
SELECT CASE WHEN random() < 0.002 THEN 'C0' ELSE 'C' || floor(sqrt(tail / 600.0) * 12)::int END AS carrier, 'N' || tail AS tail,
	(100 * random())::int AS delay
FROM (SELECT floor(600 * random())::int AS tail FROM generate_series(1, 9000)) t;
SELECT count(synth_fit('flight', seed => 1, options => '{"dependencies": 0, "refine": 0}')) \g /dev/null
SELECT ok(avg((s.carrier = f.carrier)::int) > 0.97, 'a tail number keeps its carrier: ' || avg((s.carrier = f.carrier)::int))
FROM synth_sample(NULL::flight, 5000, seed => 2) s
JOIN (SELECT tail, mode() WITHIN GROUP (ORDER BY carrier) AS carrier FROM flight GROUP BY tail) f USING (tail);

-- What trees miss, a sum of many, is refined unasked, and EXPLAIN tells; what they tell is not, nor is another method's.
CREATE TABLE sums AS SELECT a, b, c, d, a + b + c + d AS e FROM (SELECT normal() AS a, normal() AS b, normal() AS c, normal() AS d
	FROM generate_series(1, 4000)) t;
CREATE FUNCTION refined(text) RETURNS boolean LANGUAGE sql AS $$
	SELECT EXISTS (SELECT FROM gensynth.tensors WHERE model = $1 AND name = 'refine/round') $$;
SELECT ok((SELECT notes[1] LIKE 'refinement 1: %' FROM synth_fit('sums', seed => 1)), 'sums are refined');
SELECT ok(refined('sums'), 'for good');
CREATE FUNCTION explained(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN RETURN QUERY EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) ' || query; END $$;
SELECT ok(EXISTS (SELECT FROM explained('SELECT * FROM synth_sample(NULL::sums, 1000, seed => 1)') AS line WHERE line LIKE '%Refinement Rounds: %'),
	'EXPLAIN tells of it');
SELECT count(synth_fit('sums', model => 'copula', method => 'copula', seed => 1)) \g /dev/null
SELECT ok(NOT refined('copula') AND NOT refined('small'), 'neither other methods nor what cannot be told apart');

-- The options' spelling.
SELECT lives_ok($$SELECT synth_fit('small', options => '{"min_leaf": "auto", "refine": "auto"}')$$, '"auto" is the default by name');
SELECT throws_ok($$SELECT synth_fit('small', options => '{"min_leaf": "small"}')$$, '22023', NULL, 'no other word is a size');
SELECT throws_ok($$SELECT synth_fit('small', options => '{"max_rows": "auto"}')$$, '22023', NULL, 'not every number is chosen');
SELECT finish();
ROLLBACK;
