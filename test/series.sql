-- Series of few entities, and rows that go on after those that are there.
BEGIN;
SELECT plan(28);
SET LOCAL client_min_messages = error;

CREATE SCHEMA plant;
CREATE TABLE plant.reading (sensor int, at timestamptz, celsius numeric(5,2), PRIMARY KEY (sensor, at));
INSERT INTO plant.reading SELECT s, timestamptz '2024-01-01 00:00Z' + k * interval '15 min', s * 10 + 3 * sin(k / 15.0) + k * 7919 % 13 / 10.0 FROM generate_series(1, 3) AS s, generate_series(0, 299) AS k;
-- numbered through, with a foreign key to a small table
CREATE TABLE plant.hall (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO plant.hall VALUES (1, 'north'), (2, 'south'), (3, 'east');
CREATE TABLE plant.load (id serial PRIMARY KEY, hall_id int NOT NULL REFERENCES plant.hall, at timestamp NOT NULL, kw float8 NOT NULL);
INSERT INTO plant.load (hall_id, at, kw) SELECT s, timestamp '2024-01-01' + k * interval '1 hour', s * 100 + 30 * sin(k / 4.0) + k * 7919 % 13 FROM generate_series(0, 199) AS k, generate_series(1, 3) AS s;
-- without any key
CREATE TABLE plant.trace (probe text NOT NULL, at timestamptz NOT NULL, v float8);
INSERT INTO plant.trace SELECT 'p' || s, timestamptz '2024-01-01Z' + k * interval '1 min', s + sin(k / 10.0) FROM generate_series(0, 199) AS k, generate_series(1, 2) AS s;
-- one series of few rows
CREATE TABLE plant.weather (day date PRIMARY KEY, t int);
INSERT INTO plant.weather SELECT date '2024-01-01' + k, k * 7919 % 23 FROM generate_series(0, 29) AS k;
-- three persons, of whom none may be shown
CREATE TABLE plant.pulse (email text, at timestamp, bpm int, PRIMARY KEY (email, at));
INSERT INTO plant.pulse SELECT 'p' || s || '@example.org', timestamp '2024-01-01' + k * interval '1 min', 60 + k % 7 FROM generate_series(0, 99) AS k, generate_series(1, 3) AS s;
-- at any time: no series
CREATE TABLE plant.event (id serial PRIMARY KEY, hall_id int NOT NULL REFERENCES plant.hall, at timestamp NOT NULL);
INSERT INTO plant.event (hall_id, at) SELECT 1 + i % 3, timestamp '2024-01-01' + i * 7919 % 100003 * interval '1 s' FROM generate_series(1, 300) AS i;
ANALYZE;
SELECT results_eq($$SELECT relation, role, order_by, together_by FROM synth_schema_plan('{plant}') WHERE role <> 'kept' ORDER BY 1$$,
	$$VALUES ('plant.event', 'root', NULL, '{}'::text[]), ('plant.load', 'sequence', 'at', '{hall_id}'), ('plant.pulse', 'sequence', 'at', '{email}'), ('plant.reading', 'sequence', 'at', '{sensor}'),
		('plant.trace', 'sequence', 'at', '{probe}'), ('plant.weather', 'sequence', 'day', '{}')$$, 'series are found by keys, or by the steps of their times');
SELECT synth_fit_schema('{plant}', seed => 1) \g /dev/null
CREATE SCHEMA made;
CALL synth_schema_into('made', 'plant', seed => 1);
SELECT is((SELECT count(*) || ' ' || count(DISTINCT sensor) FROM made.reading), '900 3', 'three sensors');
SELECT is((SELECT count(*) || ' ' || count(DISTINCT hall_id) FROM made.load), '600 3', 'three halls');
SELECT is((SELECT count(*) || ' ' || count(DISTINCT probe) FROM made.trace), '400 2', 'two probes');
SELECT is((SELECT count(*) || ' ' || max(day) - min(day) FROM made.weather), '30 29', 'one series of 30 days');
SELECT is((SELECT count(*) FROM made.pulse WHERE email NOT IN (SELECT email FROM plant.pulse)), 300::bigint, 'persons too few to learn from are not shown');
SELECT is((SELECT count(*) FROM (SELECT at - lag(at) OVER (PARTITION BY hall_id ORDER BY at) AS step FROM made.load) AS l WHERE step <> '1 hour'), 0::bigint, 'steps are regular');
SELECT cmp_ok((SELECT corr(kw, last) FROM (SELECT kw, lag(kw) OVER (PARTITION BY hall_id ORDER BY at) AS last FROM made.load) AS l), '>', 0.9::float8, 'numbers go on from the last');

-- they go on
CREATE TABLE made.before AS SELECT * FROM made.load;
CALL synth_into('made.load', 60, model => 'plant/load', seed => 1, start_after => true);
SELECT is((SELECT count(*) || ' ' || count(DISTINCT hall_id) || ' ' || max(id) FROM made.load), '660 3 660', 'more rows of each hall, numbered on');
SELECT is((SELECT count(*) FROM made.before NATURAL JOIN made.load), 600::bigint, 'those before stay');
SELECT is((SELECT count(*) FROM (SELECT at - lag(at) OVER (PARTITION BY hall_id ORDER BY at) AS step FROM made.load) AS l WHERE step <> '1 hour'), 0::bigint, 'time goes on by the same steps');
SELECT cmp_ok((SELECT max(abs(kw - last)) FROM (SELECT kw, lag(kw) OVER (PARTITION BY hall_id ORDER BY at) AS last, id FROM made.load) AS l WHERE id > 600), '<', 60::float8, 'numbers go on from the last row''s');
SELECT throws_ok($$CALL synth_into('made.event', 5, model => 'plant/event', start_after => true)$$, '22023', NULL, 'rows by themselves cannot');
SELECT throws_ok($$CALL synth_into('made.load', 5, model => 'plant/load', start => 5, start_after => true)$$, '22023', NULL, 'nor with start');
TRUNCATE made.trace;
SELECT throws_ok($$CALL synth_into('made.trace', 5, model => 'plant/trace', start_after => true)$$, '55000', NULL, 'nor after nothing');

-- children, after those that their owners have
CREATE SCHEMA clinic;
CREATE TABLE clinic.patient (id int PRIMARY KEY, tier int NOT NULL, born date NOT NULL);
CREATE TABLE clinic.drug (id int PRIMARY KEY, price numeric(6,2) NOT NULL);
CREATE TABLE clinic.visit (id serial PRIMARY KEY, patient_id int NOT NULL REFERENCES clinic.patient, no int NOT NULL, day date NOT NULL, drug_id int NOT NULL REFERENCES clinic.drug, price numeric(6,2) NOT NULL, paid int NOT NULL, balance int NOT NULL, UNIQUE (patient_id, no));
INSERT INTO clinic.patient SELECT i, 1 + i % 3, date '1950-01-01' + i * 31 FROM generate_series(1, 200) AS i;
INSERT INTO clinic.drug SELECT i, i * 1.5 + 1 FROM generate_series(1, 400) AS i;
INSERT INTO clinic.visit (patient_id, no, day, drug_id, price, paid, balance) SELECT p.id, k, born + 10000 + k * 30 + p.id % 7, d.id, d.price, k * tier, sum(k * tier) OVER (PARTITION BY p.id ORDER BY k)
	FROM clinic.patient AS p CROSS JOIN generate_series(1, 8) AS k JOIN clinic.drug AS d ON d.id = 1 + (p.id * 31 + k % 4 * 17) % 400 WHERE k <= 2 + p.id % 6;
SELECT synth_fit_schema('{clinic}', options => '{"owner": {"visit": "patient_id"}}', seed => 1) \g /dev/null
CREATE SCHEMA clinic2;
CALL synth_schema_into('clinic2', 'clinic', seed => 1);
CREATE TABLE clinic2.before AS SELECT * FROM clinic2.visit;
CALL synth_into('clinic2.visit', 300, model => 'clinic/visit', seed => 1, start_after => true);
SELECT is((SELECT count(*) FROM clinic2.visit), (SELECT count(*) + 300 FROM clinic2.before), 'more visits');
SELECT is((SELECT count(*) FROM (SELECT no, row_number() OVER (PARTITION BY patient_id ORDER BY no) AS place FROM clinic2.visit) AS v WHERE no <> place), 0::bigint, 'their numbers go on');
SELECT is((SELECT count(*) FROM (SELECT balance, paid, lag(balance, 1, 0) OVER (PARTITION BY patient_id ORDER BY no) AS last FROM clinic2.visit) AS v WHERE balance <> last + paid), 0::bigint, 'balances, too');
SELECT cmp_ok((SELECT avg((v.price = d.price)::int) FROM clinic2.visit AS v JOIN clinic2.drug AS d ON d.id = drug_id), '>', 0.99, 'and what rows know of others');
SELECT is((SELECT count(*) FROM (SELECT day, lag(day) OVER (PARTITION BY patient_id ORDER BY no) AS last FROM clinic2.visit) AS v WHERE day < last), 0::bigint, 'days that never fall do not, whatever the order');

-- conditions say whose rows are made
TRUNCATE clinic2.visit;
CALL synth_into('clinic2.visit', model => 'clinic/visit', seed => 1, given => '{"patient.tier": [2], "patient.born": {"lt": "1960-01-01"}}');
SELECT cmp_ok((SELECT count(*) FROM clinic2.visit), '>', 50::bigint, 'visits of some');
SELECT is((SELECT count(*) FROM clinic2.visit JOIN clinic2.patient AS p ON p.id = patient_id WHERE tier <> 2 OR born >= '1960-01-01'), 0::bigint, 'and of no others');
CALL synth_into('made.load', 30, model => 'plant/load', seed => 1, given => '{"hall_id": 2}', start_after => true);
SELECT is((SELECT string_agg(n::text, ' ' ORDER BY hall_id) FROM (SELECT hall_id, count(*) AS n FROM made.load GROUP BY hall_id) AS l), '220 250 220', 'one hall goes on');
CREATE TABLE made.other (LIKE plant.reading);
CALL synth_into('made.other', model => 'plant/reading', seed => 1, given => '{"sensor": {"gte": 3}}');
SELECT is((SELECT min(sensor) || ' ' || count(*) FROM made.other), '3 300', 'one sensor');
SELECT throws_ok($$CALL synth_into('clinic2.visit', model => 'clinic/visit', given => '{"paid": 3}')$$, '42703', NULL, 'what is no owner''s');
SELECT throws_ok($$CALL synth_into('clinic2.visit', model => 'clinic/visit', given => '{"patient.tier": {"above": 3}}')$$, '22023', NULL, 'no bound');
SELECT throws_ok($$CALL synth_into('clinic2.visit', model => 'clinic/visit', given => '{"patient.tier": [[3]]}')$$, '22023', NULL, 'no value');
SELECT throws_ok($$CALL synth_into('clinic2.visit', model => 'clinic/visit', given => '{"patient.tier": "x'') OR true --"}')$$, '22P02', NULL, 'no number');
SELECT * FROM finish();
ROLLBACK;
