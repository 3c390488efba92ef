-- Places of masked rows drawn from the table itself: combinations that enough rows share, city(from=table).
BEGIN;
SELECT plan(19);
SET LOCAL client_min_messages = error;
SET LOCAL search_path = public;
SELECT synth_key('default', '\x000102030405060708090a0b0c0d0e0f');
CREATE TABLE home (id int PRIMARY KEY, city varchar(20), state char(5), postcode int, note text);
-- 40 places of 6 to 84 rows, and 30 rows that are alone at theirs
INSERT INTO home SELECT row_number() OVER (), 'Ort ' || p, ('{NY,CA,TX,WA}'::text[])[1 + p % 4], 10000 + p, 'n' FROM generate_series(1, 40) AS p, generate_series(1, 4 + 2 * p) AS i;
INSERT INTO home SELECT 100000 + i, 'Weiler ' || i, 'CA', 90000 + i, 'n' FROM generate_series(1, 30) AS i;
INSERT INTO home VALUES (200001, NULL, 'CA', 10001, 'n'), (200002, '', 'CA', 10001, 'n');
CREATE TABLE was AS TABLE home;
CREATE FUNCTION rules(VARIADIC names text[]) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_object_agg(n, n || '(from=table)') FROM unnest(names) AS n $$;
SAVEPOINT s;
CALL synth_mask('home', rules => rules('city', 'state', 'postcode'));
SELECT is((SELECT count(*) FROM home WHERE (city, state, postcode) IN (SELECT city, state, postcode FROM was GROUP BY 1, 2, 3 HAVING count(*) >= 5)), (SELECT count(*) FROM home WHERE city <> ''), 'city, state and postcode belong together');
SELECT is((SELECT count(*) FROM home WHERE city LIKE 'Weiler%'), 0::bigint, 'none that few rows share');
SELECT cmp_ok((SELECT count(DISTINCT city) FROM home WHERE city <> ''), '>', 35::bigint, 'of many');
SELECT cmp_ok((SELECT count(*) FROM home JOIN was USING (id) WHERE home.city = was.city), '<', 200::bigint, 'others than the row''s');
SELECT cmp_ok((SELECT count(*) FROM home WHERE city = 'Ort 40')::float8, '>', (SELECT 2.0 * count(*) FROM home WHERE city = 'Ort 10')::float8, 'the more frequent the more often');
SELECT is((SELECT (city IS NULL)::text || ' ' || (postcode BETWEEN 10001 AND 10040) FROM home WHERE id = 200001), 'true true', 'NULL stays');
SELECT is((SELECT city FROM home WHERE id = 200002), '', 'and the empty text');
CREATE TABLE first AS TABLE home;
ROLLBACK TO s;
CREATE SCHEMA copies;
CALL synth_mask('home', rules => rules('city', 'state', 'postcode'), "into" => 'copies.home');
SELECT is((SELECT count(*) FROM copies.home JOIN was USING (id) WHERE copies.home.city = was.city AND was.city <> ''), (SELECT count(*) FROM (SELECT 1 FROM copies.home h JOIN was w ON h.id = w.id AND w.city <> '' AND (h.city, h.state, h.postcode) = (w.city, w.state, w.postcode)) AS x), 'a copy: as a whole');
SELECT is((SELECT count(*) FROM copies.home WHERE city LIKE 'Weiler%'), 0::bigint, 'of shared ones');
CREATE TABLE copied AS TABLE copies.home;
SAVEPOINT t;
CALL synth_mask('home', rules => rules('city', 'state', 'postcode'));
SELECT is((SELECT count(*) FROM (TABLE home EXCEPT ALL TABLE copied) AS d), 0::bigint, 'the same as in place');
ROLLBACK TO t;
-- what stays of the place
CALL synth_mask('home', rules => rules('city', 'postcode') || '{"state": "keep"}');
SELECT is((SELECT count(*) FROM home WHERE city <> '' AND (city, state, postcode) NOT IN (SELECT city, state, postcode FROM was GROUP BY 1, 2, 3 HAVING count(*) >= 5)), 0::bigint, 'they agree with the state that stays');
SELECT is((SELECT count(*) FROM home JOIN was USING (id) WHERE home.state <> was.state), 0::bigint, 'which stays');
-- none is shared by enough rows
CREATE TABLE rare (id int PRIMARY KEY, city text);
INSERT INTO rare SELECT i, 'Weiler ' || i / 4 FROM generate_series(1, 100) AS i;
CALL synth_mask('rare', rules => '{"city": "city(locale=de_DE, from=table)"}');
SELECT is((SELECT count(*) FROM rare WHERE city LIKE 'Weiler%' OR city IS NULL), 0::bigint, 'else of the lists');
-- partitions: of the whole table
CREATE TABLE part (id int, city text) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (100);
CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (100) TO (200);
INSERT INTO part SELECT i, 'Ort ' || i / 10 FROM generate_series(0, 199) AS i;
CALL synth_mask('part', rules => rules('city'));
SELECT cmp_ok((SELECT count(*) FROM part_1 WHERE substr(city, 5)::int >= 10), '>', 20::bigint, 'partitions');
-- where it cannot be
SELECT throws_ok($$SELECT * FROM synth_masked(NULL::was, rules => rules('city'))$$, '0A000', NULL, 'not while reading');
SELECT throws_ok($$CALL synth_mask('was', rules => rules('city'), mode => 'update')$$, '0A000', NULL, 'nor row by row');
SELECT throws_ok($$CALL synth_mask('was', rules => '{"city": "city(from=world)"}')$$, '22023', NULL, 'from what');
SELECT throws_ok($$CALL synth_mask('was', rules => '{"note": "email(from=table)"}')$$, '42704', NULL, 'kinds that are no places');
SELECT throws_ok($$CALL synth_mask('was', rules => '{"city": "city(from=table,)"}')$$, '22023', NULL, 'a comma too many');
SELECT * FROM finish();
ROLLBACK;
