-- Sequential trees: what a copula cannot learn, NULLs, differences, conditions.
BEGIN;
SELECT plan(58);
SET LOCAL client_min_messages = warning;
SELECT setseed(0.4) \g /dev/null

CREATE FUNCTION normal() RETURNS float8
LANGUAGE sql AS $$ SELECT sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) $$;

-- a, b and c: each pair is independent, all three are not.  ring: no correlation, all dependence.
-- spiky: an atom for some, numbers for others.  seen, last: NULL together, and by kind.
CREATE TABLE r AS
SELECT a, b, CASE WHEN random() < 0.95 THEN a <> b ELSE a = b END AS c, x,
	sqrt(greatest(4 - x * x, 0)) * sign(random() - 0.5) + 0.1 * normal() AS ring, kind,
	CASE WHEN kind = 'free' THEN 0 ELSE round((exp(1 + normal() / 2))::numeric, 2) END AS spiky,
	CASE WHEN kind <> 'new' THEN (10 * abs(x))::int END AS seen,
	CASE WHEN kind <> 'new' THEN timestamp '2024-01-01' + random() * interval '300 days' END AS last,
	began, CASE WHEN random() < 0.9 THEN began + random() * random() * interval '2 hours' + interval '1 minute' END AS ended,
	m1, m1 + round(m2) AS m2, m1 + round(m2) + round(m3) AS m3
FROM (SELECT random() < 0.5 AS a, random() < 0.5 AS b, 2 * (2 * random() - 1) AS x,
		(ARRAY['free', 'new', 'paid', 'paid'])[1 + floor(4 * random())::int] AS kind,
		timestamp '2024-01-01' + random() * interval '700 days' AS began,
		round(exp(6 + normal()))::int AS m1, exp(2 + normal()) AS m2, exp(2 + normal()) AS m3
	FROM generate_series(1, 12000)) t;
SELECT is((SELECT method FROM synth_fit('r', method => 'tree', seed => 1)), 'tree', 'the method is told');
CREATE TABLE s AS SELECT * FROM synth_sample(NULL::r, 12000, seed => 2);

CREATE FUNCTION is_near(statistic text, tolerance float8, place text DEFAULT 'true') RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	a float8;
	b float8;
BEGIN
	EXECUTE format('SELECT %s FROM r WHERE %s', statistic, place) INTO a;
	EXECUTE format('SELECT %s FROM s WHERE %s', statistic, place) INTO b;
	RETURN ok(abs(a - b) <= tolerance, format('%s where %s: %s, not %s', statistic, place, b, a));
END $$;

-- exclusive or
SELECT is_near('avg((c = (a <> b))::int)', 0.01);
SELECT is_near('avg((a AND b AND NOT c)::int)', 0.01);
SELECT is_near('avg(c::int)', 0.01, 'a');
-- a ring: its radius, which correlation does not show
SELECT is_near('stddev(x * x + ring * ring)', 0.25);
SELECT is_near('avg((abs(ring) < 1)::int)', 0.03, 'abs(x) < 1');
-- atoms by category, and what is between them
SELECT is((SELECT count(*) FROM s WHERE (kind = 'free') <> (spiky = 0)), 0::bigint, 'an atom goes with its kind');
SELECT is_near('avg(spiky)', 0.15, 'kind = ''paid''');
SELECT is_near('stddev(spiky)', 0.25, 'kind = ''paid''');
-- NULLs
SELECT is((SELECT count(*) FROM s WHERE (kind = 'new') <> (seen IS NULL)), 0::bigint, 'a NULL goes with its kind');
SELECT is((SELECT count(*) FROM s WHERE (seen IS NULL) <> (last IS NULL)), 0::bigint, 'NULLs that come together still do');
SELECT is_near('avg(seen)', 0.2);
SELECT is_near('corr(seen, abs(x))', 0.03);
SELECT is_near('avg((ended IS NULL)::int)', 0.01);
-- differences: an end soon after its beginning, a meter that only rises
SELECT ok((SELECT avg((ended < began)::int) < 0.03 FROM s), 'hardly anything ends before it begins');
SELECT is_near('percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM ended - began))', 120);
SELECT is_near('percentile_cont(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM ended - began))', 300);
SELECT ok((SELECT avg((m2 < m1)::int) < 0.005 FROM s), 'what rises rises');
SELECT is_near('percentile_cont(0.5) WITHIN GROUP (ORDER BY m3 - m2)', 1);
SELECT is_near('percentile_cont(0.5) WITHIN GROUP (ORDER BY m3)', 25);

-- Value protection: no value of its own, no end beyond the fifth.
CREATE TABLE rare AS SELECT CASE WHEN i <= 4 THEN 'secret' ELSE 'open' END AS word,
	CASE WHEN i = 1 THEN 1e9 ELSE (i * 7919 % 5000) / 7.0 END AS amount, i % 3 AS g FROM generate_series(1, 3000) AS i;
SELECT count(synth_fit('rare', method => 'tree', seed => 1)) \g /dev/null
SELECT is((SELECT count(*) FROM synth_sample(NULL::rare, 20000, seed => 3) WHERE word <> 'open' OR amount > 715), 0::bigint,
	'rare values are not shown');

-- Memorising: fitted to one half, rows are no nearer to it than to the other.
CREATE TABLE whole AS SELECT row_number() OVER () AS i, x, x + normal() AS y, z, z * x + normal() AS w, g
	FROM (SELECT normal() AS x, normal() AS z, floor(random() * 4)::int AS g FROM generate_series(1, 3000)) t;
SELECT count(synth_fit('SELECT x, y, z, w, g FROM whole WHERE i % 2 = 0', method => 'tree', model => 'half', seed => 1)) \g /dev/null
SELECT ok(abs(avg((least_own < least_other)::int) - 0.5) < 0.07, 'as near to the other half: ' || avg((least_own < least_other)::int))
FROM (SELECT min(d) FILTER (WHERE own) AS least_own, min(d) FILTER (WHERE NOT own) AS least_other
	FROM (SELECT t.n, w.i % 2 = 0 AS own,
			(w.x - t.x) ^ 2 + (w.y - t.y) ^ 2 + (w.z - t.z) ^ 2 + (w.w - t.w) ^ 2 + (w.g <> t.g)::int AS d
		FROM (SELECT row_number() OVER () AS n, t.* FROM synth_rows('half', 600, seed => 4)
			AS t(x float8, y float8, z float8, w float8, g int)) t, whole w) distance
	GROUP BY n) nearest;

-- The same rows, whoever asks: projection, chunks, another fit, more threads.
SELECT is((SELECT count(*) FROM (SELECT c, m2 FROM synth_sample(NULL::r, 3000, seed => 2) EXCEPT ALL SELECT c, m2 FROM s) d),
	0::bigint, 'a part of the columns is a part of the rows');
SELECT results_eq('SELECT * FROM synth_sample(NULL::r, 100, seed => 2, start => 2001)',
	'SELECT * FROM synth_sample(NULL::r, seed => 2) OFFSET 2000 LIMIT 100', 'any start gives the same rows');
CREATE FUNCTION parameters(int) RETURNS text LANGUAGE sql AS $$
	SELECT md5(string_agg(name || encode(data, 'hex'), ' ' ORDER BY name)) FROM gensynth.tensors
	WHERE version = $1 AND model = 'r' $$;
SET LOCAL max_parallel_maintenance_workers = 0;
SELECT count(synth_fit('r', method => 'tree', seed => 1)) \g /dev/null
SELECT is(parameters(2), parameters(1), 'one thread learns the same');

-- Conditions.
SELECT is((SELECT count(*) FROM synth_sample(NULL::r, 3000, seed => 5, given => '{"kind": "paid", "x": {"gte": 1}}')
	WHERE kind = 'paid' AND x >= 1), 3000::bigint, 'conditions hold');
SELECT ok(abs(avg(abs(ring)) - (SELECT avg(abs(ring)) FROM r WHERE x BETWEEN 1.9 AND 2)) < 0.15, 'and what depends on them follows')
FROM synth_sample(NULL::r, 2000, seed => 5, given => '{"x": {"gte": 1.9, "lte": 2}}');
SELECT ok(abs(avg((a <> b)::int) - (SELECT avg((a <> b)::int) FROM r WHERE c)) < 0.03, 'backwards too')
FROM synth_sample(NULL::r, 3000, seed => 5, given => '{"c": true}');
SELECT is((SELECT count(*) FROM synth_sample(NULL::r, 500, seed => 5, given => '{"seen": null}') WHERE seen IS NULL AND kind = 'new'),
	500::bigint, 'NULL is a condition');
SELECT is((SELECT count(*) FROM synth_sample(NULL::r, 500, seed => 5, given => '{"seen": [null, 3]}') WHERE seen IS NULL OR seen = 3),
	500::bigint, 'and one beside values');
SELECT is((SELECT count(*) FROM synth_sample(NULL::r, 500, seed => 5, given => '{"m2": {"lt": 100}}') WHERE m2 < 100),
	500::bigint, 'a number told from another may be given');
SELECT throws_ok($$SELECT * FROM synth_sample(NULL::r, 10, given => '{"kind": "none"}')$$, NULL, NULL, 'what never is cannot be given');

-- Options.
SELECT lives_ok($$SELECT synth_fit('r', method => 'tree', options => '{"order": ["ended", "kind"], "min_leaf": 200}')$$,
	'columns can be put first');
SELECT throws_ok($$SELECT synth_fit('r', method => 'tree', options => '{"order": ["nobody"]}')$$, '42703', NULL,
	'unless they are not there');
SELECT throws_ok($$SELECT synth_fit('r', method => 'tree', options => '{"order": "kind"}')$$, '22023', NULL, 'order is an array');
SELECT throws_ok($$SELECT synth_fit('r', method => 'tree', options => '{"min_leaf": 1}')$$, '22023', NULL, 'leaves are not too small');

SELECT throws_like($$SELECT synth_fit('r', method => 'tree', options => '{"condition_first": ["nobody"]}')$$, '%option "condition_first" is not learned', 'nor for conditions');

-- A second chain, for conditions.
CREATE FUNCTION told(query text, what text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) ' || query LOOP
		IF line ~ ('^ *' || what || ': ') THEN
			RETURN substring(line FROM ': ([0-9.]+)');
		END IF;
	END LOOP;
END $$;
SELECT count(synth_fit('r', method => 'tree', seed => 1, options => '{"order": ["a", "kind", "x"], "refine": 0}')) \g /dev/null
SELECT ok(told($$SELECT * FROM synth_sample(NULL::r, 1024, seed => 1, given => '{"x": {"gt": 1}, "seen": 14}')$$, 'Acceptance') < 0.6, 'late columns cost tries');
SELECT ok(told($$SELECT * FROM synth_sample(NULL::r, 1024, seed => 1, given => '{"x": {"gt": 1}, "seen": 14}')$$, 'Effective Sample Size')
	BETWEEN 1024 AND 20000, 'which are counted by what they are worth');
CREATE TABLE plain AS SELECT * FROM synth_sample(NULL::r, 2000, seed => 7);
SELECT count(synth_fit('r', method => 'tree', seed => 1, options => '{"order": ["a", "kind", "x"], "condition_first": ["seen"], "keep_versions": 9, "refine": 0}')) \g /dev/null
SELECT ok(told($$SELECT * FROM synth_sample(NULL::r, 1024, seed => 1, given => '{"seen": 14}')$$, 'Acceptance') > 0.7, 'first they cost few');
SELECT ok(abs(avg(abs(x)) - 1.4) < 0.04, 'what depends on them follows') FROM synth_sample(NULL::r, 1024, seed => 1, given => '{"seen": 14}');
SELECT ok(EXISTS (SELECT FROM gensynth.tensors WHERE name = 'condition/position'), 'a second chain is kept');

-- What two columns determine together, and what one nearly does.
CREATE TABLE pairs AS
SELECT shop, day, (ARRAY['early', 'late', 'night'])[1 + (shop * 7 + day * day) % 3] AS shift, 'town' || town AS town,
	CASE WHEN random() < 0.99 THEN 'land' || town * 79 % 13 ELSE 'land' || (12 * random())::int END AS land, random() AS x
FROM (SELECT (15 * random())::int AS shop, (6 * random())::int AS day, floor(300 * random() * random())::int AS town FROM generate_series(1, 15000)) t;
SELECT count(synth_fit('pairs', method => 'tree', seed => 1)) \g /dev/null
SELECT is((SELECT count(*) FROM synth_sample(NULL::pairs, 10000, seed => 1) AS s
	WHERE NOT EXISTS (SELECT FROM pairs AS p WHERE (p.shop, p.day, p.shift) = (s.shop, s.day, s.shift))), 0::bigint, 'what a pair determines is exact');
SELECT results_eq($$SELECT shop, day FROM synth_sample(NULL::pairs, 2000, seed => 3, given => '{"shift": "night"}') WHERE shift = 'night' ORDER BY 1, 2$$,
	$$SELECT shop, day FROM synth_sample(NULL::pairs, 2000, seed => 3, given => '{"shift": "night"}') ORDER BY 1, 2$$, 'a condition on it holds');
SELECT ok(abs((SELECT avg(day) FROM synth_sample(NULL::pairs, 3000, seed => 3, given => '{"shift": "night"}')) - avg(day)) < 0.1,
	'and tells about the pair') FROM pairs WHERE shift = 'night';
SELECT throws_ok($$SELECT * FROM synth_sample(NULL::pairs, 1, given => '{"shift": "night", "shop": 3, "day": 0}')$$, '22000', NULL,
	'what the pair excludes cannot be given');
SELECT ok(avg((land = 'land' || substr(town, 5)::int * 79 % 13)::int) > 0.975, 'what is nearly determined nearly is') FROM synth_sample(NULL::pairs, 10000, seed => 1);
SELECT count(synth_fit('pairs', method => 'tree', seed => 1, options => '{"dependencies": 0}')) \g /dev/null
SELECT lives_ok('SELECT * FROM synth_sample(NULL::pairs, 10)', 'dependencies need not be looked for');

-- Trees remember no rows: half of the synthetic ones are nearer to one of the rows learned from, half to one never seen.
CREATE TABLE people AS SELECT g % 2 = 0 AS learned, a, a + normal() AS b, a * a + normal() AS c, normal() AS d, exp(normal()) AS e
FROM (SELECT g, normal() AS a FROM generate_series(1, 6000) AS g) AS t;
SELECT count(synth_fit('SELECT a, b, c, d, e FROM people WHERE learned', model => 'half', method => 'tree', seed => 1)) \g /dev/null
CREATE FUNCTION nearer(source text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	share float8;
BEGIN
	EXECUTE format('SELECT avg((near < far)::int) FROM (SELECT min(apart) FILTER (WHERE learned) AS near, min(apart) FILTER (WHERE NOT learned) AS far
		FROM (SELECT s.n, p.learned, abs(s.a - p.a) + abs(s.b - p.b) + abs(s.c - p.c) + abs(s.d - p.d) + abs(s.e - p.e) AS apart
			FROM (%s) AS s, people AS p) AS t GROUP BY n) AS u', source) INTO share;
	RETURN share;
END $$;
SELECT ok(nearer('SELECT row_number() OVER () AS n, t.* FROM synth_rows(''half'', 800, seed => 2) AS t(a float8, b float8, c float8, d float8, e float8)')
	BETWEEN 0.44 AND 0.56, 'no row is remembered');
SELECT ok(nearer('SELECT row_number() OVER () AS n, a, b, c, d, e FROM people WHERE learned LIMIT 200') > 0.99, 'which would be seen');

-- Columns of which nothing is left, or little.
CREATE TABLE odd AS SELECT NULL::int AS nothing, 7 AS same, i AS n, NULL::timestamp AS never FROM generate_series(1, 60) AS i;
SELECT lives_ok($$SELECT synth_fit('odd', method => 'tree', seed => 1)$$, 'odd columns are learned');
SELECT results_eq('SELECT DISTINCT nothing, same, never FROM synth_sample(NULL::odd, 50, seed => 1)',
	'VALUES (NULL::int, 7, NULL::timestamp)', 'and sampled');
-- Numbers that two columns tell: a country's figure of a year, a currency's rate of a day. And a price list that has rare products.
CREATE TABLE figures AS SELECT country, year, abs(hashtext(country || year)) % 9000000 AS people, day, currency, (0.5 + abs(hashtext(currency || day)) % 100000 / 50000.0)::numeric(8, 4) AS rate
FROM (SELECT 'C' || floor(20 * random()) AS country, 1990 + floor(25 * random())::int AS year, date '2024-01-01' + floor(60 * random())::int AS day, (ARRAY['USD', 'EUR', 'GBP'])[1 + floor(3 * random())::int] AS currency FROM generate_series(1, 12000)) t;
SELECT count(synth_fit('figures', seed => 1)) \g /dev/null
SELECT cmp_ok((SELECT avg(EXISTS (SELECT FROM figures f WHERE (f.country, f.year, f.people) = (s.country, s.year, s.people))::int) FROM synth_sample(NULL::figures, 3000, seed => 1) s), '>=', 0.999, 'a number that two columns tell is theirs');
SELECT cmp_ok((SELECT avg(EXISTS (SELECT FROM figures f WHERE (f.day, f.currency, f.rate) = (s.day, s.currency, s.rate))::int) FROM synth_sample(NULL::figures, 3000, seed => 1) s), '>=', 0.999, 'of a date, too');
CREATE TABLE prices AS SELECT product, (abs(hashtext(product::text)) % 100000 / 100.0)::numeric(8, 2) AS price FROM (SELECT 1 + floor(random() ^ 3 * 1500)::int AS product FROM generate_series(1, 15000)) t;
SELECT count(synth_fit('prices', seed => 1)) \g /dev/null
SELECT cmp_ok((SELECT avg(EXISTS (SELECT FROM prices p WHERE (p.product, p.price) = (s.product, s.price))::int) FROM synth_sample(NULL::prices, 3000, seed => 1) s), '>=', 0.99, 'prices are those of the product, though some products are rare');
SELECT cmp_ok(abs(avg(product) / (SELECT avg(product) FROM prices) - 1), '<', 0.06, 'which keep their share') FROM synth_sample(NULL::prices, 15000, seed => 1);
CREATE TABLE gaps AS SELECT code, CASE WHEN i % 12 > 0 THEN 'name' || code * 7 % 31 END AS name FROM (SELECT i, floor(30 * random())::int AS code FROM generate_series(1, 6000) AS i) t;
SELECT count(synth_fit('gaps', seed => 1)) \g /dev/null
SELECT is(count(*) FILTER (WHERE name <> 'name' || code * 7 % 31), 0::bigint, 'what is determined may be NULL') FROM synth_sample(NULL::gaps, 6000, seed => 1);
SELECT cmp_ok(abs(avg((name IS NULL)::int) - 1 / 12.0), '<', 0.015, 'as often as in the source') FROM synth_sample(NULL::gaps, 6000, seed => 1);
SELECT * FROM finish();
ROLLBACK;
