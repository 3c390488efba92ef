-- Completed and synthesized rows whose values lie between others of their row: orders that CHECKs declare, and orders that were found, whichever of their columns are known.
BEGIN;
SELECT plan(22);
SET LOCAL client_min_messages = error;
SET LOCAL search_path = public;
SELECT synth_key('default', '\x000102030405060708090a0b0c0d0e0f');

CREATE TABLE stays (id int PRIMARY KEY, admitted date NOT NULL, left_on date CHECK (left_on >= admitted), paid date, CHECK (paid IS NULL OR left_on IS NULL OR paid > left_on),
	seen timestamptz, gone timestamptz CHECK (seen <= gone), net numeric(8,2) NOT NULL, gross numeric(9,3) CHECK (gross >= net), ward text NOT NULL);
INSERT INTO stays SELECT i, d, CASE WHEN i % 10 > 0 THEN d + s END, CASE WHEN i % 3 > 0 THEN d + s + 30 + i % 5 END,
	CASE WHEN i % 4 > 0 THEN d + t END, CASE WHEN i % 7 > 0 THEN d + t + interval '1 min' * (i % 90) END, n, n * 1.2, 'ward ' || i % 3
FROM (SELECT i, date '2020-01-01' + i * 7 % 1800 AS d, (i * 31 % 37) * (i * 17 % 11) / 50 AS s, interval '1 s' * (i * 977 % 86400) AS t,
	(i * 13 % 9000) / 10.0 AS n FROM generate_series(1, 1500) i) r;
CREATE FUNCTION broken(rows text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM %s WHERE left_on < admitted OR paid <= left_on OR gone < seen OR gross < net', rows) INTO n;
	RETURN n;
END $$;
SELECT is(broken(format('synth_complete(NULL::stays, %L, seed => 1)', c)), 0::bigint, 'declared orders hold where ' || c || ' is drawn')
	FROM unnest('{"{left_on}","{admitted}","{seen}","{net}","{admitted,paid}"}'::text[]) AS c;

-- between two columns that are always known, and near each other
CREATE TABLE visits (id int PRIMARY KEY, opened date NOT NULL, seen date, closed date NOT NULL, fee int, cost float8, CHECK (opened <= seen AND seen < closed), CHECK (cost <= fee));
INSERT INTO visits SELECT i, d, d + i % 2, d + 2 + i % 3, i % 500, i % 500 - i * 7 % 11 / 4.0 FROM (SELECT i, date '2015-01-01' + i * 7919 % 3000 AS d FROM generate_series(1, 1200) AS i) AS r;
CREATE TABLE seen AS SELECT * FROM synth_complete(NULL::visits, '{seen}', seed => 1);
SELECT is((SELECT count(*) FROM seen WHERE seen < opened OR seen >= closed), 0::bigint, 'a day between two that are known');
SELECT cmp_ok((SELECT min(n) FROM (SELECT count(*) AS n FROM seen WHERE closed - opened = 4 GROUP BY seen - opened) AS d), '>', 10::bigint, 'each of these days');
SELECT is((SELECT count(*) FROM synth_complete(NULL::visits, '{cost}', seed => 1) WHERE cost > fee), 0::bigint, 'floats beside whole numbers');
SELECT is((SELECT string_agg(id || ' ' || seen, ',' ORDER BY id) FROM synth_complete(NULL::visits, '{seen}', seed => 1)), (SELECT string_agg(id || ' ' || seen, ',' ORDER BY id) FROM seen), 'a seed says which');

-- what the model has not learned: rows beyond its ends, and a model of whole rows
SELECT synth_fit('visits', method => m, model => 'whole ' || m, exclude => '{id}', seed => 1, options => '{"differences": 0, "refine": 0}') FROM unnest('{tree,copula}'::text[]) AS m;
INSERT INTO visits VALUES (-1, '1990-01-01', '1990-01-01', '1990-01-03', 3, 2), (-2, '2050-01-01', '2050-01-03', '2050-01-04', 900000, 2), (-3, '2016-01-01', NULL, '2016-01-02', NULL, NULL);
SELECT is((SELECT count(*) FROM synth_complete(NULL::visits, '{seen,cost}', model => 'whole ' || m, seed => 1) WHERE seen < opened OR seen >= closed OR cost > fee), 0::bigint, 'a model of whole rows: ' || m) FROM unnest('{tree,copula}'::text[]) AS m;
SELECT is((SELECT count(*) FROM synth_complete(NULL::visits, '{opened,closed}', model => 'whole tree', seed => 1) WHERE seen < opened OR seen >= closed), 0::bigint, 'on both sides of one that is known');
SELECT throws_ok($$SELECT synth_complete(NULL::visits, '{seen}', source => 'SELECT id, opened, seen, opened AS closed, fee, cost FROM visits', model => 'whole tree', seed => 1)$$, '23514', NULL, 'there is no day before itself');

-- by rule 'synthesize': while rows are read, in place, row by row
CREATE FUNCTION by(model text) RETURNS jsonb LANGUAGE sql AS $$ SELECT format('{"seen": "synthesize(%1$s)", "cost": "synthesize(%1$s)"}', model)::jsonb $$;
CREATE TABLE read1 AS SELECT * FROM synth_masked(NULL::visits, rules => by('whole tree'));
SELECT is((SELECT count(*) FROM read1 WHERE seen < opened OR seen >= closed OR cost > fee), 0::bigint, 'synthesized while it is read');
SELECT is((SELECT m.seen || ' ' || m.cost FROM synth_masked(NULL::visits, rules => by('whole tree')) AS m WHERE id = -2), (SELECT m.seen || ' ' || m.cost FROM read1 AS m WHERE id = -2), 'the same, a row by itself');
SAVEPOINT s;
CALL synth_mask('visits', rules => by('whole tree'));
SELECT is((SELECT count(*) FROM (TABLE visits EXCEPT TABLE read1) AS d), 0::bigint, 'and in place');
ROLLBACK TO s;
SELECT lives_ok($$CALL synth_mask('visits', rules => '{"seen": "synthesize"}')$$, 'by a model that is fitted for it');

-- orders that are not declared
CREATE TABLE shifts AS SELECT i AS id, date '2015-01-01' + d AS begins, date '2015-01-01' + d + i * 31 % 17 AS ends, (d + i) % 97 AS low, (d + i) % 97 + i * 13 % 5 AS high, i % 7 AS post FROM (SELECT i, i * 7919 % 3000 AS d FROM generate_series(1, 1200) AS i) AS r;
SELECT is((SELECT count(*) FROM synth_complete(NULL::shifts, ARRAY[c], seed => 1) WHERE ends < begins OR high < low), 0::bigint, 'found orders hold where ' || c || ' is drawn') FROM unnest('{begins,ends,low,high}'::text[]) AS c;
UPDATE shifts SET ends = begins - 3 WHERE id = 5;
SELECT is((SELECT ends - begins FROM synth_complete(NULL::shifts, '{post}', seed => 1) WHERE id = 5), -3, 'a row that is an exception may stay one');
SELECT * FROM finish();
ROLLBACK;
