-- How numbers are distributed: atoms, steps, decimals, tails.
BEGIN;
SELECT plan(34);
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';
SELECT setseed(0.25) \g /dev/null

CREATE FUNCTION normal() RETURNS float8
LANGUAGE sql AS $$ SELECT sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) $$;

CREATE TABLE n AS
SELECT g AS id,
	CASE WHEN random() < 0.4 THEN 0 ELSE round((100 * exp(normal()))::numeric, 2) END AS gain,
	(100 * floor(500 * random()))::int AS hundreds,
	(7 * floor(1e6 * random()) + 3)::int8 AS sevens,
	round((36.6 + 0.5 * normal())::numeric, 1)::float8 AS temperature,
	round((10 * normal())::numeric, 3) AS thousandths,
	round((10 * normal())::numeric, 1)::numeric(8,3) AS padded,
	(36.6 + normal())::float4 AS single,
	exp(2 * normal()) AS heavy,
	-ln(1 - random()) AS skewed,
	tan(pi() * (random() - 0.5)) AS cauchy,
	(1 + floor(5 * random() ^ 2))::int2 AS stars,
	date '1940-01-01' + floor(25000 * random() ^ 0.5)::int AS born,
	timestamp '2020-01-01' + floor(1000 * random()) * interval '1 day' AS day,
	timestamptz '2020-01-01' + floor(100000 * random()) * interval '15 min' AS quarter,
	timestamp '2020-01-01' + 1e9 * random() * interval '1 s' AS moment,
	CASE g % 4 WHEN 0 THEN 9007199254740993 WHEN 1 THEN 9007199254740995 ELSE 9007199254740993 + 2 * g END AS beyond
FROM generate_series(1, 20000) g;
SELECT synth_fit('n', seed => 5) \g /dev/null
CREATE TABLE s AS SELECT * FROM synth_sample(NULL::n, 20000, seed => 6);

SELECT is((SELECT count(*) FROM s), 20000::bigint, 'as many rows as asked for');

-- An atom's share within 1 %.
SELECT ok(abs((SELECT avg((gain = 0)::int) FROM n) - (SELECT avg((gain = 0)::int) FROM s)) < 0.01, 'share of zeros');
SELECT ok(abs((SELECT avg((beyond = 9007199254740995)::int) FROM s) - 0.25) < 0.01, 'share of a value beyond 2^53');
SELECT ok((SELECT bool_and(beyond % 2 = 1) FROM s), 'odd numbers beyond 2^53 stay odd');
SELECT ok((SELECT max(abs(a.share - b.share)) FROM
	(SELECT stars, count(*) / 20000.0 AS share FROM n GROUP BY 1) a
	FULL JOIN (SELECT stars, count(*) / 20000.0 AS share FROM s GROUP BY 1) b USING (stars)) < 0.01, 'few integers');

-- Steps and decimals.
SELECT is((SELECT count(*) FROM s WHERE hundreds % 100 <> 0), 0::bigint, 'multiples of 100');
SELECT is((SELECT count(*) FROM s WHERE sevens % 7 <> 3), 0::bigint, 'multiples of 7 and 3');
SELECT is((SELECT count(*) FROM s WHERE temperature <> round(temperature::numeric, 1)::float8), 0::bigint, 'one decimal');
SELECT is((SELECT count(*) FROM s WHERE scale(thousandths) > 3), 0::bigint, 'three decimals of a numeric');
SELECT is((SELECT count(*) FROM s WHERE scale(padded) <> 3 OR padded <> round(padded, 1)), 0::bigint,
	'a padded numeric has its scale, and no more digits than its values');
SELECT is((SELECT count(*) FROM s WHERE gain < 0 OR scale(gain) > 2), 0::bigint, 'amounts');
SELECT is((SELECT count(*) FROM s WHERE single <> single::text::float4), 0::bigint, 'real');
SELECT is((SELECT count(*) FROM s WHERE day <> date_trunc('day', day)), 0::bigint, 'midnight stays midnight');
SELECT is((SELECT count(*) FROM s WHERE date_bin('15 min', quarter, '2020-01-01') <> quarter), 0::bigint, 'quarters of an hour');
SELECT cmp_ok((SELECT count(DISTINCT extract(microseconds FROM moment)) FROM s), '>', 15000::bigint, 'moments in microseconds');

-- Values are not all copies: a continuous column is interpolated.
SELECT cmp_ok((SELECT count(*) FROM s WHERE heavy IN (SELECT heavy FROM n)), '<', 200::bigint, 'continuous values are new');

-- Quantiles; of heavy tails too.  The tolerance is a share of the real one.
CREATE FUNCTION is_close(name text, fraction float8, tolerance float8) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	a float8;
	b float8;
BEGIN
	EXECUTE format('SELECT percentile_cont($1) WITHIN GROUP (ORDER BY %I) FROM n', name) INTO a USING fraction;
	EXECUTE format('SELECT percentile_cont($1) WITHIN GROUP (ORDER BY %I) FROM s', name) INTO b USING fraction;
	RETURN ok(abs(a - b) <= tolerance * abs(a), format('quantile %s of %s: %s, not %s', fraction, name, b, a));
END $$;
SELECT is_close(name, fraction, tolerance)
FROM unnest('{heavy,skewed,gain,single}'::text[]) name,
	(VALUES (0.5, 0.05), (0.95, 0.05), (0.99, 0.08)) q (fraction, tolerance);
SELECT is_close('cauchy', 0.95, 0.1);
SELECT is_close('cauchy', 0.05, 0.1);
SELECT ok(abs((SELECT avg(skewed) FROM n) - (SELECT avg(skewed) FROM s)) < 0.03, 'mean of a skewed column');
SELECT ok(abs((SELECT stddev(skewed) FROM n) - (SELECT stddev(skewed) FROM s)) < 0.05, 'its deviation');
SELECT ok(abs((SELECT avg(born - date '1940-01-01') FROM n) - (SELECT avg(born - date '1940-01-01') FROM s)) < 150, 'mean of a date');

-- The ends are the fifth smallest and largest, and are reached, about.
SELECT ok((SELECT min(heavy) FROM s) >= (SELECT heavy FROM n ORDER BY heavy OFFSET 4 LIMIT 1)
	AND (SELECT max(heavy) FROM s) <= (SELECT heavy FROM n ORDER BY heavy DESC OFFSET 4 LIMIT 1)
	AND (SELECT max(heavy) FROM s) >= (SELECT heavy FROM n ORDER BY heavy DESC OFFSET 100 LIMIT 1), 'ends');

SELECT * FROM finish();
ROLLBACK;
