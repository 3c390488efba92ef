-- Rows of an owner, each given those before: keys, time, what stays the same, and what is stored.
BEGIN;
SELECT plan(37);
SET LOCAL client_min_messages = error;

-- Players have one row for each season and position, which nobody declares; a team stays for some seasons; seasons do not fall.
CREATE SCHEMA club;
SET LOCAL search_path = club, public;
CREATE TABLE player (id int PRIMARY KEY, side text NOT NULL, born int NOT NULL);
CREATE TABLE season (player_id int NOT NULL REFERENCES player, year int NOT NULL, team text, pos text NOT NULL, games int, CHECK (games <> 13));
INSERT INTO player SELECT i, (ARRAY['left', 'right'])[1 + i % 2], 1950 + i * 7919 % 40 FROM generate_series(1, 800) AS i;
INSERT INTO season SELECT p.id, born + 20 + k, 'team ' || (p.id + k / 3) * 31 % 40, pos, CASE WHEN pos = 'keeper' THEN 30 + k % 3 ELSE (p.id * k) % 12 END
	FROM player AS p, generate_series(0, 7) AS k, unnest(CASE WHEN id % 4 = 0 THEN '{keeper}' WHEN id % 2 = 0 THEN '{back,wing}' ELSE '{back,centre,wing}' END::text[]) WITH ORDINALITY AS u(pos, o)
	WHERE k <= 2 + p.id % 6 AND (o + k + p.id) % 5 <> 0 ORDER BY p.id, k, o;
ANALYZE;
SELECT synth_fit_schema('{club}', model => 'club', options => '{"order_by": {"season": "year"}, "remake": ["player"]}', seed => 1) \g /dev/null
SELECT is(method, 'sequence', 'children have a method of their own') FROM synth_models WHERE model = 'club/season' AND current;
CREATE SCHEMA made;
CALL synth_schema_into('made', 'club', seed => 1);
CREATE VIEW made.s AS SELECT *, lag(year) OVER o AS last_year, lag(team) OVER o AS last_team, lag(pos) OVER o AS last_pos
	FROM (SELECT *, row_number() OVER () AS place FROM made.season) AS r WINDOW o AS (PARTITION BY player_id ORDER BY place);
CREATE VIEW real AS SELECT *, lag(year) OVER o AS last_year, lag(team) OVER o AS last_team, lag(pos) OVER o AS last_pos
	FROM (SELECT *, row_number() OVER () AS place FROM season) AS r WINDOW o AS (PARTITION BY player_id ORDER BY place);
SELECT is((SELECT count(*) FROM (SELECT FROM made.season GROUP BY player_id, year, pos HAVING count(*) > 1) AS d), 0::bigint, 'a natural key that nobody declared is not repeated');
SELECT cmp_ok(count(*)::float8, '>', (SELECT 0.9 * count(*) FROM season)::float8, 'hardly any row is left out for that') FROM made.season;
SELECT is(count(*), 0::bigint, 'time does not fall') FROM made.s WHERE year < last_year;
SELECT cmp_ok(abs(avg((team = last_team)::int) - (SELECT avg((team = last_team)::int) FROM real))::float8, '<', 0.05::float8, 'a team stays as often') FROM made.s;
SELECT cmp_ok(avg((pos > last_pos)::int)::float8, '>', 0.97::float8, 'rows of a year are in the order that they came in') FROM made.s WHERE year = last_year;
SELECT cmp_ok(avg((n = 1)::int)::float8, '>', 0.93::float8, 'keepers are nothing else') FROM (SELECT count(DISTINCT pos) AS n FROM made.season GROUP BY player_id HAVING bool_or(pos = 'keeper')) AS k;
SELECT cmp_ok(avg((year - born BETWEEN 20 AND 22)::int)::float8, '>', 0.97::float8, 'the first year follows the owner''s') FROM made.s JOIN made.player ON id = player_id WHERE last_year IS NULL;
SELECT is(count(*), 0::bigint, 'conditions hold') FROM made.season WHERE games = 13;

-- First rows: they are of an age that first rows have, by the year of a day; what they are goes with how many there are to come, though names tell more by chance.
CREATE SCHEMA career;
CREATE TABLE career.person (id int PRIMARY KEY, born date, town text);
CREATE TABLE career.job (person_id int NOT NULL REFERENCES career.person, year int NOT NULL, firm text NOT NULL, role text NOT NULL);
INSERT INTO career.person SELECT i, date '1850-01-01' + i * 7919 % 50000, 'town ' || i * 31 % 97 FROM generate_series(1, 2000) AS i;
INSERT INTO career.job SELECT id, extract(year FROM born)::int + 17 + id * 13 % 7 + k, 'firm ' || (hashint4(id) & 63),
	CASE WHEN hashint4(id + 7) & 15 < 2 + id % 12 THEN 'boss' ELSE (ARRAY['clerk', 'cook'])[1 + (id + k) % 2] END FROM career.person, generate_series(0, id % 12) AS k;
ANALYZE career.person, career.job;
SELECT synth_fit_schema('{career}', options => '{"order_by": {"job": "year"}, "remake": ["person"]}', seed => 1) \g /dev/null
CREATE SCHEMA careers;
CALL synth_schema_into('careers', 'career', seed => 1);
SELECT ok(bool_and(year - extract(year FROM born) BETWEEN 17 AND 23), 'all begin at an age that somebody has begun at')
	FROM (SELECT person_id, min(year) AS year FROM careers.job GROUP BY 1) AS j JOIN careers.person ON id = person_id;
CREATE VIEW careers.beginning AS SELECT count(*) AS n, (array_agg(role ORDER BY ctid))[1] = 'boss' AS boss FROM careers.job GROUP BY person_id;
SELECT cmp_ok(avg(boss::int)::float8, '<', 0.33::float8, 'who has few rows hardly ever begins as a boss') FROM careers.beginning WHERE n <= 3;
SELECT cmp_ok(avg(boss::int)::float8, '>', 0.6::float8, 'who has many as a rule') FROM careers.beginning WHERE n >= 10;

-- A place is that of one runner, and whoever gives up has none.
CREATE SCHEMA run;
CREATE TABLE run.race (id int PRIMARY KEY, city text);
CREATE TABLE run.entry (race_id int NOT NULL REFERENCES run.race, lane int NOT NULL, place int);
INSERT INTO run.race SELECT i, 'city ' || i % 7 FROM generate_series(1, 200) AS i;
INSERT INTO run.entry SELECT id, k, CASE WHEN place <= 10 - id % 4 THEN place END FROM (SELECT id, k, row_number() OVER (PARTITION BY id ORDER BY hashint4(id * 100 + k)) AS place FROM run.race, generate_series(1, 10) AS k) AS r ORDER BY id, k;
ANALYZE run.race, run.entry;
SELECT synth_fit_schema('{run}', options => '{"remake": ["race"]}', seed => 1) \g /dev/null
CREATE SCHEMA runs;
CALL synth_schema_into('runs', 'run', seed => 1);
SELECT is((SELECT count(*) FROM (SELECT FROM runs.entry WHERE place IS NOT NULL GROUP BY race_id, place HAVING count(*) > 1) AS d), 0::bigint, 'a key that may be NULL is not repeated, either');
SELECT cmp_ok(abs(avg((place IS NULL)::int) - (SELECT avg((place IS NULL)::int) FROM run.entry))::float8, '<', 0.05::float8, 'is NULL as often') FROM runs.entry;
SELECT cmp_ok(count(*)::float8, '>', 1900::float8, 'and leaves hardly any row out') FROM runs.entry;

-- the same rows whatever batches they are inserted in
CREATE TABLE made.again (LIKE made.season);
ALTER TABLE made.again ADD FOREIGN KEY (player_id) REFERENCES made.player;
CALL synth_into('made.again', model => 'club/season', seed => 1, batch_size => 777);
SELECT set_eq('SELECT * FROM made.again', 'SELECT * FROM made.season', 'batches do not matter');

-- by itself, without owners
SELECT cmp_ok(count(DISTINCT row->>'pos'), '>=', 2::bigint, 'rows of a child alone') FROM synth_sample('club/season', 500, seed => 1) AS row;

-- rows that fail a condition of the target are left out
CREATE TABLE made.young (LIKE made.season, CHECK (year < 1990));
ALTER TABLE made.young ADD FOREIGN KEY (player_id) REFERENCES made.player;
SELECT lives_ok($$CALL synth_into('made.young', model => 'club/season', seed => 1)$$, 'a target with a condition of its own');
SELECT cmp_ok(count(*), '>', 100::bigint, 'takes the rows that meet it') FROM made.young;

-- of more rows than memory takes, some owners are learned
SET LOCAL maintenance_work_mem = '1MB';
SELECT synth_fit_schema('{club}', model => 'less', options => '{"order_by": {"season": "year"}, "remake": ["player"]}', seed => 1) \g /dev/null
RESET maintenance_work_mem;
SELECT cmp_ok(rows, '>=', 1000::bigint, 'a fit in little memory') FROM synth_models WHERE model = 'less/season' AND current;

-- a column of the owner that rows repeat, of as many values as there are cities
CREATE SCHEMA clinic;
CREATE TABLE clinic.patient (id int PRIMARY KEY, city text NOT NULL, tier int NOT NULL);
CREATE TABLE clinic.visit (id int PRIMARY KEY, patient_id int NOT NULL REFERENCES clinic.patient, day date NOT NULL, city text, fee numeric(8,2));
INSERT INTO clinic.patient SELECT i, 'city ' || i * 7919 % 61, 1 + i % 3 FROM generate_series(1, 1200) AS i;
INSERT INTO clinic.visit SELECT row_number() OVER (), p.id, date '2020-01-01' + p.id * k * 104729 % 1500, city, tier * 100 + p.id * k % 17 FROM clinic.patient AS p, generate_series(1, 3) AS k WHERE k <= 1 + p.id % 3;
SELECT synth_fit_schema('{clinic}', model => 'clinic', seed => 1) \g /dev/null
CREATE SCHEMA clinic2;
CALL synth_schema_into('clinic2', 'clinic', seed => 1);
SELECT is(count(*), 0::bigint, 'a copied column is copied') FROM clinic2.visit AS v JOIN clinic2.patient AS p ON p.id = patient_id WHERE v.city <> p.city;
SELECT cmp_ok(corr(fee, tier), '>', 0.98::float8, 'a number follows the owner''s') FROM clinic2.visit AS v JOIN clinic2.patient AS p ON p.id = patient_id;

SELECT is(count(*), 0::bigint, 'what would tell an owner is of no use to rows that are made given him') FROM gensynth.tensors WHERE model = 'clinic/visit' AND name = 'dependency/known';

-- what one owner alone has is no witness for each of its rows: it is not shown, and says nothing of new owners
CREATE SCHEMA team;
CREATE TABLE team.driver (id int PRIMARY KEY, surname text NOT NULL, born date NOT NULL);
CREATE TABLE team.result (id int PRIMARY KEY, driver_id int NOT NULL REFERENCES team.driver, day date NOT NULL, car int NOT NULL);
INSERT INTO team.driver SELECT i, 'Sur' || md5(i::text), date '1960-01-01' + i * 37 FROM generate_series(1, 300) AS i;
INSERT INTO team.result SELECT row_number() OVER (), d.id, date '2000-01-01' + d.id * 3 + k * 14, 1 + d.id % 37 FROM team.driver AS d, generate_series(1, 20) AS k;
SELECT synth_fit_schema('{team}', model => 'team', seed => 1) \g /dev/null
CREATE SCHEMA team2;
CALL synth_schema_into('team2', 'team', seed => 1);
SELECT is(count(*), 0::bigint, 'a team for life') FROM (SELECT FROM team2.result GROUP BY driver_id HAVING count(DISTINCT car) > 1) AS s;
SELECT cmp_ok(count(DISTINCT car), '>', 30::bigint, 'not all in one') FROM team2.result;
SELECT is(sum((detail ->> 'levels')::int), 0::bigint, 'names of one are no levels') FROM gensynth.columns WHERE model LIKE 'team/%' AND name LIKE '%surname';
SELECT is(count(*), 0::bigint, 'nor is any in what is stored') FROM gensynth.tensors, team.driver WHERE model LIKE 'team/%' AND position(convert_to(surname, 'UTF8') IN data) > 0;

-- rows of kept tables, near and far: what these say holds of the rows that lead to them
CREATE SCHEMA till;
CREATE TABLE till.tax (code int PRIMARY KEY, percent int NOT NULL);
INSERT INTO till.tax VALUES (1, 0), (2, 7), (3, 19);
CREATE TABLE till.product (id int PRIMARY KEY, price numeric(8,2) NOT NULL, unit text NOT NULL, tax int NOT NULL REFERENCES till.tax);
INSERT INTO till.product SELECT i, 1 + i * 7919 % 997 / 10.0, (ARRAY['piece', 'pack', 'box'])[1 + i % 3], 1 + i * 31 % 3 FROM generate_series(1, 120) AS i;
CREATE TABLE till.customer (id int PRIMARY KEY, surname text NOT NULL, tier int NOT NULL);
INSERT INTO till.customer SELECT i, 'Sur' || md5(i::text), 1 + i % 3 FROM generate_series(1, 800) AS i;
CREATE TABLE till.line (id int PRIMARY KEY, customer_id int NOT NULL REFERENCES till.customer, quantity int NOT NULL, unit text NOT NULL, price numeric(8,2) NOT NULL, total numeric(10,2) NOT NULL,
	percent int NOT NULL, product_id int REFERENCES till.product);
INSERT INTO till.line SELECT row_number() OVER (), c.id, q, p.unit, p.price, q * p.price, percent, p.id FROM till.customer AS c CROSS JOIN generate_series(1, 6) AS k
	CROSS JOIN LATERAL (SELECT 1 + (c.id * k * 7919) % 5 AS q, 1 + (c.id * 104729 + k * 15485863::bigint) % 120 AS product) AS d JOIN till.product AS p ON p.id = product JOIN till.tax ON tax = code;
SELECT synth_fit_schema('{till}', model => 'till', options => '{"keep": ["product", "tax"]}', seed => 1) \g /dev/null
CREATE SCHEMA till2;
CALL synth_schema_into('till2', 'till', seed => 1);
SELECT cmp_ok(avg((l.price = p.price)::int), '>', 0.99, 'a price that is copied') FROM till2.line AS l JOIN till2.product AS p ON p.id = product_id;
SELECT cmp_ok(avg((l.total = l.quantity * p.price)::int), '>', 0.99, 'a total over a price') FROM till2.line AS l JOIN till2.product AS p ON p.id = product_id;
SELECT cmp_ok(avg((l.unit = p.unit)::int), '>', 0.99, 'a text that is copied') FROM till2.line AS l JOIN till2.product AS p ON p.id = product_id;
SELECT cmp_ok(avg((l.percent = t.percent)::int), '>', 0.99, 'a number of what it leads to') FROM till2.line AS l JOIN till2.product AS p ON p.id = product_id JOIN till2.tax AS t ON code = tax;

-- what it refuses
SELECT throws_like($$SELECT synth_fit('club.season', method => 'sequence')$$, 'method "sequence" does not exist', 'nobody asks for it by name');
SELECT throws_like($$SELECT count(*) FROM synth_sample('club/season', 5, given => '{"pos": "wing"}')$$, '%cannot be sampled with given values', 'no conditions');

-- what is stored is hostile
CREATE FUNCTION with_word(tensor text, at int, word bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	payload bytea;
BEGIN
	SELECT substr(data, 13) INTO payload FROM gensynth.tensors WHERE (model, name) = ('club/season', tensor);
	at := at % (length(payload) / length(word));
	payload := overlay(payload PLACING word FROM at * length(word) + 1);
	UPDATE gensynth.tensors SET data = 'GST1'::bytea || substr(sha256(payload), 1, 8) || payload WHERE (model, name) = ('club/season', tensor);
	PERFORM count(row::text) FROM synth_sample('club/season', 100, seed => 1) AS row;
	TRUNCATE made.again;
	DELETE FROM synth_fills WHERE target = 'made.again';
	CALL synth_into('made.again', model => 'club/season', seed => 1);
	RAISE EXCEPTION 'none';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT is((SELECT string_agg(DISTINCT with_word(tensor, at, word), ',') FROM (VALUES ('sequence/position', '\x00000080'::bytea), ('sequence/position', '\xffffff7f'),
	('sequence/ask', '\xffffff7f'), ('sequence/ask', '\x00000080'), ('sequence/edge', '\x000000000000f87f'), ('sequence/key', '\xffffff7f'),
	('sequence/node', '\xffffff7f'), ('sequence/entry', '\x0000c07f')) AS t(tensor, word), generate_series(0, 0) AS at), 'XX001', 'impossible words are found');
SELECT is((SELECT count(*) FROM generate_series(1, 70) AS i, LATERAL (SELECT with_word((ARRAY['sequence/position', 'sequence/ask', 'sequence/edge', 'sequence/key',
	'sequence/node', 'sequence/mask', 'sequence/entry'])[1 + i % 7], i * i * 7, (ARRAY['\x00000000', '\xffffffff', '\x01000000', '\x07000000', '\xff000000',
	'\x0000803f']::bytea[])[1 + i % 6]) AS state) AS s WHERE state NOT IN ('XX001', 'P0001')), 0::bigint, 'any other word is an error or none');
CREATE FUNCTION with_lookup(word bytea, at int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	payload bytea;
BEGIN
	SELECT overlay(substr(data, 13) PLACING word FROM at) INTO payload FROM gensynth.tensors WHERE (model, name) = ('till/line', 'sequence/lookup');
	UPDATE gensynth.tensors SET data = 'GST1'::bytea || substr(sha256(payload), 1, 8) || payload WHERE (model, name) = ('till/line', 'sequence/lookup');
	PERFORM count(row::text) FROM synth_sample('till/line', 100, seed => 1) AS row;
	RAISE EXCEPTION 'none';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT is((SELECT string_agg(DISTINCT with_lookup(w, octet_length(data) - 12 - 7), ' ') FROM gensynth.tensors, (VALUES ('\x000000000000f07f'::bytea), ('\x000000000000f0ff')) AS v (w) WHERE (model, name) = ('till/line', 'sequence/lookup')), 'XX001', 'infinite lookups');
SELECT ok((SELECT count(*) FROM gensynth.tensors WHERE model = 'club/season' AND name = 'sequence/key' AND length(data) >= 12 + 16) = 1, 'a key was found');
SELECT * FROM finish();
ROLLBACK;
