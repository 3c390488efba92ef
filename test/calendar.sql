-- Calendars, the same moment in several columns, and columns that follow each other.
BEGIN;
SELECT plan(71);
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';
SELECT setseed(0.8);

-- working hours and days
CREATE TABLE call AS SELECT d + interval '8 hours' + (random() + random()) / 2 * interval '10 hours' AS at, (random() * 9)::int AS k FROM (SELECT date '2021-01-04' + (random() * 1456)::int d FROM generate_series(1, 8000)) q WHERE extract(isodow FROM d) < 6;
CREATE TABLE day AS SELECT d, (random() * 9)::int AS k FROM (SELECT date '2018-01-01' + (random() * 2190)::int d FROM generate_series(1, 5000)) q WHERE extract(isodow FROM d) < 6;
SELECT FROM synth_fit('call', seed => 1);
SELECT FROM synth_fit('day', seed => 1);
CREATE TABLE made AS SELECT at FROM synth_sample(NULL::call, 5000, seed => 2);
SELECT is((SELECT count(*) FROM made WHERE extract(hour FROM at) NOT BETWEEN 8 AND 17 OR extract(isodow FROM at) > 5), 0::bigint, 'office hours');
SELECT cmp_ok((SELECT abs(avg((extract(hour FROM at) = 12)::int) - (SELECT avg((extract(hour FROM at) = 12)::int) FROM call)) FROM made), '<', 0.03, 'each hour has its share');
SELECT ok((SELECT min(m.at) >= min(c.at) AND max(m.at) <= max(c.at) FROM made m, call c), 'none before the first or after the last');
SELECT is((SELECT count(*) FROM synth_sample(NULL::day, 5000, seed => 2) WHERE extract(isodow FROM d) > 5), 0::bigint, 'working days');
SELECT is((SELECT detail ->> 'calendar' FROM synth_columns('day') WHERE name = 'd'), 'week', 'and said to be');
SELECT is((SELECT count(*) FROM synth_sample(NULL::call, 3000, seed => 2, given => '{"at": {"gte": "2022-03-03 10:00", "lt": "2022-03-15 12:00"}}')
	WHERE at < '2022-03-03 10:00' OR at >= '2022-03-15 12:00' OR extract(hour FROM at) NOT BETWEEN 8 AND 17 OR extract(isodow FROM at) > 5), 0::bigint, 'within a range');
SELECT is((SELECT count(DISTINCT at::date) FROM synth_sample(NULL::call, 3000, seed => 2, given => '{"at": {"gte": "2022-03-03 10:00", "lt": "2022-03-15 12:00"}}')), 9::bigint, 'on all its days');
SELECT is((SELECT array_agg(DISTINCT d ORDER BY d) FROM synth_sample(NULL::day, 300, seed => 2, given => '{"d": ["2020-02-03", "2020-02-07"]}')), '{2020-02-03,2020-02-07}', 'of two days');
SELECT is((SELECT array_agg(DISTINCT at) FROM synth_sample(NULL::call, 300, seed => 2, given => '{"at": "2022-03-03 10:00:01.5"}')), '{2022-03-03 10:00:01.5}', 'at a moment');
SELECT throws_ok($$SELECT synth_sample(NULL::day, 1, given => '{"d": "2020-02-02"}')$$, '22000', NULL, 'not on a Sunday');
SELECT throws_ok($$SELECT synth_sample(NULL::day, 1, given => '{"d": {"gt": "2030-02-02"}}')$$, '22000', NULL, 'nor beyond the last');

-- what goes with a weekday; steps; dates after moments; NULLs
CREATE TABLE shop AS SELECT branch, d + make_interval(hours => 9 + (random() * 8)::int, mins => 15 * (random() * 3)::int) AS at,
	CASE WHEN random() > .05 THEN (d + interval '1 day' * (3 + (random() * 20)::int))::date END AS due
	FROM (SELECT CASE WHEN random() < .5 AND g > 0 THEN 'A' ELSE 'B' END AS branch, date '2021-01-01' + (random() * 1000)::int AS d FROM generate_series(1, 8000) g) y WHERE branch = 'A' OR extract(isodow FROM d) < 6;
SELECT FROM synth_fit('shop', seed => 1);
DROP TABLE made;
CREATE TABLE made AS SELECT branch, at, due FROM synth_sample(NULL::shop, 6000, seed => 2);
SELECT cmp_ok((SELECT avg((extract(isodow FROM at) > 5)::int) FROM made WHERE branch = 'A'), '>', 0.24, 'weekends by branch');
SELECT cmp_ok((SELECT avg((extract(isodow FROM at) > 5)::int) FROM made WHERE branch = 'B'), '<', 0.01, 'which the other one has off');
SELECT is((SELECT count(*) FROM made WHERE extract(epoch FROM at)::bigint % 900 <> 0), 0::bigint, 'quarters of an hour');
SELECT is((SELECT count(*) FROM made WHERE due < at), 0::bigint, 'a date after a moment');
SELECT cmp_ok((SELECT abs(avg((due IS NULL)::int) - 0.05) FROM made), '<', 0.02, 'as often NULL');
SELECT cmp_ok((SELECT abs(avg(due - at::date) - (SELECT avg(due - at::date) FROM shop)) FROM made), '<', 0.5, 'as far away');

-- months; midnight; what stands for "never"
CREATE TABLE bill AS SELECT (date_trunc('month', m) + interval '1 month - 1 day')::date AS ends, CASE WHEN random() < .3 THEN m ELSE m + 14 END AS pays,
	date '2022-01-01' + CASE WHEN random() < .4 THEN interval '1 day' * (random() * 900)::int ELSE interval '1 second' * (random() * 8e7)::int END AS seen
	FROM (SELECT date_trunc('month', date '2019-01-01' + (random() * 1500)::int)::date AS m FROM generate_series(1, 4000)) x;
SELECT FROM synth_fit('bill', seed => 1);
DROP TABLE made;
CREATE TABLE made AS SELECT ends, pays, seen FROM synth_sample(NULL::bill, 4000, seed => 2);
SELECT is((SELECT count(*) FROM made WHERE extract(day FROM ends + 1) <> 1), 0::bigint, 'ends of months');
SELECT is((SELECT array_agg(DISTINCT extract(day FROM pays)::int) FROM made), '{1,15}', 'days of months');
SELECT cmp_ok((SELECT abs(avg((seen::time = '00:00')::int) - 0.4) FROM made), '<', 0.03, 'midnight');
CREATE TABLE val AS SELECT f AS began, CASE WHEN random() < .4 THEN timestamp '9999-12-31' WHEN random() < .3 THEN NULL ELSE f + random() * interval '300 days' END AS ended,
	CASE WHEN random() < .5 THEN date 'infinity' ELSE (f + interval '10 days')::date END AS e
	FROM (SELECT timestamp '2015-01-01' + random() * interval '2500 days' AS f FROM generate_series(1, 4000)) x;
CREATE FUNCTION val_rows(method text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM synth_fit('val', model => 'val', seed => 1, method => method);
	DROP TABLE IF EXISTS made;
	CREATE TABLE made AS SELECT began, ended, e FROM synth_sample(NULL::val, 4000, seed => 2);
	RETURN NEXT is((SELECT count(*) FROM made WHERE ended < began), 0::bigint, 'none ends before it begins, ' || method);
	RETURN NEXT is((SELECT count(*) FROM made WHERE ended > '2023-01-01' AND ended <> '9999-12-31'), 0::bigint, 'one value stands for never');
	RETURN NEXT cmp_ok((SELECT abs(avg((ended = '9999-12-31')::int) - (SELECT avg((ended = '9999-12-31')::int) FROM val)) FROM made), '<', 0.03, 'as often');
	RETURN NEXT cmp_ok((SELECT abs(avg((ended IS NULL)::int) - (SELECT avg((ended IS NULL)::int) FROM val)) FROM made), '<', 0.03, 'NULLs, too');
	RETURN NEXT cmp_ok((SELECT abs(avg((e = 'infinity')::int) - (SELECT avg((e = 'infinity')::int) FROM val)) FROM made), '<', 0.03, 'and infinity');
	RETURN NEXT is((SELECT count(*) FROM made WHERE isfinite(e) AND e <> (began + interval '10 days')::date), 0::bigint, 'else ten days later');
END $$;
SELECT val_rows('tree');
SELECT val_rows('copula');

-- the same of office days
CREATE TABLE until AS SELECT CASE WHEN random() < .1 THEN timestamp '9999-12-31' WHEN random() < .1 THEN 'infinity' ELSE d END AS d FROM (SELECT date '2021-01-04' + (random() * 1456)::int AS d FROM generate_series(1, 5000)) q WHERE extract(isodow FROM d) < 6;
SELECT FROM synth_fit('until', seed => 1);
SELECT ok((SELECT count(*) FILTER (WHERE d = '9999-12-31') BETWEEN 250 AND 350 AND count(*) FILTER (WHERE d = 'infinity') BETWEEN 220 AND 320 FROM synth_sample(NULL::until, 3000, seed => 2)), 'never, and for ever');

-- columns that never come before others, NULL in any pattern
CREATE TABLE steps AS SELECT CASE WHEN random() > .2 THEN a END AS a, CASE WHEN random() > .2 THEN b END AS b, CASE WHEN random() > .2 THEN c END AS c
	FROM (SELECT *, b + (random() * 100)::int AS c FROM (SELECT *, a + (random() * 100)::int AS b FROM (SELECT (random() * 100)::int AS a FROM generate_series(1, 4000)) x) y) z;
CREATE TABLE prices AS SELECT (a + random())::numeric(8,2) AS a, (b + random() + 1)::numeric(8,2) AS b, (c + random() + 2)::numeric(8,2) AS c FROM steps;
CREATE TABLE dates AS SELECT CASE WHEN random() > .2 THEN a END AS a, CASE WHEN random() > .2 THEN b END AS b, CASE WHEN random() > .2 THEN c END AS c
	FROM (SELECT *, b + random() * interval '20 days' AS c FROM (SELECT *, a + 1 + (random() * 30)::int AS b FROM (SELECT date '2020-01-01' + (random() * 1000)::int AS a FROM generate_series(1, 4000)) x) y) z;
CREATE FUNCTION ordered(source text, method text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	wrong bigint;
	nulls float8;
BEGIN
	PERFORM synth_fit(source, model => source, seed => 1, method => method);
	EXECUTE format('SELECT count(*) FROM synth_sample(NULL::%I, 4000, seed => 2) WHERE a > b OR b > c OR a > c', source) INTO wrong;
	RETURN NEXT is(wrong, 0::bigint, source || ' in order, ' || method);
	EXECUTE format('WITH s AS (SELECT 1 AS k, a, b, c FROM %1$I UNION ALL SELECT 2, a, b, c FROM synth_sample(NULL::%1$I, 4000, seed => 2)),
		n AS (SELECT concat(a IS NULL, b IS NULL, c IS NULL) AS p, k, count(*) AS n FROM s GROUP BY 1, 2)
		SELECT max(abs(x.n - y.n)) / 4000.0 FROM n x JOIN n y USING (p) WHERE x.k = 1 AND y.k = 2', source) INTO nulls;
	RETURN NEXT cmp_ok(nulls, '<', 0.03::float8, 'NULLs as in the source');
END $$;
SELECT ordered(t, m) FROM unnest(ARRAY['steps', 'prices', 'dates']) AS t, unnest(ARRAY['tree', 'copula']) AS m;

-- a date beside a moment that is before its end
CREATE TABLE work (due date NOT NULL, sent timestamptz, CHECK (sent < due + 1));
INSERT INTO work SELECT d, CASE WHEN random() > .1 THEN d::timestamptz + interval '1 day - 1 second' - random() ^ 3 * interval '20 days' END FROM (SELECT date '2023-01-01' + (random() * 600)::int AS d FROM generate_series(1, 5000)) x;
SELECT FROM synth_fit('work', seed => 1);
SELECT cmp_ok((SELECT abs(avg((sent::date = due)::int) - (SELECT avg((sent::date = due)::int) FROM work)) FROM synth_sample(NULL::work, 5000, seed => 2)), '<', 0.03, 'most on the last day');
SELECT is((SELECT count(*) FROM synth_sample(NULL::work, 5000, seed => 2) WHERE sent >= due + 1), 0::bigint, 'none after it');

-- the same moment in several columns
CREATE TABLE ev AS SELECT zone, ts, ts AT TIME ZONE zone AS local_ts, (ts AT TIME ZONE zone)::time AS local_time, extract(epoch FROM ts)::bigint AS seconds, (ts AT TIME ZONE 'UTC')::date AS day
	FROM (SELECT timestamptz '2024-01-05 08:00+00' + random() * interval '30 days' AS ts, (random() * 2)::int AS k FROM generate_series(1, 5000)) x JOIN (VALUES (0, 'Asia/Tokyo'), (1, 'UTC'), (2, 'America/Denver')) z(k, zone) USING (k);
SELECT FROM synth_fit('ev', seed => 1);
DROP TABLE made;
CREATE TABLE made AS SELECT zone, ts, local_ts, local_time, seconds, day FROM synth_sample(NULL::ev, 4000, seed => 2);
SELECT is((SELECT count(*) FROM made WHERE local_ts <> ts AT TIME ZONE zone), 0::bigint, 'a local time');
SELECT is((SELECT count(*) FROM made WHERE local_time <> local_ts::time), 0::bigint, 'its time of day');
SELECT cmp_ok((SELECT count(*) FROM made WHERE abs(seconds - extract(epoch FROM ts)) > 1), '=', 0::bigint, 'seconds since 1970');
SELECT is((SELECT count(*) FROM made WHERE day <> (ts AT TIME ZONE 'UTC')::date), 0::bigint, 'its day');
CREATE TABLE life AS SELECT b AS birth, b + (random() ^ .4 * 34000)::int AS death, NULL::int AS age FROM (SELECT date '1900-01-01' + (random() * 20000)::int AS b FROM generate_series(1, 5000)) q;
UPDATE life SET age = extract(year FROM age(death, birth));
SELECT FROM synth_fit('life', seed => 1);
SELECT is((SELECT count(*) FROM synth_sample(NULL::life, 5000, seed => 2) WHERE death < birth OR age <> extract(year FROM age(death, birth))), 0::bigint, 'ages');
CREATE TABLE aged AS SELECT date_part('year', age('2024-06-30', birth))::int AS age, birth, (extract(year FROM age('1999-02-28', birth)) * 12 + extract(month FROM age('1999-02-28', birth)))::int AS months, CASE WHEN random() < .02 THEN 33 ELSE date_part('year', age('2024-06-30', birth))::int END AS wrong
	FROM (SELECT date '1935-01-01' + (random() * 23000)::int AS birth FROM generate_series(1, 6000)) q;
SELECT FROM synth_fit('aged', seed => 1);
SELECT is((SELECT count(*) FROM synth_sample(NULL::aged, 5000, seed => 2) WHERE age <> date_part('year', age('2024-06-30', birth))), 0::bigint, 'ages at a fixed date');
SELECT cmp_ok((SELECT avg((months <> extract(year FROM age('1999-02-28', birth)) * 12 + extract(month FROM age('1999-02-28', birth)))::int) FROM synth_sample(NULL::aged, 5000, seed => 2)), '<', 0.005, 'in months');
SELECT cmp_ok((SELECT abs(avg((wrong <> age)::int) - (SELECT avg((wrong <> age)::int) FROM aged)) FROM synth_sample(NULL::aged, 5000, seed => 2)), '<', 0.01, 'wrong ones as often');
-- NULLs do not follow from a part that is there only where they are
CREATE TABLE born AS SELECT CASE WHEN random() > .07 THEN extract(year FROM d)::int END AS year, CASE WHEN random() > .07 THEN d END AS d FROM (SELECT date '1935-01-01' + (random() * 25000)::int AS d FROM generate_series(1, 10000)) q;
SELECT FROM synth_fit('born', seed => 1);
SELECT cmp_ok((SELECT abs(avg((d IS NULL)::int) - (SELECT avg((d IS NULL)::int) FROM born)) FROM synth_sample(NULL::born, 5000, seed => 2)), '<', 0.02, 'a year and its day, NULL as often');
CREATE TABLE flight AS SELECT sched, sched + (random() ^ 3 * 200 - 10) * interval '1 minute' AS actual, extract(month FROM sched)::int AS mon, extract(isodow FROM sched)::int AS dow, to_char(sched, 'HH24MI')::int AS hm
	FROM (SELECT timestamp '2013-01-01 05:00' + (random() * 364)::int * interval '1 day' + (random() * 200)::int * interval '5 minutes' AS sched FROM generate_series(1, 5000)) x;
SELECT FROM synth_fit('flight', seed => 1);
SELECT is((SELECT count(*) FROM synth_sample(NULL::flight, 5000, seed => 2) WHERE mon <> extract(month FROM sched) OR dow <> extract(isodow FROM sched) OR hm <> to_char(sched, 'HH24MI')::int), 0::bigint, 'parts of a moment');
SELECT cmp_ok((SELECT max(abs(extract(epoch FROM actual - sched))) FROM synth_sample(NULL::flight, 5000, seed => 2)), '<', 190 * 60.0, 'soon after it, or before');

-- texts with the offset of each row, beside the moment, beside what tells the offset, and alone
CREATE TABLE stamp AS
SELECT ts, to_char(ts + make_interval(hours => off), 'YYYY-MM-DD"T"HH24:MI:SS') || CASE off WHEN 0 THEN 'Z' ELSE to_char(off, 'SG00') || ':00' END AS iso, off,
	to_char(ts + make_interval(hours => zone), 'YYYY-MM-DD HH24:MI:SS') || to_char(zone, 'SG00') AS seen,
	to_char(ts + interval '9 days', 'YYYY-MM-DD"T"HH24:MI:SS') || CASE WHEN random() < 0.1 THEN 'Z' WHEN random() < 0.5 THEN '+0530' ELSE '-0800' END AS alone,
	CASE WHEN random() < 0.1 THEN NULL ELSE to_char(ts AT TIME ZONE 'Europe/Berlin', 'YYYY-MM-DD"T"HH24:MI:SS') || to_char(ts AT TIME ZONE 'Europe/Berlin' - ts AT TIME ZONE 'UTC', '"+"HH24:MI') END AS berlin
FROM (SELECT date_trunc('second', timestamptz '2024-01-01Z' + random() * interval '300 days') AS ts, (ARRAY[0, 1, 2, -5])[1 + floor(random() * 4)] AS off, CASE WHEN random() < 0.3 THEN 1 ELSE 2 END AS zone
	FROM generate_series(1, 3000)) AS drawn;
SELECT FROM synth_fit('stamp', seed => 1);
CREATE TABLE stamps AS SELECT * FROM synth_sample(NULL::stamp, 3000, seed => 2);
SELECT is((SELECT count(*) FROM stamps WHERE iso::timestamptz <> ts), 0::bigint, 'texts with an offset are of the moment');
SELECT is((SELECT count(*) FROM stamps WHERE extract(epoch FROM left(iso, 19)::timestamp - ts AT TIME ZONE 'UTC') <> off * 3600), 0::bigint, 'and the offset is the row''s');
SELECT is((SELECT count(*) FROM stamps WHERE seen !~ ' ..:..:..\+0[12]$' OR seen::timestamptz <> ts), 0::bigint, 'of hours alone, too');
SELECT cmp_ok((SELECT abs(avg((seen ~ '1$')::int) - 0.3) FROM stamps), '<', 0.04::numeric, 'as often as in the source');
SELECT is((SELECT count(*) FROM stamps WHERE alone !~ 'T..:..:..(Z|\+0530|-0800)$' OR alone::timestamptz < '2024-01-09Z' OR alone::timestamptz > '2024-11-06Z'), 0::bigint, 'one of its own');
SELECT cmp_ok((SELECT avg((berlin::timestamptz = ts)::int) FROM stamps), '=', 1::numeric, 'local time');
SELECT cmp_ok((SELECT avg((left(berlin, 19)::timestamp = ts AT TIME ZONE 'Europe/Berlin')::int) FROM stamps), '>', 0.98, 'its offset is mostly that of the season');
SELECT cmp_ok((SELECT abs(avg((berlin IS NULL)::int) - 0.1) FROM stamps), '<', 0.03::numeric, 'NULLs stay');

-- seconds and milliseconds since 1970 as texts, and what else is of the same moment
CREATE TABLE tick AS
SELECT extract(epoch FROM ts)::bigint::text AS s, floor(extract(epoch FROM ts) * 1000)::bigint::text AS ms, to_char(ts, 'YYYY-MM-DD') AS day, to_char(ts, 'HH24:MI:SS') AS clock
FROM (SELECT timestamp '2023-01-01' + random() * interval '600 days' AS ts FROM generate_series(1, 3000)) AS drawn;
SELECT FROM synth_fit('tick', seed => 1);
CREATE TABLE ticks AS SELECT * FROM synth_sample(NULL::tick, 3000, seed => 2);
SELECT is((SELECT count(*) FROM ticks WHERE length(s) <> 10 OR length(ms) <> 13 OR to_timestamp(ms::bigint / 1000)::timestamp NOT BETWEEN '2022-12-31' AND '2024-08-24'), 0::bigint, 'epochs are of their time');
SELECT is((SELECT count(*) FROM ticks WHERE abs(ms::numeric / 1000 - s::numeric) > 0.5), 0::bigint, 'seconds are those of the milliseconds');
SELECT is((SELECT count(*) FROM ticks WHERE (day || ' ' || clock)::timestamp <> to_timestamp(floor(ms::numeric / 1000))::timestamp), 0::bigint, 'and so are day and clock');

-- what conditions refuse
CREATE TABLE pairs AS SELECT random() * 100 AS a, random() * 100 AS b, random() AS c FROM generate_series(1, 2000);
SELECT matches((SELECT notes[1] FROM synth_fit('pairs', seed => 1, options => '{"constraints": ["a + b < 100"]}')), '^conditions refuse (49|5\d) % of the rows that are made, which changes the distributions of "[ab]" \(2\d % of the rows\), "[ab]" \(2\d % of the rows\)$', 'a note of what moves');
SELECT is((SELECT notes FROM synth_fit('pairs', seed => 1, options => '{"constraints": ["a + b < 199"]}')), '{}', 'not of little');

SELECT * FROM finish();
ROLLBACK;
