-- Rows that belong together, as people ask for them: trees, running totals, lines, series, values of another table.
BEGIN;
SELECT plan(41);
SET LOCAL client_min_messages = error;
SELECT setseed(0.23) \g /dev/null

-- a tree: rows that belong to rows of their own table
CREATE SCHEMA f09;
SET LOCAL search_path = f09, public;
CREATE TABLE node (id int PRIMARY KEY, parent_id int REFERENCES node, level int NOT NULL, kind text NOT NULL);
INSERT INTO node SELECT i, NULL, 0, 'root' FROM generate_series(1, 10) AS i;
INSERT INTO node SELECT 10 + i, 1 + (random() * 9)::int, 1, 'branch' FROM generate_series(1, 90) AS i;
INSERT INTO node SELECT 100 + i, 11 + (random() * 89)::int, 2, 'leaf' FROM generate_series(1, 900) AS i;
SELECT synth_fit('node', seed => 1) \g /dev/null
CREATE TABLE node2 (LIKE node INCLUDING ALL, FOREIGN KEY (parent_id) REFERENCES node2);
CALL synth_into('node2', 1000, model => 'f09.node', seed => 2);
SELECT is(sum(abs(a.n - b.n)) <= 4, true, 'as many rows of each generation') FROM (SELECT level, count(*) AS n FROM node2 GROUP BY 1) AS a FULL JOIN (SELECT level, count(*) AS n FROM node GROUP BY 1) AS b USING (level);
SELECT cmp_ok(count(*), '<=', 2::bigint, 'a level below the parent''s') FROM node2 AS c LEFT JOIN node2 AS p ON p.id = c.parent_id WHERE c.level <> COALESCE(p.level + 1, 0);
SELECT cmp_ok(count(*), '<=', 5::bigint, 'and of the kind of its level') FROM node2 WHERE kind <> (ARRAY['root', 'branch', 'leaf'])[level + 1];
CREATE TABLE node3 (LIKE node INCLUDING ALL, FOREIGN KEY (parent_id) REFERENCES node3);
CALL synth_into('node3', 1000, model => 'f09.node', seed => 2, batch_size => 77);
SELECT set_eq('SELECT * FROM node3', 'SELECT * FROM node2', 'batches do not matter');
TRUNCATE node3;
CALL synth_into('node3', 3000, model => 'f09.node', seed => 3);
SELECT is(max(level) || ' ' || count(*), '2 3000', 'three times as many, no deeper') FROM node3;
CREATE TABLE node4 (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parent_id int REFERENCES node4, level int, kind text);
CALL synth_into('node4', 1000, model => 'f09.node', seed => 2);
SELECT is(count(*), 1000::bigint, 'a table that numbers its rows itself takes them as before') FROM node4;

-- a chief, and who reports to whom; a chain
CREATE TABLE staff (id int PRIMARY KEY, chief int REFERENCES staff, depth int NOT NULL, salary numeric(8,2));
INSERT INTO staff SELECT i, NULLIF(i / 3, 0), floor(log(3, i) + 1e-9), 1000 * (8 - floor(log(3, i) + 1e-9)) + (random() * 500)::int FROM generate_series(1, 800) AS i;
INSERT INTO staff VALUES (0, NULL, 0, 9000);
SELECT synth_fit('staff', seed => 1) \g /dev/null
CREATE TABLE staff2 (LIKE staff INCLUDING ALL, FOREIGN KEY (chief) REFERENCES staff2);
CALL synth_into('staff2', 801, model => 'f09.staff', seed => 2);
WITH RECURSIVE b AS (SELECT id, 0 AS d FROM staff2 WHERE chief IS NULL UNION ALL SELECT s.id, d + 1 FROM staff2 AS s JOIN b ON s.chief = b.id)
SELECT is(max(d) || ' ' || count(*), '6 801', 'as deep') FROM b;

-- a child and its parent
CREATE SCHEMA f10;
SET LOCAL search_path = f10, public;
CREATE TABLE patient (id int PRIMARY KEY, registered date NOT NULL, country text NOT NULL, tier int NOT NULL);
CREATE TABLE visit (id int PRIMARY KEY, patient_id int NOT NULL REFERENCES patient, day date NOT NULL, country text NOT NULL, fee numeric(8,2) NOT NULL);
INSERT INTO patient SELECT i, date '2015-01-01' + (random() * 3000)::int, (ARRAY['DE', 'FR', 'IT', 'ES'])[1 + (random() * 3)::int], 1 + (random() * 2)::int FROM generate_series(1, 800) AS i;
INSERT INTO visit SELECT row_number() OVER (), id, registered + (random() * (date '2024-12-31' - registered))::int, country, (tier * 100 + random() * 20)::numeric(8,2) FROM patient, generate_series(1, 2) AS k;
SELECT count(synth_fit('f10.' || t, seed => 1)) FROM unnest(ARRAY['patient', 'visit']) AS t \g /dev/null
CREATE TABLE patient2 (LIKE patient INCLUDING ALL);
CREATE TABLE visit2 (LIKE visit INCLUDING ALL, FOREIGN KEY (patient_id) REFERENCES patient2);
CALL synth_into('patient2', 800, model => 'f10.patient', seed => 2);
CALL synth_into('visit2', 1600, model => 'f10.visit', seed => 2);
SELECT is(count(*), 1600::bigint, 'as many as were asked for') FROM visit2;
SELECT is(count(*), 0::bigint, 'no visit before the patient was registered') FROM visit2 JOIN patient2 AS p ON p.id = patient_id WHERE day < registered;
SELECT is(count(*), 0::bigint, 'the country is copied') FROM visit2 AS v JOIN patient2 AS p ON p.id = patient_id WHERE v.country <> p.country;
SELECT cmp_ok(corr(fee, tier), '>', 0.99::float8, 'the fee follows the tier') FROM visit2 JOIN patient2 AS p ON p.id = patient_id;
CREATE TABLE visit3 (LIKE visit INCLUDING ALL, FOREIGN KEY (patient_id) REFERENCES patient2);
CALL synth_into('visit3', 4000, model => 'f10.visit', seed => 2);
SELECT is(min(n) || ' ' || max(n), '5 5', 'more rows, as many more for each') FROM (SELECT count(*) AS n FROM visit3 GROUP BY patient_id) AS c;
CREATE TABLE visit4 (LIKE visit INCLUDING ALL);
CALL synth_into('visit4', 100, model => 'f10.visit', seed => 2);
SELECT is(count(*), 100::bigint, 'a target without the foreign key takes rows as before') FROM visit4;
SELECT is(count(*), 2::bigint, 'parts are not shown') FROM synth_models WHERE model LIKE 'f10.%';
SELECT synth_drop('f10.visit') \g /dev/null
SELECT is(count(*), 1::bigint, 'and dropped with the model') FROM gensynth.models WHERE name LIKE 'f10.%';

-- pairs of two tables, and times that must not overlap, are left to what knows how to make up for rows that collide
CREATE TABLE drug (id int PRIMARY KEY, strength int NOT NULL);
INSERT INTO drug SELECT i, i % 3 FROM generate_series(1, 60) AS i;
CREATE TABLE takes (patient_id int REFERENCES patient, drug_id int REFERENCES drug, PRIMARY KEY (patient_id, drug_id));
INSERT INTO takes SELECT p.id, d.id FROM patient AS p, drug AS d WHERE p.id <= 100 AND (p.id * d.id) % 3 <> 0;
SELECT synth_fit('takes', seed => 1) \g /dev/null
CREATE TABLE takes2 (LIKE takes INCLUDING ALL, FOREIGN KEY (patient_id) REFERENCES patient, FOREIGN KEY (drug_id) REFERENCES drug);
SELECT lives_ok($$CALL synth_into('takes2', 2000, model => 'f10.takes', seed => 2)$$, 'a table of pairs');
SELECT is(count(*), 2000::bigint, 'of as many as were asked for') FROM takes2;
CREATE TABLE slot (doctor int, n int, day date NOT NULL, PRIMARY KEY (doctor, n));
INSERT INTO slot SELECT d, k, date '2024-01-01' + (random() * 300)::int FROM generate_series(1, 20) AS d, generate_series(1, 30) AS k;
SELECT synth_fit('slot', seed => 1) \g /dev/null
CREATE TABLE slot2 (LIKE slot INCLUDING ALL);
CALL synth_into('slot2', 600, model => 'f10.slot', seed => 2);
SELECT is(count(*), 600::bigint, 'pairs of numbers are no series') FROM slot2;

-- lines, and a running total
CREATE SCHEMA f11;
SET LOCAL search_path = f11, public;
CREATE TABLE ord (id int PRIMARY KEY);
INSERT INTO ord SELECT generate_series(1, 500);
CREATE TABLE line (order_id int REFERENCES ord, line_no int, amount int, running int, PRIMARY KEY (order_id, line_no));
INSERT INTO line SELECT o, n, a, sum(a) OVER (PARTITION BY o ORDER BY n)
	FROM (SELECT o, n, (random() * 50)::int AS a FROM (SELECT o, 1 + (random() ^ 2 * 7)::int AS m FROM generate_series(1, 500) AS o) AS x, generate_series(1, m) AS n) AS q;
SELECT count(*) AS n FROM line \gset
SELECT synth_fit('line', seed => 1) \g /dev/null
CREATE TABLE line2 (LIKE line INCLUDING ALL, FOREIGN KEY (order_id) REFERENCES ord);
CALL synth_into('line2', :n, model => 'f11.line', seed => 2);
SELECT is(count(*), :n::bigint, 'all lines') FROM line2;
SELECT is(count(*), 0::bigint, 'orders without gaps') FROM (SELECT count(*) AS n, min(line_no) AS low, max(line_no) AS high FROM line2 GROUP BY order_id) AS q WHERE low <> 1 OR high <> n;
SELECT is(count(*), 0::bigint, 'totals are right') FROM (SELECT running, sum(amount) OVER (PARTITION BY order_id ORDER BY line_no) AS total FROM line2) AS q WHERE running <> total;

-- a balance: the last one, and the amount to or from it, as the kind says; each begins with what there was
CREATE SCHEMA bank;
SET LOCAL search_path = bank, public;
CREATE TABLE account (id int PRIMARY KEY, opened date NOT NULL, branch text NOT NULL);
CREATE TABLE entry (id int PRIMARY KEY, account_id int NOT NULL REFERENCES account, at date NOT NULL, kind text NOT NULL, amount numeric(10,2) NOT NULL, balance numeric(12,2) NOT NULL, was numeric(12,2));
INSERT INTO account SELECT i, date '2020-01-01' + (random() * 500)::int, 'branch ' || i % 7 FROM generate_series(1, 300) AS i;
INSERT INTO entry SELECT row_number() OVER (ORDER BY id, k), id, at, kind, amount, balance, lag(balance) OVER (PARTITION BY id ORDER BY k)
	FROM (SELECT *, sum(CASE WHEN kind IN ('in', 'interest') THEN amount ELSE -amount END) OVER (PARTITION BY id ORDER BY k) AS balance
		FROM (SELECT id, k, opened + 5 * k + (random() * 4)::int AS at, (ARRAY['in', 'out', 'fee', 'interest'])[1 + (random() * 3)::int] AS kind, round((1 + random() * 500)::numeric, 2) AS amount
			FROM account, generate_series(1, 12) AS k) AS e) AS b;
SELECT count(*) FROM synth_fit_schema('{bank}', seed => 1) \g /dev/null
CREATE SCHEMA bank2;
CALL synth_schema_into('bank2', 'bank', seed => 2);
CREATE VIEW bank2.e AS SELECT *, lag(balance) OVER w AS last, lag(at) OVER w AS last_at FROM bank2.entry WINDOW w AS (PARTITION BY account_id ORDER BY id);
SELECT is(count(*), 0::bigint, 'a balance is the last one and the amount') FROM bank2.e WHERE balance <> COALESCE(last, 0) + CASE WHEN kind IN ('in', 'interest') THEN amount ELSE -amount END;
SELECT is(count(*), 0::bigint, 'and kept by the next row') FROM bank2.e WHERE was IS DISTINCT FROM last;
SELECT is(count(*), 0::bigint, 'days do not fall') FROM bank2.e WHERE at < last_at;
SELECT cmp_ok(count(DISTINCT kind), '=', 4::bigint, 'of all kinds') FROM bank2.entry;

-- series: sensors that are known by what they measured
CREATE SCHEMA f12;
SET LOCAL search_path = f12, public;
CREATE TABLE reading (sensor int, at timestamptz, room text, celsius numeric(5,2), battery int, PRIMARY KEY (sensor, at));
INSERT INTO reading SELECT s, timestamptz '2024-03-01 00:00+00' + k * interval '15 min', 'room ' || s % 3, round((10 + s + 6 * sin(k / 96.0 * 2 * pi()) + random())::numeric, 2), 100 - k / 20 FROM generate_series(1, 6) AS s, generate_series(0, 299) AS k;
SELECT synth_fit('reading', seed => 1) \g /dev/null
CREATE TABLE r2 (LIKE reading INCLUDING ALL);
CALL synth_into('r2', 1800, model => 'f12.reading', seed => 2);
CREATE VIEW r AS SELECT *, lag(at) OVER w AS last_at, abs(celsius - lag(celsius) OVER w) AS jump, battery - lag(battery) OVER w AS rise FROM r2 WINDOW w AS (PARTITION BY sensor ORDER BY at);
SELECT is(count(*), 1800::bigint, 'all readings') FROM r2;
SELECT is(count(*), 0::bigint, 'each a quarter of an hour after the last one') FROM r WHERE at - last_at <> interval '15 min';
SELECT results_eq('SELECT sensor, room, count(*) FROM r2 GROUP BY 1, 2 ORDER BY 1', 'SELECT sensor, room, count(*) FROM reading GROUP BY 1, 2 ORDER BY 1', 'of the same sensors, in their rooms');
SELECT cmp_ok(avg(jump), '<', 0.6, 'smooth') FROM r;
SELECT cmp_ok(max(jump), '<', 2.0, 'without jumps') FROM r;
SELECT is(count(*), 0::bigint, 'a battery does not fill by itself') FROM r WHERE rise > 0;
CREATE TABLE r3 (LIKE reading INCLUDING ALL);
CALL synth_into('r3', 3600, model => 'f12.reading', seed => 2);
SELECT is(max(at), timestamptz '2024-03-07 05:45+00', 'twice as many go on in time') FROM r3;

-- one long series, by the month
CREATE TABLE rate (month date PRIMARY KEY, percent numeric(5,2));
INSERT INTO rate SELECT date '1980-01-01' + k * interval '1 month', 5 + 3 * sin(k / 40.0) + (random() * 0.2) FROM generate_series(0, 499) AS k;
SELECT synth_fit('rate', seed => 1) \g /dev/null
CREATE TABLE rate2 (LIKE rate INCLUDING ALL);
CALL synth_into('rate2', 500, model => 'f12.rate', seed => 2);
SELECT is(count(*), 500::bigint, 'a long series') FROM rate2;
SELECT is(count(*), 0::bigint, 'from month to month') FROM (SELECT month, lag(month) OVER (ORDER BY month) AS last FROM rate2) AS m WHERE month <> last + interval '1 month';

-- accounts in one table, with their owners' names: made anew
CREATE TABLE statement (account text NOT NULL, at date NOT NULL, full_name text NOT NULL, kind text NOT NULL, amount int NOT NULL, PRIMARY KEY (account, at));
INSERT INTO statement SELECT 'AC-' || 100000 + a * 7, date '2023-01-01' + k * 7, 'Person ' || a, (ARRAY['gold', 'plain'])[1 + a % 2], CASE WHEN a % 2 = 0 THEN 100 ELSE 10 END + k FROM generate_series(1, 150) AS a, generate_series(0, 9 + a % 5) AS k;
SELECT synth_fit('statement', seed => 1) \g /dev/null
CREATE TABLE statement2 (LIKE statement INCLUDING ALL);
CALL synth_into('statement2', model => 'f12.statement', seed => 2);
SELECT cmp_ok(count(DISTINCT account), '=', 150::bigint, 'as many accounts') FROM statement2;
SELECT is(count(*), 0::bigint, 'of nobody real') FROM statement2 WHERE full_name IN (SELECT full_name FROM statement);
SELECT is(max(n), 1::bigint, 'each with one name and kind') FROM (SELECT count(DISTINCT (full_name, kind)) AS n FROM statement2 GROUP BY account) AS c;

-- the same value in another table
CREATE SCHEMA f26;
SET LOCAL search_path = f26, public;
CREATE TABLE cust (mail text PRIMARY KEY, name text);
CREATE TABLE sub (mail text, topic text);
CREATE TABLE purchase (id int PRIMARY KEY, mail text NOT NULL, initial text);
INSERT INTO cust SELECT 'u' || i || '@x.org', 'N' || i % 9 FROM generate_series(1, 600) AS i;
INSERT INTO sub SELECT 'u' || 1 + (random() * 899)::int || '@x.org', 't' || (random() * 4)::int FROM generate_series(1, 900);
INSERT INTO purchase SELECT row_number() OVER (), mail, name FROM cust, generate_series(1, 2) AS k;
SELECT count(*) FROM synth_fit_schema('{f26}', options => '{"links": {"sub.mail": "cust.mail", "purchase.mail": "f26.cust.mail"}}', seed => 1) \g /dev/null
CREATE SCHEMA again;
CALL synth_schema_into('again', 'f26', seed => 2);
SELECT cmp_ok(abs(count(*) - (SELECT count(*) FROM sub JOIN cust USING (mail))), '<', 60::bigint, 'as many rows find theirs') FROM again.sub JOIN again.cust USING (mail);
SELECT is(count(*), 1200::bigint, 'all where all did') FROM again.purchase JOIN again.cust USING (mail) WHERE initial = name;
SELECT throws_ok($$SELECT synth_schema_plan('{f26}', options => '{"links": {"mail": "cust.mail"}}')$$, '22023', '"mail" of option "links" is not a table and a column', 'a link without a table');
SELECT throws_ok($$SELECT synth_schema_plan('{f26}', options => '{"links": {"sub.mail": "sub.topic"}}')$$, '0A000', NULL, 'a link to its own table');
SELECT * FROM finish();
ROLLBACK;
