-- What columns of a row say of each other, undeclared: orders, moments by other clocks, how long it is between two.
BEGIN;
SELECT plan(19);
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';
SELECT setseed(0.42) \g /dev/null

-- A rule that all rows of a table keep is kept by those of its model.
CREATE FUNCTION keeps(source text, rule text, needed float8 DEFAULT 1) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	broken text;
	kept float8;
BEGIN
	EXECUTE format('SELECT avg((%s)::int) FROM %I', rule, source || '_s') INTO kept;
	RETURN ok(kept >= needed, format('%s: %s in %s', source, rule, kept));
END $$;

-- Orders: prices of a day as doubles; a chain with NULLs; times of day.
CREATE TABLE price AS
SELECT least(open, close) - d1 AS low, open, close, greatest(open, close) + d2 AS high
FROM (SELECT open, round((open + (random() - 0.5) * 4)::numeric, 2)::float8 AS close, (random() * random() * 300)::int / 100.0::float8 AS d1, (random() * random() * 300)::int / 100.0::float8 AS d2
	FROM (SELECT round((50 + random() * 60)::numeric, 2)::float8 AS open FROM generate_series(1, 4000)) q) p;
UPDATE price SET low = round(low::numeric, 2), high = round(high::numeric, 2);
CREATE TABLE band AS
SELECT lo, CASE WHEN random() < 0.8 THEN lo + (hi - lo) * random() END::real AS v, CASE WHEN random() < 0.9 THEN hi END AS hi, st, CASE WHEN random() < 0.9 THEN least(st + random() * interval '4 hours', time '23:59') END AS en
FROM (SELECT (random() * 10)::real AS lo, (10 + random() * 10)::real AS hi, time '06:00' + (random() * 720)::int * interval '1 minute' AS st FROM generate_series(1, 4000)) q;

-- Moments: an ISO text with an offset, milliseconds, New York's clocks, a week, an epoch, a serial number; of two, and how long it is.
CREATE TABLE moment AS
SELECT ts, to_char(ts + interval '1 hour', 'YYYY-MM-DD"T"HH24:MI:SS') || '+01:00' AS iso, to_char(ts, 'YYYY-MM-DD HH24:MI:SS.MS') || 'Z' AS ms, ts AT TIME ZONE 'America/New_York' AS local,
	(ts AT TIME ZONE 'America/New_York')::date AS day, to_char(ts, 'IYYYIW')::int AS week, floor(extract(epoch FROM ts) * 1000)::bigint::text AS epoch, ts::date - date '1899-12-30' AS serial
FROM (SELECT timestamptz '2023-01-01' + random() * interval '600 days' AS ts FROM generate_series(1, 4000)) q;
CREATE TABLE stay AS
SELECT s, e, e - s AS iv, extract(epoch FROM e - s)::int AS secs, (extract(epoch FROM e - s) / 3600)::float8 AS hours, (extract(epoch FROM e - s) / 3600)::numeric(8, 2) AS rounded,
	birth, extract(year FROM age(s, birth))::float8 AS age
FROM (SELECT s, s + (random() * random() * 20000)::int * interval '1 second' AS e, date '1940-01-01' + (random() * 22000)::int AS birth
	FROM (SELECT timestamp '2024-01-01' + (random() * 30000000)::int * interval '1 second' AS s FROM generate_series(1, 4000)) q) p;

-- Equations: a price after so many % off, a weighted sum, shares of a total.
CREATE TABLE sums AS
SELECT list, pct, round(list * (1 - pct / 100.0), 2) AS price, x, y, 0.5 * x + 0.3 * y AS score, a, b, a + b AS total, a::float8 / (a + b) AS share
FROM (SELECT (5 + random() * 1000)::numeric(8, 2) AS list, (ARRAY[0, 0, 5, 10, 20, 50])[1 + (random() * 5)::int] AS pct, random() AS x, random() AS y, 1 + (random() * 200)::int AS a, 1 + (random() * 200)::int AS b
	FROM generate_series(1, 4000)) q;

SELECT FROM unnest(ARRAY['price', 'band', 'moment', 'stay', 'sums']) AS t, synth_fit(t, seed => 1);
CREATE TABLE price_s AS SELECT * FROM synth_sample(NULL::price, 4000, seed => 2);
CREATE TABLE band_s AS SELECT * FROM synth_sample(NULL::band, 4000, seed => 2);
CREATE TABLE moment_s AS SELECT * FROM synth_sample(NULL::moment, 4000, seed => 2);
CREATE TABLE stay_s AS SELECT * FROM synth_sample(NULL::stay, 4000, seed => 2);
CREATE TABLE sums_s AS SELECT * FROM synth_sample(NULL::sums, 4000, seed => 2);

SELECT keeps('price', 'low <= open AND low <= close AND open <= high AND close <= high');
SELECT ok(abs(avg(high - low) - (SELECT avg(high - low) FROM price)) < 0.1, 'and days are as long') FROM price_s;
SELECT keeps('price', 'low = round(low::numeric, 2)');
SELECT keeps('band', '(lo <= v OR lo > v IS NULL) AND (v <= hi OR v > hi IS NULL)');
SELECT keeps('band', 'st <= en OR en IS NULL');
SELECT keeps('moment', 'iso::timestamptz = date_trunc(''second'', ts) AND ms::timestamptz = date_trunc(''milliseconds'', ts)');
SELECT keeps('moment', 'local = ts AT TIME ZONE ''America/New_York'' AND day = local::date');
SELECT keeps('moment', 'week = to_char(ts, ''IYYYIW'')::int');
SELECT keeps('moment', 'abs(epoch::numeric - extract(epoch FROM ts) * 1000) < 1 AND serial = ts::date - date ''1899-12-30''');
SELECT ok(count(*) > 0 AND bool_and(day = date '2023-07-05'), 'by another clock a day may be given') FROM synth_sample(NULL::moment, 50, seed => 3, given => '{"day": "2023-07-05"}');
SELECT keeps('stay', 'iv = e - s AND secs = extract(epoch FROM e - s)');
SELECT keeps('stay', 'abs(hours - extract(epoch FROM e - s) / 3600) < 1e-6 AND abs(rounded - extract(epoch FROM e - s) / 3600) < 0.0051');
SELECT keeps('stay', 'age = extract(year FROM age(s, birth))', 0.999);
SELECT keeps('sums', 'price = round(list * (1 - pct / 100.0), 2)');
SELECT keeps('sums', 'abs(score - 0.5 * x - 0.3 * y) < 1e-6 AND abs(share - a::float8 / (a + b)) < 1e-6');

-- An order that rows are refused for is told of, and let go of where that would be most of them.
CREATE TABLE beside AS SELECT *, b + 0.3 * random() AS c FROM (SELECT a, a + 0.3 * random() AS b
	FROM (SELECT 100 * random() AS a FROM generate_series(1, 2000)) t) t;
SELECT ok(notes::text LIKE '%conditions, and orders that were found, refuse%', 'a note tells what orders refuse')
FROM synth_fit('SELECT a, b FROM beside', method => 'copula', model => 'pair', seed => 1);
SELECT ok(bool_and(a <= b), 'which then hold') FROM synth_rows('pair', 2000, seed => 2) AS t(a float8, b float8);
SELECT count(synth_fit('SELECT a, b FROM beside ORDER BY a DESC', method => 'copula', model => 'falling', seed => 1)) \g /dev/null
SELECT ok(bool_and(a <= b), 'in whatever order rows come') FROM synth_rows('falling', 2000, seed => 2) AS t(a float8, b float8);
SELECT count(synth_fit('beside', method => 'copula', seed => 1)) \g /dev/null
SELECT is_empty('SELECT * FROM synth_constraints(''beside'')', 'but not if most rows would be refused');

SELECT * FROM finish();
ROLLBACK;
