-- The variational autoencoder: what a copula cannot learn, determinism, conditions, the training's options and curve.
BEGIN;
SELECT plan(51);
SET LOCAL client_min_messages = warning;
SELECT setseed(0.4) \g /dev/null

CREATE FUNCTION normal() RETURNS float8
LANGUAGE sql AS $$ SELECT sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) $$;

-- a, b and c: each pair is independent, all three are not.  ring: no correlation, all dependence.
-- spiky: an atom for some, numbers for others.  seen, last: NULL together, and by kind.  tail: heavy.
CREATE TABLE r AS
SELECT a, b, CASE WHEN random() < 0.95 THEN a <> b ELSE a = b END AS c, x,
	sqrt(greatest(4 - x * x, 0)) * sign(random() - 0.5) + 0.1 * normal() AS ring, kind,
	CASE WHEN kind = 'free' THEN 0 ELSE round((exp(1 + normal() / 2))::numeric, 2) END AS spiky,
	CASE WHEN kind <> 'new' THEN (10 * abs(x))::int END AS seen,
	CASE WHEN kind <> 'new' THEN timestamp '2024-01-01' + random() * interval '300 days' END AS last,
	exp(3 * normal()) * (1 + b::int) AS tail, 'same' AS same
FROM (SELECT random() < 0.5 AS a, random() < 0.5 AS b, 2 * (2 * random() - 1) AS x,
		(ARRAY['free', 'new', 'paid', 'paid'])[1 + floor(4 * random())::int] AS kind
	FROM generate_series(1, 12000)) t;
SELECT is((SELECT method FROM synth_fit('r', method => 'vae', seed => 1, options => '{"steps": 800, "batch_size": 128, "learning_rate": 0.004}')), 'vae', 'the method is told');
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

-- (0.45 if nothing was learned; compilers differ by 0.01)
SELECT is_near('avg((c = (a <> b))::int)', 0.25);
SELECT is_near('avg((a AND b AND NOT c)::int)', 0.06);
SELECT is_near('stddev(x * x + ring * ring)', 0.5);
SELECT is_near('avg((abs(ring) < 1)::int)', 0.06, 'abs(x) < 1');
SELECT is_near('avg((kind = ''free'')::int)', 0.02);
SELECT ok((SELECT avg(((kind = 'free') <> (spiky = 0))::int) < 0.03 FROM s), 'an atom goes with its kind');
SELECT is_near('avg(spiky)', 0.25, 'kind = ''paid''');
SELECT is((SELECT count(*) FROM s WHERE (kind = 'new') <> (seen IS NULL)), 0::bigint, 'a NULL goes with its kind');
SELECT is((SELECT count(*) FROM s WHERE (seen IS NULL) <> (last IS NULL)), 0::bigint, 'NULLs that come together still do');
SELECT is_near('avg(seen)', 0.5);
SELECT is_near('corr(seen, abs(x))', 0.15);
-- heavy tails keep their quantiles and ends
SELECT is_near('ln(percentile_cont(0.99) WITHIN GROUP (ORDER BY tail))', 0.3);
SELECT is_near('avg(ln(tail))', 0.15, 'b');
SELECT ok((SELECT max(tail) FROM s) <= (SELECT max(tail) FROM r), 'no end beyond the source''s');
-- marginals are calibrated
SELECT is_near('avg(c::int)', 0.02);
SELECT is_near('percentile_cont(0.25) WITHIN GROUP (ORDER BY x)', 0.06);
SELECT is((SELECT count(DISTINCT same) FROM s), 1::bigint, 'a constant stays one');

-- The same rows, whoever asks.
SELECT is((SELECT count(*) FROM (SELECT c, seen FROM synth_sample(NULL::r, 3000, seed => 2) EXCEPT ALL SELECT c, seen FROM s) d),
	0::bigint, 'a part of the columns is a part of the rows');
SELECT results_eq('SELECT * FROM synth_sample(NULL::r, 100, seed => 2, start => 2001)',
	'SELECT * FROM synth_sample(NULL::r, seed => 2) OFFSET 2000 LIMIT 100', 'any start gives the same rows');

-- The curve.
SELECT is((SELECT array_agg(step ORDER BY step) FROM synth_training('r')), '{0,100,200,300,400,500,600,700,800}', 'validations are kept');
SELECT ok((SELECT max(validation) FILTER (WHERE step = 800) < 0.7 * max(validation) FILTER (WHERE step = 0) FROM synth_training('r')),
	'the loss falls');
SELECT ok((SELECT bool_and(epoch >= 0 AND loss > 0 AND rate > 0 AND seconds >= 0) FROM synth_training('r')), 'and the rest is there');
SELECT throws_ok($$SELECT synth_training('r', 7)$$, '42704', NULL, 'a version that is not there');
SELECT throws_ok($$SELECT synth_training(NULL)$$, '22004', NULL, 'no model');
CREATE ROLE gensynth_vae_reader;
SET LOCAL ROLE gensynth_vae_reader;
SELECT throws_ok($$SELECT synth_training('r')$$, '42501', NULL, 'the curve is for whoever may sample the model');
RESET ROLE;
SELECT synth_grant('r', 'gensynth_vae_reader') \g /dev/null
SET LOCAL ROLE gensynth_vae_reader;
SELECT is((SELECT count(*) FROM synth_training('r')), 9::bigint, 'and for them it is');
RESET ROLE;

-- Conditions.
SELECT is((SELECT count(*) FROM synth_sample(NULL::r, 2000, seed => 5, given => '{"kind": "paid", "x": {"gte": 1}}')
	WHERE kind = 'paid' AND x >= 1), 2000::bigint, 'conditions hold');
SELECT ok(abs(avg(abs(ring)) - (SELECT avg(abs(ring)) FROM r WHERE x BETWEEN 1.8 AND 2)) < 0.25, 'and what depends on them follows')
FROM synth_sample(NULL::r, 2000, seed => 5, given => '{"x": {"gte": 1.8, "lte": 2}}');
SELECT ok(abs(avg((a <> b)::int) - (SELECT avg((a <> b)::int) FROM r WHERE c)) < 0.25, 'backwards too')
FROM synth_sample(NULL::r, 3000, seed => 5, given => '{"c": true}');
SELECT is((SELECT count(*) FROM synth_sample(NULL::r, 500, seed => 5, given => '{"seen": null}') WHERE seen IS NULL AND kind = 'new'),
	500::bigint, 'NULL is a condition');
SELECT is((SELECT count(*) FROM synth_sample(NULL::r, 500, seed => 5, given => '{"seen": [null, 3]}') WHERE seen IS NULL OR seen = 3),
	500::bigint, 'and one beside values');
SELECT is((SELECT count(*) FROM synth_sample(NULL::r, 100, seed => 5, given => '{"ring": 0.5}') WHERE ring = 0.5), 100::bigint,
	'so is a single value of a number');
SELECT results_eq($$SELECT * FROM synth_sample(NULL::r, 50, seed => 5, given => '{"c": true}', start => 1501)$$,
	$$SELECT * FROM synth_sample(NULL::r, 2000, seed => 5, given => '{"c": true}') OFFSET 1500 LIMIT 50$$,
	'rows with a condition are functions of their number');

-- The same parameters from the same seed: with one thread or two, and from the weights before if asked.
CREATE FUNCTION parameters(int) RETURNS text LANGUAGE sql AS $$
	SELECT md5(string_agg(name || encode(data, 'hex'), ' ' ORDER BY name)) FROM gensynth.tensors
	WHERE version = $1 AND model = 'small' AND name <> 'training' $$;
CREATE TABLE small AS SELECT * FROM r LIMIT 2000;
SELECT count(synth_fit('small', method => 'vae', seed => 1, options => '{"steps": 40}')) \g /dev/null
SET LOCAL max_parallel_maintenance_workers = 0;
SELECT count(synth_fit('small', method => 'vae', seed => 1, options => '{"steps": 40}')) \g /dev/null
SELECT is(parameters(2), parameters(1), 'one thread learns the same');
SELECT ok((SELECT notes::text LIKE '%from the weights of the version before%'
	FROM synth_fit('small', method => 'vae', seed => 1, options => '{"steps": 20, "warm_start": 1}')), 'a warm start is told');
SELECT ok((SELECT (SELECT validation FROM synth_training('small') WHERE step = 0) < min(validation) * 1.02 FROM synth_training('small', 1)),
	'and begins where the version before ended');
SELECT ok((SELECT notes::text LIKE '%no warm start%'
	FROM synth_fit('SELECT a, b FROM small', model => 'small', method => 'vae', seed => 1, options => '{"steps": 5, "warm_start": 1}')),
	'so is none');

-- Time.
SELECT ok((SELECT notes::text LIKE '%time_limit cut training short%'
	FROM synth_fit('small', method => 'vae', seed => 1, options => '{"steps": 1000000000, "time_limit": 1}')), 'time is limited');
SELECT ok((SELECT max(seconds) > 0.5 FROM synth_training('small')), 'to what was said');
-- what takes years
CREATE FUNCTION is_cancelled() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM synth_fit('r', method => 'vae', seed => 1, options => '{"steps": 1000000000, "time_limit": 0}');
	RETURN false;
EXCEPTION WHEN query_canceled THEN
	RETURN true;
END $$;
SET LOCAL statement_timeout = '1s';
SELECT ok(is_cancelled(), 'training can be cancelled');
SET LOCAL statement_timeout = 0;

-- Options.
SELECT throws_ok(format($$SELECT synth_fit('r', method => 'vae', options => '%s')$$, options), '22023', NULL, options)
FROM unnest('{"{\"epochs\": -1}","{\"time_limit\": 0.5}","{\"batch_size\": 1e9}","{\"learning_rate\": 0}","{\"learning_rate\": \"fast\"}","{\"warm_start\": 2}"}'::text[]) AS options;

-- What is hard to learn: many levels, many columns, few rows, nothing.
CREATE TABLE codes AS SELECT 'code ' || i % 5000 AS code, i % 5000 % 2 AS odd FROM generate_series(1, 25000) AS i;
SELECT count(synth_fit('codes', method => 'vae', seed => 1, options => '{"steps": 20}')) \g /dev/null
SELECT ok((SELECT count(DISTINCT code) > 4000 AND bool_and(code ~ '^code \d+$') FROM synth_sample(NULL::codes, 20000, seed => 1)),
	'5,000 levels come out');
SELECT format('CREATE TABLE wide AS SELECT %s FROM generate_series(1, 500) AS i',
	string_agg(format(CASE WHEN c % 2 = 0 THEN '(i * %s) %% 97 AS c%1$s' ELSE 'chr(65 + (i * %s) %% 23) AS c%1$s' END, c), ', '))
FROM generate_series(1, 200) AS c \gexec
SELECT lives_ok($$SELECT synth_fit('wide', method => 'vae', seed => 1, options => '{"steps": 10}')$$, '200 columns, 500 rows');
SELECT is((SELECT count(*) FROM synth_sample(NULL::wide, 1000, seed => 1)), 1000::bigint, 'are sampled');
CREATE TABLE odd AS SELECT NULL::int AS nothing, 7 AS same, i AS n, NULL::timestamp AS never FROM generate_series(1, 7) AS i;
SELECT count(synth_fit('odd', method => 'vae', seed => 1, options => '{"steps": 10}')) \g /dev/null
SELECT results_eq('SELECT DISTINCT nothing, same, never FROM synth_sample(NULL::odd, 50, seed => 1)',
	'VALUES (NULL::int, 7, NULL::timestamp)', 'odd columns are learned');
SELECT * FROM finish();
ROLLBACK;
