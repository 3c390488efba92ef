-- Numbers that stand for something else: placeholders, codes, prices, dates;
-- and that every value of a source can be given.
BEGIN;
SELECT plan(54);
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';
SELECT setseed(0.11) \g /dev/null

CREATE FUNCTION share(condition boolean) RETURNS numeric
LANGUAGE sql AS $$ SELECT CASE WHEN condition THEN 1 ELSE 0 END::numeric $$;

-- Placeholders far away: nothing lies between them and ordinary values.
CREATE TABLE far AS
SELECT CASE WHEN i <= 3 THEN 100 WHEN i <= 103 THEN 2147483647 ELSE 1 + i % 99 END AS days,
	CASE WHEN i % 5 < 2 THEN date '9999-12-31' WHEN i % 5 = 2 AND i % 3 = 0 THEN date '1900-01-01'
		ELSE date '2021-01-01' + (random() * 1200)::int END AS valid_to,
	CASE WHEN i % 10 = 0 THEN 1e300 WHEN i % 50 = 1 THEN -1 ELSE round((random() * 80)::numeric, 2)::float8 END AS price,
	CASE WHEN i % 10 = 0 THEN 'infinity' WHEN i % 10 = 1 THEN 'NaN' WHEN i % 10 = 2 THEN '-infinity' ELSE random() END::float8 AS odd,
	CASE WHEN i % 10 = 0 THEN 99999 ELSE (random() * 400)::int * 50 END AS fifty,
	CASE WHEN i <= 8 THEN 9999 ELSE random() * 10 END::float8 AS few,
	random() + CASE WHEN i % 2 = 0 THEN 0 ELSE 1000 END AS twice,
	CASE WHEN i <= 3 THEN 555555 ELSE (i * 7919) % 900 END AS lonely
FROM generate_series(1, 4000) i;
SELECT synth_fit('far', seed => 1) \g /dev/null
CREATE TABLE far_s AS SELECT * FROM synth_sample(NULL::far, 10000, seed => 2);
SELECT cmp_ok((SELECT max(days) FROM far_s WHERE days < 2147483647), '<=', 100, 'no number between days and a placeholder');
SELECT ok((SELECT avg(days) BETWEEN 48 AND 52 FROM far_s WHERE days < 2147483647), 'the mean of the days');
SELECT ok((SELECT abs(avg(share(days = 2147483647)) - 0.025) < 0.01 FROM far_s), 'the share of the placeholder');
SELECT is((SELECT count(*) FROM far_s WHERE valid_to BETWEEN '1900-01-02' AND '2020-12-31' OR valid_to BETWEEN '2024-04-16' AND '9999-12-30'),
	0::bigint, 'no date between placeholders and dates');
SELECT ok((SELECT abs(avg(share(valid_to = '9999-12-31')) - 0.4) < 0.02 FROM far_s), 'the share of the end of time');
SELECT ok((SELECT bool_and(round(price::numeric, 2)::float8 = price OR price = 1e300) FROM far_s),
	'a placeholder leaves the decimals of the others');
SELECT is((SELECT count(*) FROM far_s WHERE (price > 80 AND price < 1e300) OR (price < 0 AND price <> -1)), 0::bigint,
	'no price between placeholders and prices');
SELECT ok((SELECT abs(avg(share(odd = 'infinity')) - 0.1) + abs(avg(share(odd = 'NaN')) - 0.1) +
	abs(avg(share(odd = '-infinity')) - 0.1) < 0.04 FROM far_s), 'infinities and NaN keep their shares');
SELECT ok((SELECT bool_and(fifty % 50 = 0) FROM far_s WHERE fifty <> 99999), 'a placeholder leaves the step of the others');
SELECT ok((SELECT count(*) BETWEEN 8 AND 40 FROM far_s WHERE few = 9999), 'eight rows that hold a placeholder keep their share');
SELECT is((SELECT count(*) FROM far_s WHERE few > 10 AND few < 9999), 0::bigint, 'nothing between them and the others');
SELECT is((SELECT count(*) FROM far_s WHERE twice > 1 AND twice < 1000), 0::bigint, 'nothing between two heaps');
SELECT cmp_ok((SELECT max(lonely) FROM far_s), '<=', 899, 'a value that too few rows hold pulls nobody out');

-- Small parts keep their share.
CREATE TABLE round_s AS SELECT CASE WHEN i % 2500 = 0 THEN 50 ELSE random() * 100 END AS x FROM generate_series(1, 30000) i;
SELECT synth_fit('round_s', seed => 1) \g /dev/null
SELECT ok((SELECT count(*) BETWEEN 4 AND 30 FROM synth_sample(NULL::round_s, 30000, seed => 2) WHERE x = 50),
	'12 rows of 30,000 that hold a round number');

CREATE TABLE price AS
SELECT (floor(exp(random() * 6)) + (ARRAY[.99, .95, .49, .00])[1 + (random() * 3)::int])::numeric(8,2) AS p,
	floor(exp(random() * 9)) + (ARRAY[.99, .95, .49, .00])[1 + floor(random() * 4)::int]::float8 AS f,
	((floor(exp(random() * 8)) + (ARRAY[.99, .5])[1 + floor(random() * 2)::int]) * 100)::int AS cents,
	CASE WHEN random() < 0.8 THEN 1000 * floor(20 + 60 * random()) WHEN random() < 0.5 THEN 100 * floor(200 + 600 * random())
		ELSE floor(20000 + 60000 * random()) END::int AS salary
FROM generate_series(1, 10000);
SELECT synth_fit('price', seed => 1) \g /dev/null
CREATE TABLE price_s AS SELECT * FROM synth_sample(NULL::price, 10000, seed => 2);
SELECT is((SELECT avg(share(p % 1 IN (.99, .95, .49, 0))) FROM price_s), 1::numeric, 'endings of prices');
SELECT ok((SELECT max(abs(a.n - b.n)) < 200 FROM (SELECT p % 1 AS e, count(*) AS n FROM price GROUP BY 1) a
	JOIN (SELECT p % 1 AS e, count(*) AS n FROM price_s GROUP BY 1) b USING (e)), 'and their shares');
SELECT cmp_ok((SELECT avg(share(f::numeric % 1 IN (.99, .95, .49, 0))) FROM price_s), '=', 1::numeric, 'endings of doubles');
SELECT is((SELECT avg(share(cents % 100 IN (99, 50))) FROM price_s), 1::numeric, 'endings of cents');
SELECT ok((SELECT abs(avg(share(salary % 1000 = 0)) - 0.8) < 0.03 FROM price_s), 'round amounts keep their share');
SELECT ok((SELECT abs(avg(share(salary % 1000 <> 0 AND salary % 100 = 0)) - 0.09) < 0.025 FROM price_s), 'so do those that are less round');
SELECT is((SELECT count(*) FROM (SELECT DISTINCT p FROM price ORDER BY 1 OFFSET 300 LIMIT 40) q,
	LATERAL (SELECT * FROM synth_sample(NULL::price, 1, seed => 1, given => jsonb_build_object('p', q.p))) s WHERE s.p = q.p),
	40::bigint, 'prices can be given');
SELECT ok((SELECT bool_and(f BETWEEN 100.5 AND 110 AND f::numeric % 1 IN (.99, .95, .49, 0))
	FROM synth_sample(NULL::price, 200, seed => 1, given => '{"f": {"gte": 100.5, "lte": 110}}')), 'and ranges of them');

-- Codes: what the list has, and nothing else.
CREATE TABLE code AS
SELECT c, c::float8 / 7 AS lat, row_number() OVER () AS r FROM (SELECT DISTINCT (10000 + random() * 89999)::int AS c FROM generate_series(1, 1100)) q;
CREATE TABLE claim AS
SELECT c AS zip, lat, CASE WHEN random() < 0.95 THEN 0 ELSE random() * 1e6 END::int AS amount
FROM (SELECT 1 + floor(random() * 1000)::int AS z FROM generate_series(1, 12000)) q JOIN code ON r = z;
SELECT synth_fit('claim', seed => 1) \g /dev/null
CREATE TABLE claim_s AS SELECT * FROM synth_sample(NULL::claim, 12000, seed => 2);
SELECT is((SELECT avg(share(zip IN (SELECT c FROM code))) FROM claim_s), 1::numeric, 'postcodes exist');
SELECT cmp_ok((SELECT count(DISTINCT zip) FROM claim_s), '>', 900::bigint, 'and all of them are there');
SELECT is((SELECT avg(share(lat IN (SELECT code.lat FROM code))) FROM claim_s), 1::numeric, 'so do coordinates of places');
SELECT ok((SELECT b.m / a.m BETWEEN 0.8 AND 1.2 FROM (SELECT avg(amount) AS m FROM claim) a, (SELECT avg(amount) AS m FROM claim_s) b),
	'rare amounts beside a zero are no list');
SELECT synth_fit('claim', model => 'as_code', seed => 1, options => '{"kinds": {"zip": "code", "amount": "number"}}') \g /dev/null
SELECT is((SELECT detail->>'model' FROM synth_columns('as_code') WHERE name = 'zip'), 'category', 'what is said to be a code is a category');
SELECT is((SELECT avg(share(zip IN (SELECT c FROM code))) FROM synth_rows('as_code', 5000, seed => 2) AS t(zip int)), 1::numeric, 'and its values exist');
SELECT throws_like($$SELECT synth_fit('claim', options => '{"kinds": {"zip": "codes"}}')$$,
	'option "kinds" has a value that is not one of "code", "number"%', 'a kind that is not there');
SELECT throws_ok($$SELECT synth_fit('claim', options => '{"kinds": ["zip"]}')$$, '22023', 'option "kinds" must be an object of names of columns');
SELECT throws_ok($$SELECT synth_fit('claim', options => '{"kinds": {"postcode": "code"}}')$$, '42703', 'column "postcode" of option "kinds" is not learned');

-- Dates that are kept as something else.
CREATE FUNCTION reads(written text, format text) RETURNS boolean
LANGUAGE plpgsql AS $$ BEGIN RETURN to_char(to_timestamp(written, format), format) = written; EXCEPTION WHEN others THEN RETURN false; END $$;
CREATE TABLE coded AS
SELECT to_char(t, 'YYYYMMDD')::int AS ymd, to_char(t, 'YYYYMM')::numeric(6) AS ym, to_char(t, 'DD/MM/YYYY') AS dmy,
	CASE WHEN i % 20 = 0 THEN 99999999 WHEN i % 20 = 1 THEN 0 ELSE to_char(u, 'YYYYMMDD')::int END AS until,
	CASE WHEN i % 20 = 0 THEN 'n/a' WHEN i = 7 THEN 'unwell' ELSE to_char(v, 'FMMM/FMDD/YY') END::varchar(10) AS us,
	to_char(u, 'HH24MI')::int2 AS hhmm, (random() * 23)::int * 100 AS hundreds, 1 + i % 59 AS small
FROM (SELECT i, timestamp '2018-01-01' + random() * interval '2200 days' AS t, timestamp '2010-01-01' + random() * interval '3000 days' AS u,
	timestamp '1990-01-01' + random() * interval '3000 days' AS v FROM generate_series(1, 4000) i) q;
SELECT synth_fit('coded', seed => 1) \g /dev/null
CREATE TABLE coded_s AS SELECT * FROM synth_sample(NULL::coded, 4000, seed => 2);
SELECT is((SELECT string_agg(name || ' ' || (detail->>'format'), ', ' ORDER BY ordinal) FROM synth_columns('coded') WHERE detail ? 'format'),
	'ymd YYYYMMDD, ym YYYYMM, dmy DD/MM/YYYY, until YYYYMMDD, us FMMM/FMDD/YY, hhmm HH24MI', 'formats are found, and none that is not there');
SELECT is((SELECT avg(share(reads(ymd::text, 'YYYYMMDD') AND reads(dmy, 'DD/MM/YYYY'))) FROM coded_s), 1::numeric, 'every date exists');
SELECT is((SELECT avg(share(ymd / 100 = ym AND to_date(dmy, 'DD/MM/YYYY') = to_date(ymd::text, 'YYYYMMDD'))) FROM coded_s), 1::numeric, 'they agree');
SELECT is((SELECT avg(share(reads(until::text, 'YYYYMMDD') OR until IN (0, 99999999))) FROM coded_s), 1::numeric, 'dates or placeholders');
SELECT ok((SELECT abs(avg(share(until = 0)) - 0.05) + abs(avg(share(until = 99999999)) - 0.05) < 0.02 FROM coded_s), 'in their shares');
SELECT is((SELECT avg(share(reads(us, 'FMMM/FMDD/YY') OR us = 'n/a')) FROM coded_s), 1::numeric, 'texts too');
SELECT is((SELECT count(*) FROM coded_s WHERE us = 'unwell'), 0::bigint, 'a rare text that is no date is not shown');
SELECT is((SELECT avg(share(hhmm % 100 < 60 AND hhmm < 2400)) FROM coded_s), 1::numeric, 'times of day');
SELECT is((SELECT count(*) FROM synth_sample(NULL::coded, 20, seed => 2, given => '{"until": [20120229, 0]}') WHERE until IN (20120229, 0)),
	20::bigint, 'a leap day or a placeholder can be given');
SELECT is((SELECT count(*) FROM synth_sample(NULL::coded, 20, seed => 2, given => '{"dmy": "29/02/2020"}') WHERE ymd = 20200229), 20::bigint,
	'one that follows can be given');
SELECT ok((SELECT bool_and(until BETWEEN 20120301 AND 20120331) FROM synth_sample(NULL::coded, 20, seed => 2, given => '{"until": {"gt": 20120230, "lte": 20120400}}')),
	'ranges end where there is no date');

-- Columns of the same moment, and NULLs among them.
CREATE TABLE moment AS
SELECT at, at::date AS day, coalesce(to_char(at, 'YYYYMMDD')::int, 0) AS key, extract(isodow FROM at)::int AS dow, extract(hour FROM at)::int AS hour,
	to_char(at, 'FMDay') AS weekday, to_char(at, 'YYYY-"Q"Q') AS quarter, CASE WHEN random() < 0.3 THEN NULL ELSE to_char(at, 'Mon-YYYY') END AS month
FROM (SELECT CASE WHEN random() < 0.9 THEN timestamp '2020-01-01' + random() * interval '900 days' END AS at FROM generate_series(1, 2000)) q;
SELECT synth_fit('moment', seed => 1) \g /dev/null
CREATE TABLE moment_s AS SELECT * FROM synth_sample(NULL::moment, 2000, seed => 2);
SELECT is((SELECT count(*) FROM moment_s WHERE (day, key, dow, hour, weekday, quarter) IS DISTINCT FROM
	(at::date, coalesce(to_char(at, 'YYYYMMDD')::int, 0), extract(isodow FROM at)::int, extract(hour FROM at)::int,
	to_char(at, 'FMDay'), to_char(at, 'YYYY-"Q"Q'))), 0::bigint, 'columns follow from the moment, NULLs and all');
SELECT ok((SELECT bool_and(month = to_char(at, 'Mon-YYYY')) AND abs(avg(share(month IS NULL)) - 0.37) < 0.05 FROM moment_s), 'and have NULLs of their own');
SELECT throws_ok($$SELECT synth_sample('moment', 1, given => '{"dow": 1}')$$, '0A000', 'column "dow" cannot be given, since it follows from "at"');
SELECT throws_ok($$SELECT synth_sample('moment', 1, given => '{"day": "2020-03-01", "key": 20200301}')$$, '0A000',
	'column "at" and those that follow from it cannot be given together');

-- The first and last days of a date's months, quarters, years and weeks.
CREATE TABLE period AS
SELECT date_trunc('month', d)::date AS month, (date_trunc('month', d) + interval '1 month' - interval '1 day')::date AS month_end, d + 30 AS due, d AS booked,
	date_trunc('quarter', d)::date AS quarter, (date_trunc('quarter', d) + interval '3 months' - interval '1 day')::date AS quarter_end,
	date_trunc('year', d)::date AS year, CASE WHEN random() < 0.8 THEN date_trunc('week', d)::date END AS week, 'Q' || extract(quarter FROM d) AS q
FROM (SELECT date '2019-01-01' + (random() * 1500)::int AS d FROM generate_series(1, 3000)) s;
SELECT synth_fit('period', seed => 1) \g /dev/null
CREATE TABLE period_s AS SELECT * FROM synth_sample(NULL::period, 3000, seed => 2);
SELECT is((SELECT count(*) FROM period_s WHERE (month, month_end, due, quarter, quarter_end, year, coalesce(week, date_trunc('week', booked)::date), q) IS DISTINCT FROM
	(date_trunc('month', booked)::date, (date_trunc('month', booked) + interval '1 month' - interval '1 day')::date, booked + 30, date_trunc('quarter', booked)::date,
	(date_trunc('quarter', booked) + interval '3 months' - interval '1 day')::date, date_trunc('year', booked)::date, date_trunc('week', booked)::date,
	'Q' || extract(quarter FROM booked))), 0::bigint, 'periods are those of their date');
SELECT ok(abs(avg(share(week IS NULL)) - 0.2) < 0.03, 'and NULL as often') FROM period_s;

-- A day's highest price is above the first and the last one, whichever of them are there.
CREATE TABLE quote AS
SELECT CASE WHEN random() < 0.9 THEN low END AS low, CASE WHEN random() < 0.9 THEN round((low + random() * w)::numeric, 2) END AS last,
	CASE WHEN random() < 0.9 THEN round((low + w)::numeric, 2) END AS high, CASE WHEN random() < 0.9 THEN round((low + random() * w)::numeric, 2) END AS first
FROM (SELECT round(exp(random() * 4 + 1)::numeric, 2) AS low, exp(random() * 2) AS w FROM generate_series(1, 4000)) s;
SELECT synth_fit(t, seed => 1) FROM unnest(ARRAY['quote']) t \g /dev/null
SELECT is(count(*), 0::bigint, 'numerics stay in order') FROM synth_sample(NULL::quote, 4000, seed => 2) WHERE low > first OR low > last OR low > high OR first > high OR last > high;
SELECT ok(bool_and(length(high::text) <= 6) AND abs(avg(high - low) - (SELECT avg(high - low) FROM quote)) < 0.15 AND abs(avg(share(first IS NULL)) - 0.1) < 0.02,
	'with the decimals, the distances and the NULLs of the source') FROM synth_sample(NULL::quote, 4000, seed => 2);

-- Every value of the source can be given.
CREATE TABLE known AS
SELECT random() AS f, timestamptz '2024-01-01' + random() * interval '300 days' AS ts, (random() * 1e12)::numeric(20,4) AS n, (random() * 9)::int AS k
FROM generate_series(1, 3000);
SELECT synth_fit('known', seed => 1) \g /dev/null
CREATE FUNCTION given(what jsonb) RETURNS text
LANGUAGE plpgsql AS $$ BEGIN
	RETURN (SELECT (to_jsonb(s) @> what)::text FROM synth_sample(NULL::known, 1, seed => 1, given => what) s);
EXCEPTION WHEN data_exception THEN RETURN SQLERRM; END $$;
SELECT cmp_ok((SELECT count(*) FROM (SELECT * FROM known LIMIT 80) q, LATERAL (VALUES (jsonb_build_object('f', f)), (jsonb_build_object('ts', ts)), (jsonb_build_object('n', n))) v(what)
	WHERE given(what) = 'true'), '>=', 236::bigint, 'doubles, time stamps and numerics can be given back');
SELECT ok((SELECT bool_and(given(jsonb_build_object(column_name, value)) !~ 'together') FROM (VALUES ('f', '7'::jsonb), ('f', '-1e300'), ('k', '77')) v(column_name, value)),
	'a message about one value speaks of one');

-- The opposite of another column's value, as a type says.
CREATE TABLE refund AS SELECT typ, CASE typ WHEN 'refund' THEN -gross ELSE gross END AS amt, gross
FROM (SELECT CASE WHEN random() < 0.4 THEN 'refund' ELSE 'sale' END AS typ, round((exp(random() * 6))::numeric, 2) AS gross FROM generate_series(1, 3000)) AS drawn;
SELECT synth_fit('refund', seed => 1) \g /dev/null
SELECT cmp_ok((SELECT avg((amt = CASE typ WHEN 'refund' THEN -gross ELSE gross END)::int) FROM synth_sample(NULL::refund, 3000, seed => 2)), '>', 0.99, 'what is paid back is negative');
SELECT cmp_ok((SELECT abs(avg((amt < 0)::int) - 0.4) FROM synth_sample(NULL::refund, 3000, seed => 2)), '<', 0.04::numeric, 'as often as in the source');
SELECT * FROM finish();
ROLLBACK;
