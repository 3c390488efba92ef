-- Masked diffusion: what a copula cannot learn, NULLs, conditions, determinism.
BEGIN;
SELECT plan(43);
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
	CASE WHEN kind <> 'new' THEN timestamp '2024-01-01' + random() * interval '300 days' END AS last
FROM (SELECT random() < 0.5 AS a, random() < 0.5 AS b, 2 * (2 * random() - 1) AS x,
		(ARRAY['free', 'new', 'paid', 'paid'])[1 + floor(4 * random())::int] AS kind
	FROM generate_series(1, 8000)) t;
SELECT is((SELECT method FROM synth_fit('r', method => 'diffusion', seed => 1, options => '{"steps": 1200, "batch_size": 256, "time_limit": 0}')),
	'diffusion', 'the method is told');
CREATE TABLE s AS SELECT * FROM synth_sample(NULL::r, 32768, seed => 2);

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
SELECT is_near('avg((c = (a <> b))::int)', 0.06);
SELECT is_near('avg((a AND b AND NOT c)::int)', 0.03);
-- a ring: its radius, which correlation does not show
SELECT is_near('stddev(x * x + ring * ring)', 0.3);
SELECT is_near('avg((abs(ring) < 1)::int)', 0.03, 'abs(x) < 1');
-- atoms by category, and what is between them
SELECT is_near('avg((spiky = 0)::int)', 0.06, 'kind = ''free''');
SELECT is_near('avg((spiky = 0)::int)', 0.02, 'kind <> ''free''');
SELECT is_near('avg(spiky)', 0.2, 'kind = ''paid''');
SELECT is_near('stddev(spiky)', 0.3, 'kind = ''paid''');
-- NULLs
SELECT is_near('avg((seen IS NULL)::int)', 0.01);
SELECT is_near('avg((seen IS NULL)::int)', 0.02, 'kind = ''new''');
SELECT is((SELECT count(*) FROM s WHERE (seen IS NULL) <> (last IS NULL)), 0::bigint, 'NULLs that come together still do');
SELECT is_near('avg(seen)', 0.4);
SELECT is_near('corr(seen, abs(x))', 0.05);
-- marginals are calibrated
SELECT is_near(format('avg((%s)::int)', what), 0.02) FROM unnest('{a,b,c,x < 0,spiky = 0,kind = ''paid'',seen > 10}'::text[]) what;

-- Value protection: no value of its own, no end beyond the fifth.
CREATE TABLE rare AS SELECT CASE WHEN i <= 4 THEN 'secret' ELSE 'open' END AS word,
	CASE WHEN i = 1 THEN 1e9 ELSE (i * 7919 % 5000) / 7.0 END AS amount, i % 3 AS g FROM generate_series(1, 3000) AS i;
SELECT count(synth_fit('rare', method => 'diffusion', seed => 1, options => '{"steps": 50}')) \g /dev/null
SELECT is((SELECT count(*) FROM synth_sample(NULL::rare, 20000, seed => 3) WHERE word <> 'open' OR amount > 715), 0::bigint,
	'rare values are not shown');

-- The same rows, whoever asks: projection, any start, another fit with fewer threads.
SELECT is((SELECT count(*) FROM (SELECT c, spiky FROM synth_sample(NULL::r, 3000, seed => 2) EXCEPT ALL SELECT c, spiky FROM s) d),
	0::bigint, 'a part of the columns is a part of the rows');
SELECT results_eq('SELECT * FROM synth_sample(NULL::r, 100, seed => 2, start => 2001)',
	'SELECT * FROM synth_sample(NULL::r, seed => 2) OFFSET 2000 LIMIT 100', 'any start gives the same rows');
CREATE FUNCTION parameters(int) RETURNS text LANGUAGE sql AS $$
	SELECT md5(string_agg(name || encode(data, 'hex'), ' ' ORDER BY name)) FROM gensynth.tensors
	WHERE version = $1 AND model = 'small' AND name <> 'training' $$;
SELECT count(synth_fit('SELECT * FROM r LIMIT 1000', model => 'small', method => 'diffusion', seed => 1, options => '{"steps": 30, "batch_size": 128}')) \g /dev/null
SET LOCAL max_parallel_maintenance_workers = 0;
SELECT count(synth_fit('SELECT * FROM r LIMIT 1000', model => 'small', method => 'diffusion', seed => 1, options => '{"steps": 30, "batch_size": 128}')) \g /dev/null
SELECT is(parameters(2), parameters(1), 'one thread learns the same');

-- Conditions.
SELECT is((SELECT count(*) FROM synth_sample(NULL::r, 2000, seed => 5, given => '{"kind": "paid", "x": {"gte": 1}}')
	WHERE kind = 'paid' AND x >= 1), 2000::bigint, 'conditions hold');
SELECT ok(abs(avg(abs(ring)) - (SELECT avg(abs(ring)) FROM r WHERE x BETWEEN 1.9 AND 2)) < 0.15, 'and what depends on them follows')
FROM synth_sample(NULL::r, 2000, seed => 5, given => '{"x": {"gte": 1.9, "lte": 2}}');
SELECT ok(abs(avg((a <> b)::int) - (SELECT avg((a <> b)::int) FROM r WHERE c)) < 0.08, 'in any direction')
FROM synth_sample(NULL::r, 3000, seed => 5, given => '{"c": true}');
-- two conditions with a choice each: rows come as often as together
SELECT ok(abs(avg((spiky = 0)::int) - (SELECT avg((spiky = 0)::int) FROM r WHERE kind IN ('free', 'paid') AND spiky < 2)) < 0.04,
	'proposals are weighted: ' || avg((spiky = 0)::int))
FROM synth_sample(NULL::r, 16384, seed => 5, given => '{"kind": ["free", "paid"], "spiky": {"lt": 2}}');
SELECT is((SELECT count(*) FROM synth_sample(NULL::r, 500, seed => 5, given => '{"seen": null}') WHERE seen IS NULL),
	500::bigint, 'NULL is a condition');
SELECT ok(count(*) = count(*) FILTER (WHERE seen IS NULL OR seen = 3) AND
	abs(avg((seen IS NULL)::int) - (SELECT avg((seen IS NULL)::int) FROM r WHERE seen IS NULL OR seen = 3)) < 0.04,
	'and one beside values')
FROM synth_sample(NULL::r, 3000, seed => 5, given => '{"seen": [null, 3]}');
SELECT throws_ok($$SELECT * FROM synth_sample(NULL::r, 10, given => '{"kind": "none"}')$$, NULL, NULL, 'what never is cannot be given');

-- A fit can be cancelled.
CREATE FUNCTION is_cancelled() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM synth_fit('r', method => 'diffusion', options => '{"steps": 1000000000, "time_limit": 0}');
	RETURN false;
EXCEPTION WHEN query_canceled THEN
	RETURN true;
END $$;
SET LOCAL statement_timeout = '1s';
SELECT ok(is_cancelled(), 'training can be cancelled');
RESET statement_timeout;

-- Fewer evaluations of the network than columns: some are unmasked together.
SELECT count(synth_fit('SELECT * FROM r LIMIT 1000', model => 'coarse', method => 'diffusion', seed => 1,
	options => '{"steps": 30, "batch_size": 64, "sampling_steps": 2}')) \g /dev/null
SELECT is((SELECT count(*) FROM synth_sample('coarse', 1500, seed => 1, given => '{"kind": "paid"}') t WHERE t ->> 'kind' = 'paid'),
	1500::bigint, 'two evaluations make a row');
SELECT throws_ok($$SELECT synth_fit('r', method => 'diffusion', options => '{"sampling_steps": 0}')$$, '22023', NULL, 'none does not');

-- Hostile tensors: a weight that is not finite, a bias that is infinite, a token, the shape of the network.
CREATE FUNCTION with_tensor(tensor text, at int, bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	was bytea;
	payload bytea;
	told text;
BEGIN
	SELECT data, overlay(substr(data, 13) PLACING bytes FROM at) INTO was, payload
		FROM gensynth.tensors WHERE (model, name) = ('coarse', tensor);
	UPDATE gensynth.tensors SET data = 'GST1'::bytea || substr(sha256(payload), 1, 8) || payload
		WHERE (model, name) = ('coarse', tensor);
	told := throws_ok($s$SELECT * FROM synth_sample('coarse', 10)$s$, 'XX001', NULL, tensor || ' is looked at');
	UPDATE gensynth.tensors SET data = was WHERE (model, name) = ('coarse', tensor);
	RETURN told;
END $$;
SELECT with_tensor('diffusion/weights', 41, '\x0000c07f');
SELECT with_tensor('tokens/bias', 5, '\x0000807f');
SELECT with_tensor('tokens/token', 1, '\xffffffff');
SELECT with_tensor('diffusion/net', 9, '\x00000000');
SELECT with_tensor('diffusion/net', 1, '\xffffff7f');
SELECT is((SELECT count(*) FROM synth_sample('coarse', 10)), 10::bigint, 'and as they were they do');

-- Columns of which nothing is left, or little.
CREATE TABLE odd AS SELECT NULL::int AS nothing, 7 AS same, i AS n, NULL::timestamp AS never FROM generate_series(1, 60) AS i;
SELECT lives_ok($$SELECT synth_fit('odd', method => 'diffusion', seed => 1, options => '{"steps": 30}')$$, 'odd columns are learned');
SELECT results_eq('SELECT DISTINCT nothing, same, never FROM synth_sample(NULL::odd, 50, seed => 1)',
	'VALUES (NULL::int, 7, NULL::timestamp)', 'and sampled');
SELECT * FROM finish();
ROLLBACK;
