-- The adversarial network: dependence, marginals, NULLs, conditions, a collapse that is noticed, determinism, tensors that are wrong.
BEGIN;
SELECT plan(36);
SET LOCAL client_min_messages = warning;
SELECT setseed(0.4) \g /dev/null

CREATE FUNCTION normal() RETURNS float8
LANGUAGE sql AS $$ SELECT sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) $$;

-- a, b and c: each pair is independent, all three are not.  ring: no correlation, all dependence.
-- spiky: an atom for some, numbers for others.  seen: NULL by kind.  rare: one in 200, and then x is low.
CREATE TABLE r AS
SELECT a, b, CASE WHEN random() < 0.95 THEN a <> b ELSE a = b END AS c, x,
	sqrt(greatest(4 - x * x, 0)) * sign(random() - 0.5) + 0.1 * normal() AS ring, kind,
	CASE WHEN kind = 'free' THEN 0 ELSE round((exp(1 + normal() / 2))::numeric, 2) END AS spiky,
	CASE WHEN kind <> 'new' THEN (10 * abs(x))::int END AS seen, rare, 'same' AS same
FROM (SELECT random() < 0.5 AS a, random() < 0.5 AS b, i % 200 = 0 AS rare,
		CASE WHEN i % 200 = 0 THEN random() / 2 - 2 ELSE 2 * (2 * random() - 1) END AS x,
		(ARRAY['free', 'new', 'paid', 'paid'])[1 + floor(4 * random())::int] AS kind
	FROM generate_series(1, 12000) AS i) t;
CREATE TABLE told AS SELECT * FROM synth_fit('r', method => 'gan', seed => 1, options => '{"steps": 800, "batch_size": 128, "learning_rate": 0.004, "time_limit": 0}');
SELECT is((SELECT method FROM told), 'gan', 'the method is told');
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

SELECT is_near('avg((c = (a <> b))::int)', 0.1);
SELECT is_near('stddev(x * x + ring * ring)', 0.5);
SELECT is_near('avg((abs(ring) < 1)::int)', 0.06, 'abs(x) < 1');
SELECT is_near('avg((kind = ''free'')::int)', 0.01);
SELECT ok((SELECT avg(((kind = 'free') <> (spiky = 0))::int) < 0.03 FROM s), 'an atom goes with its kind');
SELECT is_near('avg(((kind = ''new'') <> (seen IS NULL))::int)', 0.01);
SELECT is_near('avg(seen)', 0.5);
SELECT is_near('corr(seen, abs(x))', 0.15);
SELECT is_near('percentile_cont(0.25) WITHIN GROUP (ORDER BY x)', 0.06);
SELECT is_near('200 * avg(rare::int)', 0.3);
SELECT is((SELECT count(DISTINCT same) FROM s), 1::bigint, 'a constant stays one');
SELECT results_eq('SELECT * FROM synth_sample(NULL::r, 100, seed => 2, start => 2001)',
	'SELECT * FROM synth_sample(NULL::r, seed => 2) OFFSET 2000 LIMIT 100', 'any start gives the same rows');

-- What it is watched by.
SELECT ok((SELECT max(validation) FILTER (WHERE step = 800) < 0.7 * max(validation) FILTER (WHERE step = 0) FROM synth_training('r')),
	'the generator comes nearer to the table');
SELECT ok((SELECT notes::text ~ 'of the frequent values \d+\.\d % appear, of the clusters of rows \d+\.\d %' FROM told), 'how near is told');

-- Conditions.
SELECT is((SELECT count(*) FROM synth_sample(NULL::r, 2000, seed => 5, given => '{"kind": "paid", "x": {"gte": 1}}')
	WHERE kind = 'paid' AND x >= 1), 2000::bigint, 'conditions hold');
SELECT ok(abs(avg((a <> b)::int) - (SELECT avg((a <> b)::int) FROM r WHERE c)) < 0.1, 'what depends on them follows, backwards too')
FROM synth_sample(NULL::r, 3000, seed => 5, given => '{"c": true}');
SELECT ok(avg((x < -1.4)::int) > 0.5, format('so it does on a rare class: %s', avg((x < -1.4)::int)))
FROM synth_sample(NULL::r, 2000, seed => 5, given => '{"rare": true}');
SELECT is((SELECT count(*) FROM synth_sample(NULL::r, 500, seed => 5, given => '{"seen": [null, 3]}') WHERE seen IS NULL OR seen = 3),
	500::bigint, 'NULL is a condition beside values');

-- A class of one in 200, unlike the others in all columns.
CREATE TABLE payments AS
SELECT fraud, CASE WHEN (random() < 0.85) = fraud THEN 'web' WHEN random() < 0.6 THEN 'shop' ELSE 'phone' END AS channel,
	round((exp(CASE WHEN fraud THEN 6 ELSE 3 END + normal() / 2))::numeric, 2) AS amount,
	CASE WHEN fraud THEN floor(5 * random()) ELSE 7 + floor(17 * random()) END::int AS hour,
	CASE WHEN fraud THEN 0 ELSE floor(4 * random()) END::int AS known
FROM (SELECT i % 200 = 0 AS fraud FROM generate_series(1, 20000) AS i) t;
SELECT count(synth_fit('payments', method => 'gan', seed => 1, options => '{"steps": 800, "time_limit": 0}')) \g /dev/null
SELECT ok(avg(fraud::int) BETWEEN 0.0035 AND 0.0065, format('a class of 0.5 %% is there: %s', avg(fraud::int)))
FROM synth_sample(NULL::payments, 40000, seed => 3);
CREATE TABLE frauds AS SELECT * FROM synth_sample(NULL::payments, 3000, seed => 3, given => '{"fraud": true}');
SELECT ok(count(*) = 3000 AND bool_and(fraud), 'it can be asked for') FROM frauds;
SELECT ok(avg((channel = 'web')::int) BETWEEN 0.75 AND 0.95, format('and is as it should be: web %s', avg((channel = 'web')::int))) FROM frauds;
SELECT ok(avg((amount > 100)::int) > 0.9, format('amounts above 100 %s', avg((amount > 100)::int))) FROM frauds;
SELECT ok(avg((hour < 5)::int) > 0.93, format('hours before five %s', avg((hour < 5)::int))) FROM frauds;
SELECT ok(avg((known = 0)::int) > 0.93, format('none known %s', avg((known = 0)::int))) FROM frauds;
-- Several conditions at once: as often as the class has them.
SELECT ok(abs(avg((channel = 'web')::int) - 0.85 / (0.85 + 0.15 * 0.6)) < 0.06, format('a set: web %s', avg((channel = 'web')::int)))
FROM synth_sample(NULL::payments, 3000, seed => 3, given => '{"fraud": true, "channel": ["web", "shop"]}');
-- Of large amounts at night nearly all are frauds; amounts of an average payment nearly never are.
SELECT ok(avg(fraud::int) > 0.9, format('backwards: %s', avg(fraud::int)))
FROM synth_sample(NULL::payments, 2000, seed => 3, given => '{"amount": {"gte": 300}, "hour": {"lt": 5}}');
SELECT ok(avg(fraud::int) < 0.004, format('and not where it should not: %s', avg(fraud::int)))
FROM synth_sample(NULL::payments, 2000, seed => 3, given => '{"amount": {"lt": 40}}');

-- The same parameters from the same seed, with one thread or two.
CREATE FUNCTION parameters(int) RETURNS text LANGUAGE sql AS $$
	SELECT md5(string_agg(name || encode(data, 'hex'), ' ' ORDER BY name)) FROM gensynth.tensors
	WHERE version = $1 AND model = 'r' AND name <> 'training' $$;
SET LOCAL max_parallel_maintenance_workers = 1;
SELECT count(synth_fit('r', method => 'gan', seed => 1, options => '{"steps": 20}')) \g /dev/null
SET LOCAL max_parallel_maintenance_workers = 0;
SELECT count(synth_fit('r', method => 'gan', seed => 1, options => '{"steps": 20}')) \g /dev/null
SELECT is(parameters(3), parameters(2), 'one thread learns the same');

-- A rate that throws the generator away: it is noticed, and the best weights are kept.
SET LOCAL client_min_messages = error;
SELECT ok(notes::text LIKE '%collapsed or diverged%' AND notes::text LIKE '%back to the best weights%', 'a collapse is noticed: ' || notes::text)
FROM synth_fit('r', model => 'wild', method => 'gan', seed => 1, options => '{"steps": 300, "batch_size": 64, "learning_rate": 1, "time_limit": 0}');
SELECT is((SELECT count(DISTINCT kind) FROM synth_sample(NULL::r, 2000, model => 'wild', seed => 1)), 3::bigint, 'and what is kept has not collapsed');
SET LOCAL client_min_messages = warning;

-- Cancelling.
CREATE FUNCTION is_cancelled() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM synth_fit('r', method => 'gan', seed => 1, options => '{"steps": 1000000000, "time_limit": 0}');
	RETURN false;
EXCEPTION WHEN query_canceled THEN
	RETURN true;
END $$;
SET LOCAL statement_timeout = '1s';
SELECT ok(is_cancelled(), 'training can be cancelled');
SET LOCAL statement_timeout = 0;
SET LOCAL client_min_messages = error;

-- Many columns, few rows; nothing to learn.
SELECT format('CREATE TABLE wide AS SELECT %s FROM generate_series(1, 500) AS i',
	string_agg(format(CASE WHEN c % 2 = 0 THEN '(i * %s) %% 97 AS c%1$s' ELSE 'chr(65 + (i * %s) %% 23) AS c%1$s' END, c), ', '))
FROM generate_series(1, 120) AS c \gexec
SELECT lives_ok($$SELECT synth_fit('wide', method => 'gan', seed => 1, options => '{"steps": 10}')$$, '120 columns, 500 rows');
CREATE TABLE odd AS SELECT NULL::int AS nothing, 7 AS same, i AS n, NULL::timestamp AS never FROM generate_series(1, 7) AS i;
SELECT count(synth_fit('odd', method => 'gan', seed => 1, options => '{"steps": 10}')) \g /dev/null
SELECT results_eq('SELECT DISTINCT nothing, same, never FROM synth_sample(NULL::odd, 50, seed => 1)',
	'VALUES (NULL::int, 7, NULL::timestamp)', 'odd columns are learned');

-- Tensors that are wrong.
UPDATE gensynth.tensors AS t SET data = 'GST1'::bytea || substr(sha256(payload), 1, 8) || payload
FROM (SELECT overlay(substr(data, 13) PLACING '\x0000c07f' FROM 1) AS payload FROM gensynth.tensors WHERE (model, name) = ('odd', 'gan/weights')) AS p
WHERE (model, name) = ('odd', 'gan/weights');
SELECT throws_ok('SELECT * FROM synth_sample(NULL::odd, 5)', 'XX001', NULL, 'a weight that is not finite');
DELETE FROM gensynth.tensors WHERE model = 'odd' AND name = 'gan/weights';
SELECT throws_ok('SELECT * FROM synth_sample(NULL::odd, 5)', 'XX001', NULL, 'and weights that are gone are noticed');
SELECT * FROM finish();
ROLLBACK;
