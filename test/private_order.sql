-- Order that CHECK constraints declare, in differentially private fits: it is learned as a difference, and no row breaks it.
SELECT plan(33);
SET client_min_messages = warning;
CREATE TABLE stays (id int PRIMARY KEY, admitted date NOT NULL, left_on date CHECK (left_on >= admitted), paid date, CHECK (paid IS NULL OR left_on IS NULL OR paid > left_on),
	seen timestamptz, gone timestamptz CHECK (seen <= gone), net numeric(8,2) NOT NULL, gross numeric(9,3) CHECK (gross >= net), ward text NOT NULL);
INSERT INTO stays SELECT i, d, CASE WHEN i % 10 > 0 THEN d + s END, CASE WHEN i % 3 > 0 THEN d + s + 30 + i % 5 END,
	CASE WHEN i % 4 > 0 THEN d + t END, CASE WHEN i % 7 > 0 THEN d + t + interval '1 min' * (i % 90) END, n, n * 1.2, 'ward ' || i % 3
FROM (SELECT i, date '2020-01-01' + i * 7 % 1800 AS d, (i * 31 % 37) * (i * 17 % 11) / 50 AS s, interval '1 s' * (i * 977 % 86400) AS t,
	(i * 13 % 9000) / 10.0 AS n FROM generate_series(1, 20000) i) r;
CREATE TEMP TABLE asked AS SELECT '{"bounds": {"admitted": ["2020-01-01", "2024-12-31"], "left_on": ["2020-01-01", "2025-12-31"], "paid": ["2020-01-01", "2026-12-31"],
	"seen": ["2020-01-01", "2025-01-01"], "gone": ["2020-01-01", "2025-01-02"], "net": [0, 1000], "gross": [0, 2000]}, "categories": {"ward": ["ward 0", "ward 1", "ward 2"]}}'::jsonb AS options;
SELECT synth_fit('stays', epsilon => 1, options => options) FROM asked \g /dev/null
SELECT is((SELECT array_agg(name || '<' || (detail ->> 'from') ORDER BY ordinal) FROM synth_columns('stays') WHERE detail ? 'from'),
	'{left_on<admitted,paid<left_on,gone<seen,gross<net}', 'CHECKs say what is learned as a difference');
SELECT is((SELECT array_agg(s ->> 'query' ORDER BY s ->> 'query') FROM synth_ledger, jsonb_array_elements(steps) s WHERE model = 'stays' AND s ->> 'query' LIKE '%adds%' AND NOT s ->> 'query' LIKE '%block%'),
	'{rows by what gone adds to seen,rows by what gross adds to net,rows by what left_on adds to admitted,rows by what paid adds to left_on}', 'the ledger says what was counted');
SELECT ok(abs(rho - sum) < 1e-8, 'and all of it') FROM (SELECT rho, (SELECT sum((s ->> 'rho')::float8) FROM jsonb_array_elements(steps) s) FROM synth_ledger WHERE model = 'stays') l;
CREATE FUNCTION broken(rows regclass) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM %s WHERE left_on < admitted OR paid <= left_on OR gone < seen OR gross < net', rows) INTO n;
	RETURN n;
END $$;
CREATE TABLE drawn AS SELECT * FROM synth_sample(NULL::stays, 20000, seed => 1);
SELECT is(broken('drawn'), 0::bigint, 'no row breaks an order');
SELECT ok(abs(avg(least(left_on - admitted, 10)) FILTER (WHERE left_on IS NOT NULL) - (SELECT avg(left_on - admitted) FROM stays)) < 0.4, 'stays are as long') FROM drawn;
SELECT ok(abs(avg((left_on = admitted)::int) - (SELECT avg((left_on = admitted)::int) FROM stays)) < 0.02, 'as many last no day') FROM drawn;
SELECT ok(abs(avg((left_on IS NULL)::int) - 0.1) < 0.01 AND abs(avg((gone IS NULL)::int) - 1 / 7.0) < 0.01, 'as many are NULL') FROM drawn;
SELECT is(percentile_disc('{0.05,0.3,0.5,0.9}'::float8[]) WITHIN GROUP (ORDER BY paid - left_on), '{30,31,32,34}', 'differences of differences') FROM drawn;
SELECT ok(percentile_disc(0.5) WITHIN GROUP (ORDER BY gone - seen) BETWEEN '00:42' AND '00:47' AND percentile_disc(0.95) WITHIN GROUP (ORDER BY gone - seen) BETWEEN '01:22' AND '01:30', 'and of time stamps') FROM drawn;
SELECT ok(count(*) > 4000 AND min(gone) >= '2020-01-01' AND max(gone) <= '2025-01-02', 'which stand for themselves where there is none to be after') FROM drawn WHERE seen IS NULL AND gone IS NOT NULL;
SELECT ok(abs(avg(extract(epoch FROM gone)) / 86400 - (SELECT avg(extract(epoch FROM gone)) / 86400 FROM stays WHERE seen IS NULL)) < 150, 'and are as late as they were')
FROM drawn WHERE seen IS NULL;
SELECT ok(percentile_disc(0.5) WITHIN GROUP (ORDER BY gross - net) BETWEEN 85 AND 95 AND corr(gross, net) > 0.99, 'numerics of two scales') FROM drawn;
SELECT ok(min(admitted) >= '2020-01-01' AND max(left_on) <= '2025-12-31' AND max(gross) <= 2000, 'within what is declared') FROM drawn;

-- Only what a CHECK says.
CREATE TABLE unsaid AS SELECT * FROM stays;
SELECT synth_fit('unsaid', epsilon => 1, options => options, exclude => '{id}') FROM asked \g /dev/null
SELECT is((SELECT count(*) FROM synth_columns('unsaid') WHERE detail ? 'from'), 0::bigint, 'nothing is looked for in the rows');
SELECT synth_fit('stays', model => 'plain', epsilon => 1, options => options || '{"differences": 0}') FROM asked \g /dev/null
SELECT is((SELECT count(*) FROM synth_columns('plain') WHERE detail ? 'from'), 0::bigint, 'differences: 0');
SELECT throws_ok($$SELECT synth_sample('stays', 1, given => '{"left_on": "2020-05-01"}')$$, '0A000',
	'column "left_on" cannot be given, since it was learned as the difference from "admitted"', 'what is a difference cannot be given');
SELECT is((SELECT count(*) FROM synth_sample('plain', 50, given => '{"left_on": {"gte": "2020-05-01", "lt": "2020-06-01"}}')), 50::bigint, 'what is none, can');

-- Rows that are made in other ways.
CREATE TABLE copy (LIKE stays INCLUDING ALL);
CALL synth_into('copy', 3000, model => 'stays');
SELECT is((SELECT count(*) FROM copy), 3000::bigint, 'the table takes the rows');
CREATE TABLE completed AS SELECT * FROM synth_complete(NULL::stays, columns => '{left_on,paid,gone}', model => 'stays', seed => 1);
SELECT is(count(*), 20000::bigint, 'rows are completed') FROM completed;
SELECT is(broken('completed'), 0::bigint, 'in their order');
SELECT ok(abs(avg(least(left_on - admitted, 10)) FILTER (WHERE left_on IS NOT NULL) - (SELECT avg(left_on - admitted) FROM stays)) < 0.4, 'and stay as long') FROM completed;
SELECT throws_ok($$SELECT * FROM synth_complete(NULL::stays, columns => '{admitted}', model => 'stays')$$, '0A000',
	'the model was not learned to complete rows of which column "left_on" is known', 'but not what they add to');
SELECT synth_fit('stays', method => 'tree', model => 'tree', epsilon => 1, options => options) FROM asked \g /dev/null
CREATE TABLE by_tree AS SELECT * FROM synth_sample(NULL::stays, 5000, model => 'tree', seed => 1);
SELECT is(broken('by_tree'), 0::bigint, 'other families');
SELECT ok(abs(avg(least(left_on - admitted, 10)) FILTER (WHERE left_on IS NOT NULL) - (SELECT avg(left_on - admitted) FROM stays)) < 0.4, 'learn them as well') FROM by_tree;

-- Ends that are found, several columns to be above, a view, and what is set by another CHECK.
CREATE TABLE days (low int, open int CHECK (open >= low), close int CHECK (close >= low), high int, CHECK (high >= open AND high >= close AND low <= high),
	total bigint, CHECK (total = low + high), CHECK (total >= low), far int NOT NULL CHECK (far BETWEEN 0 AND 10), near int CHECK (near >= far), code int UNIQUE CHECK (code > low));
INSERT INTO days SELECT l, o, c, h, l + h, i % 10, i % 10 + i % 3, 1000 + i FROM (SELECT i, l, l + i % 7 AS o, l + i % 5 AS c, CASE WHEN i % 50 > 0 THEN l + 7 + i % 20 END AS h
	FROM (SELECT i, 100 + i * 7 % 400 AS l FROM generate_series(1, 20000) i) a) r;
SELECT synth_fit('days', epsilon => 2) \g /dev/null
SELECT is((SELECT array_agg(name || '<' || (detail ->> 'from') ORDER BY ordinal) FROM synth_columns('days') WHERE detail ? 'from'),
	'{open<low,close<low,"high<[\"open\", \"close\", \"low\"]",near<far}', 'columns that nothing else is said of');
SELECT is((SELECT array_agg((s ->> 'cells')::int) FROM synth_ledger, jsonb_array_elements(steps) s WHERE model = 'days' AND s ->> 'query' LIKE 'rows by what%'),
	array_fill(0, ARRAY[8]), 'cells that are yet to be found');
CREATE TABLE drawn_days AS SELECT * FROM synth_sample(NULL::days, 20000, seed => 1);
SELECT is((SELECT count(*) FROM drawn_days WHERE open < low OR close < low OR high < open OR high < close OR total <> low + high OR near < far), 0::bigint,
	'no row breaks them, nor a sum');
SELECT ok(abs(avg(open - low) - 3) < 0.6 AND abs(avg(high - greatest(open, close)) - (SELECT avg(high - greatest(open, close)) FROM days)) < 3 AND count(total) > 19000,
	'differences are as they were') FROM drawn_days;
CREATE VIEW shown AS SELECT far AS a, near AS b FROM days WHERE far > 1;
SELECT synth_fit('shown', epsilon => 1) \g /dev/null
SELECT is((SELECT detail ->> 'from' FROM synth_columns('shown') WHERE name = 'b'), 'a', 'a view shows columns under other names');

-- What is no order, and orders in circles, too long or of huge numbers.
CREATE TABLE odd (a int NOT NULL, b int, c int, ok boolean, d timestamp, e timestamptz, f float8, g float8 CHECK (g >= f), h bigint, i bigint CHECK (i >= h), j text, k text CHECK (k >= j),
	CHECK (a >= b), CHECK (b >= a), CHECK (c >= a OR ok), CHECK (e >= d), CHECK (c <> a));
INSERT INTO odd SELECT x % 9, x % 9, x % 5 + 10, true, '2020-01-01', '2020-01-02', x % 3, x % 3, -9223372036854775808, 9223372036854775807, 'p', 'q' FROM generate_series(1, 3000) x;
SELECT lives_ok($$SELECT synth_fit('odd', epsilon => 5)$$, 'odd orders');
SELECT is((SELECT array_agg(name || '<' || (detail ->> 'from') ORDER BY ordinal) FROM synth_columns('odd') WHERE detail ? 'from'), '{a<b}', 'are left out');
SELECT is((SELECT count(*) FROM synth_sample(NULL::odd, 1000, seed => 1) WHERE a < b), 0::bigint, 'but for the first of a circle');
SELECT 'CREATE TABLE chain (c0 int' || string_agg(format(', c%s int CHECK (c%s >= c%s)', i, i, i - 1), '' ORDER BY i) || ')' FROM generate_series(1, 12) i \gexec
INSERT INTO chain SELECT i % 4, i % 5 + 4, i % 4 + 9, i % 4 + 13, i % 4 + 17, i % 4 + 21, i % 4 + 25, i % 4 + 29, i % 4 + 33, i % 4 + 37, i % 4 + 41, i % 4 + 45, i % 4 + 49 FROM generate_series(1, 4000) i;
SELECT synth_fit('chain', epsilon => 20) \g /dev/null
SELECT is((SELECT count(*) FROM synth_sample(NULL::chain, 500, seed => 1) WHERE c1 < c0 OR c5 < c4 OR c8 < c7 OR c12 < c11), 0::bigint, 'a chain of twelve');
SELECT * FROM finish();
