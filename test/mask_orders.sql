-- Masked values beside columns that stay, where conditions speak of both.
BEGIN;
SELECT plan(4);
SET LOCAL client_min_messages = warning;
SELECT synth_key('default', '\x000102030405060708090a0b0c0d0e0f');
CREATE TABLE blurred (id int PRIMARY KEY, admitted date NOT NULL, left_on date CHECK (left_on >= admitted), paid timestamp CHECK (paid >= left_on), net numeric(8,2), gross numeric(8,2) CHECK (gross >= net), low int, high int, CHECK (low < high), share float8 CHECK (share >= net));
INSERT INTO blurred SELECT i, d, d + i % 5, d + i % 5 + interval '1 hour' * (i % 20), n, n + 7.5, i, i + 1 + i % 3, n FROM (SELECT i, date '2023-01-01' + i * 3 AS d, i * 3.25 AS n FROM generate_series(1, 400) AS i) AS r;
CREATE TABLE sharp AS SELECT * FROM blurred;
CREATE FUNCTION blurred(rules jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE same boolean;
BEGIN
	CREATE TEMP TABLE read_blurred AS SELECT * FROM synth_masked(NULL::blurred, rules => blurred.rules);
	CALL synth_mask('blurred', rules => blurred.rules);
	same := NOT EXISTS (TABLE read_blurred EXCEPT TABLE blurred);
	DROP TABLE read_blurred;
	RETURN same || ' ' || (SELECT count(*) FROM blurred AS b JOIN sharp AS s USING (id) WHERE date_trunc('month', b.left_on) = date_trunc('month', s.left_on) AND date_trunc('month', b.admitted) = date_trunc('month', s.admitted)
		AND coalesce(date_trunc('month', b.paid) = date_trunc('month', s.paid), true) AND abs(b.gross - s.gross) < 10 AND abs(b.high - s.high) < 10 AND abs(b.share - s.share) < 10) || ' ' ||
		(SELECT count(*) FROM blurred WHERE left_on NOT IN (date_trunc('month', left_on), date_trunc('month', left_on) + interval '1 month -1 day'));
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || SQLERRM;
END $$;
SAVEPOINT b;
SELECT is(blurred('{"left_on": "generalise:month"}'), '23514masked rows of table "blurred" violate check constraint "blurred_check1"', 'no end of the month is before what was paid in it');
ROLLBACK TO b;
SELECT is(blurred('{"left_on": "generalise:month", "paid": "generalise:month"}'), 'true 400 0', 'dates: the last day of the unit where the first will not do, while reading and in place');
ROLLBACK TO b;
SELECT is(blurred('{"admitted": "generalise:month", "left_on": "generalise:month", "paid": "null", "gross": "generalise:10", "high": "generalise:10", "share": "generalise:10"}'), 'true 400 0', 'numbers: the multiple above');
CREATE DOMAIN since_may AS date CHECK (VALUE >= '2023-05-10');
CREATE TABLE lately (id int PRIMARY KEY, day since_may);
INSERT INTO lately SELECT i, date '2023-05-10' + i FROM generate_series(1, 60) AS i;
SELECT is((SELECT string_agg(DISTINCT day::text, ' ') FROM synth_masked(NULL::lately, rules => '{"day": "generalise:month"}')), '2023-05-31 2023-06-01 2023-07-01', 'where a domain asks for it, too');
SELECT * FROM finish();
ROLLBACK;
