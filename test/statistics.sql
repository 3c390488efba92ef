-- The joint distribution: what goes together still does.
BEGIN;
SELECT plan(22);
SET LOCAL client_min_messages = warning;
SELECT setseed(0.3) \g /dev/null

CREATE FUNCTION normal() RETURNS float8
LANGUAGE sql AS $$ SELECT sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) $$;

CREATE TABLE r AS
SELECT x, 0.8 * x + 0.6 * y AS up, -0.6 * x + 0.8 * y AS down, z AS free, exp(x + 0.3 * z) AS skewed,
	round(10 * x + 3 * z)::int AS rounded, CASE WHEN x < 0 THEN 0 ELSE x END AS half_zero,
	x + 0.5 * normal() > 0 AS flag,
	CASE WHEN x + 0.7 * z < -0.5 THEN 'low' WHEN x + 0.7 * z < 0.7 THEN 'middle' ELSE 'high' END AS level,
	(ARRAY['north', 'east', 'south', 'west'])[1 + width_bucket(x + 0.5 * z, -1, 1, 2)] AS region,
	timestamp '2024-01-01' + x * interval '30 days' AS moment, interval '1 h' * (5 + x) AS stay
FROM (SELECT normal() AS x, normal() AS y, normal() AS z FROM generate_series(1, 20000)) s;
SELECT synth_fit('r', seed => 1) \g /dev/null
CREATE TABLE s AS SELECT * FROM synth_sample(NULL::r, 20000, seed => 2);

-- A statistic of both tables, and how far it may be off.
CREATE FUNCTION is_near(statistic text, tolerance float8, place text DEFAULT 'true') RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	a float8;
	b float8;
BEGIN
	EXECUTE format('SELECT %s FROM r WHERE %s', statistic, place) INTO a;
	EXECUTE format('SELECT %s FROM s WHERE %s', statistic, place) INTO b;
	RETURN ok(abs(a - b) <= tolerance, format('%s: %s, not %s', statistic, b, a));
END $$;

SELECT is_near('avg(x)', 0.03);
SELECT is_near('stddev(x)', 0.03);
SELECT is_near('avg(up)', 0.03);
SELECT is_near('stddev(rounded)', 0.3);
SELECT is_near('corr(x, up)', 0.05);
SELECT is_near('corr(x, down)', 0.05);
SELECT is_near('corr(up, down)', 0.05);
SELECT is_near('corr(x, free)', 0.05);
SELECT is_near('corr(x, rounded)', 0.05);
SELECT is_near('corr(x, ln(skewed))', 0.05);
SELECT is_near('corr(x, half_zero)', 0.05);
SELECT is_near('corr(x, extract(epoch FROM moment))', 0.05);
SELECT is_near('corr(x, extract(epoch FROM stay))', 0.05);
SELECT is_near('corr(x, flag::int)', 0.05);

-- Shares of a 2 x 2 table, and what a number is by category.
SELECT is_near('avg((flag AND x > 0)::int)', 0.02);
SELECT is_near('avg((flag AND level = ''high'')::int)', 0.03);
SELECT is_near('avg((NOT flag AND level = ''low'')::int)', 0.03);
SELECT is_near('avg(x)', 0.1, 'level = ''low''');
SELECT is_near('avg(x)', 0.1, 'level = ''middle''');
SELECT is_near('avg(x)', 0.1, 'level = ''high''');
SELECT ok((SELECT max(abs(a.share - b.share)) FROM
	(SELECT region, count(*) / 20000.0 AS share FROM r GROUP BY 1) a
	FULL JOIN (SELECT region, count(*) / 20000.0 AS share FROM s GROUP BY 1) b USING (region)) < 0.01, 'shares of a category');
SELECT ok((SELECT max(abs(a.share - b.share)) FROM
	(SELECT region, level, count(*) / 20000.0 AS share FROM r GROUP BY 1, 2) a
	FULL JOIN (SELECT region, level, count(*) / 20000.0 AS share FROM s GROUP BY 1, 2) b USING (region, level)) < 0.03,
	'shares of two categories');

SELECT * FROM finish();
ROLLBACK;
