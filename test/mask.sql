-- Tables masked in place: keys, constraints, and all that a table may have.
BEGIN;
SELECT plan(111);
SET LOCAL client_min_messages = warning;
CREATE SCHEMA m;
SET LOCAL search_path = m, public;
SELECT synth_key('default', '\x000102030405060708090a0b0c0d0e0f');

-- A table as it was: what, ordered by a column that stays.
CREATE FUNCTION differs(was text, now text, columns text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM ((SELECT %1$s FROM %2$s AS a EXCEPT ALL SELECT %1$s FROM %3$s AS b) UNION ALL (SELECT %1$s FROM %3$s AS a EXCEPT ALL SELECT %1$s FROM %2$s AS b)) AS d', columns, was, now) INTO n;
	RETURN n;
END $$;

-- a chain of keys, one to itself, a generated column, all kinds of rules
CREATE TABLE customer (id serial PRIMARY KEY, place int NOT NULL, email text UNIQUE, name varchar(40) NOT NULL, born date, seen timestamptz, boss int REFERENCES customer,
	income numeric(8,2), secret text, plate text, town text, gone text, twice bigint GENERATED ALWAYS AS (id * 2::bigint) STORED, upname text GENERATED ALWAYS AS (upper(name)) STORED, CHECK (id > 0 AND length(name) > 1));
INSERT INTO customer (place, email, name, born, seen, boss, income, secret, plate, town, gone)
	SELECT i, 'someone' || i || '@corp.test', 'Person ' || i, date '1970-01-31' + i, timestamptz '2024-05-05 12:34:56Z' + i * interval '1 hour', nullif(i / 10, 0), i * 1.25,
		CASE WHEN i % 3 = 0 THEN NULL WHEN i % 7 = 0 THEN '' ELSE 'secret-' || i END, CASE WHEN i % 4 > 0 THEN 'AB ' || i END, 'town ' || i % 17, 'gone ' || i FROM generate_series(1, 500) AS i;
ALTER TABLE customer DROP COLUMN gone;
CREATE TABLE orders (id int PRIMARY KEY, customer_id int NOT NULL REFERENCES customer ON UPDATE CASCADE, total int);
INSERT INTO orders SELECT i, 1 + i * 7 % 500, i FROM generate_series(1, 2000) AS i;
CREATE TABLE line (order_id int REFERENCES orders, no int, customer bigint REFERENCES customer, PRIMARY KEY (order_id, no));
INSERT INTO line SELECT i, k, 1 + i * 7 % 500 FROM generate_series(1, 2000) AS i, generate_series(1, 2) AS k;
CREATE VIEW seen AS SELECT id, name FROM customer;
CREATE INDEX ON customer (lower(town)) WHERE id > 10;
CREATE STATISTICS of_customer (mcv) ON town, name FROM customer;
ANALYZE customer;
CREATE TABLE customer_was AS SELECT * FROM customer;
CREATE TABLE orders_was AS SELECT * FROM orders;
CREATE TABLE line_was AS SELECT * FROM line;
SELECT synth_label('customer', 'name', 'full_name'), synth_label('customer', 'email', 'email'), synth_label('customer', 'born', 'generalise:month'), synth_label('customer', 'seen', 'keep'),
	synth_label('customer', 'income', 'generalise:100'), synth_label('customer', 'secret', 'pseudonym'), synth_label('customer', 'plate', 'pattern:AA-9999'), synth_label('customer', 'town', 'shuffle');
SELECT is((SELECT string_agg("column" || '=' || rule, ' ' ORDER BY relation::text, "column") FROM synth_mask_plan('customer', rules => '{"id": "pseudonym"}') WHERE "unique" OR relation <> 'customer'::regclass),
	'email=email id=pseudonym customer=pseudonym customer_id=pseudonym', 'the plan has all that keys tie to it');
SELECT is((SELECT array_to_string(referenced_by, ' ') FROM synth_mask_plan('customer', '{id}') WHERE "column" = 'id'), 'm.customer.boss m.line.customer m.orders.customer_id', 'and says what refers to a column');
CALL synth_mask('customer', rules => '{"id": "pseudonym"}', dry_run => true);
SELECT is(differs('customer_was', 'customer', '*'), 0::bigint, 'a dry run changes nothing');
CREATE TEMP TABLE files AS SELECT relname, relfilenode FROM pg_class WHERE relnamespace = 'm'::regnamespace AND relkind IN ('r', 'i');
CALL synth_mask('customer', rules => '{"id": "pseudonym"}');
SELECT is((SELECT string_agg(relname, ' ' ORDER BY relname) FROM files JOIN pg_class USING (relname, relfilenode) WHERE relnamespace = 'm'::regnamespace), 'customer_was line_was orders_was',
	'the files of tables masked are new, with all their indexes');
SELECT is((SELECT count(*) FROM customer AS c JOIN customer_was AS w USING (place) WHERE c.id = w.id), 0::bigint, 'keys are others');
SELECT is((SELECT count(DISTINCT id) FROM customer), 500::bigint, 'and distinct');
SELECT is((SELECT count(*) FROM orders AS o LEFT JOIN customer AS c ON c.id = o.customer_id WHERE c.id IS NULL), 0::bigint, 'no orphans');
SELECT is(differs('(SELECT w.place, o.id, o.total FROM orders_was AS o JOIN customer_was AS w ON w.id = o.customer_id)', '(SELECT w.place, o.id, o.total FROM orders AS o JOIN customer AS w ON w.id = o.customer_id)', '*'), 0::bigint, 'each parent has its children');
SELECT is(differs('(SELECT w.place, l.order_id, l.no FROM line_was AS l JOIN customer_was AS w ON w.id = l.customer)', '(SELECT w.place, l.order_id, l.no FROM line AS l JOIN customer AS w ON w.id = l.customer)', '*'), 0::bigint, 'also by a key of a wider type');
SELECT is(differs('(SELECT c.place, b.place AS boss FROM customer_was AS c LEFT JOIN customer_was AS b ON b.id = c.boss)', '(SELECT c.place, b.place AS boss FROM customer AS c LEFT JOIN customer AS b ON b.id = c.boss)', '*'), 0::bigint, 'a key to the table itself');
SELECT is(differs('customer_was', 'customer', 'place, seen, boss IS NULL, secret IS NULL, secret = '''', length(secret), plate IS NULL'), 0::bigint, 'what stays is the same, and so are NULLs');
SELECT is(differs('customer_was', 'customer', 'town'), 0::bigint, 'shuffled values are the same');
SELECT cmp_ok((SELECT count(*) FROM customer AS c JOIN customer_was AS w USING (place, town)), '<', 100::bigint, 'in other rows');
SELECT is((SELECT count(*) FROM customer AS c JOIN customer_was AS w USING (place) WHERE c.born <> date_trunc('month', w.born) OR c.income <> floor(w.income / 100) * 100), 0::bigint, 'dates and numbers are generalised');
SELECT is((SELECT count(*) FROM customer WHERE plate !~ '^[A-Z]{2}-[0-9]{4}$'), 0::bigint, 'patterns');
SELECT is((SELECT count(*) FROM customer WHERE email !~ '@example\.(com|org|net)$'), 0::bigint, 'e-mail addresses that nobody has');
SELECT is((SELECT count(DISTINCT email) FROM customer), 500::bigint, 'and that are distinct');
SELECT is((SELECT count(*) FROM customer WHERE upname <> upper(name) OR twice <> id * 2::bigint), 0::bigint, 'generated columns follow');
SELECT is((SELECT count(*) FROM customer JOIN customer_was AS w USING (name)), 0::bigint, 'names are others');
SELECT is((SELECT count(*) FROM pg_stats WHERE schemaname = 'm' AND tablename = 'customer' AND (most_common_vals::text || histogram_bounds::text) ~ 'someone|Person|secret-'), 0::bigint, 'statistics hold masked values');
SELECT is((SELECT count(*) FROM pg_stats_ext WHERE schemaname = 'm' AND most_common_vals::text ~ 'Person'), 0::bigint, 'also extended ones');
SELECT cmp_ok(nextval('customer_id_seq'), '>', (SELECT max(id) FROM customer)::bigint, 'the sequence goes on above them');
SELECT lives_ok($$INSERT INTO customer (place, name) VALUES (501, 'new one')$$, 'a row more');
SELECT throws_ok($$INSERT INTO orders VALUES (9999, 2147483647, 0)$$, '23503', NULL, 'foreign keys are in force');
SELECT is((SELECT string_agg(relation || ' ' || rows, ', ' ORDER BY relation) FROM synth_provenance), 'm.customer 500, m.line 4000, m.orders 2000', 'it is written down');
SELECT is((SELECT count(*) FROM customer JOIN customer_was AS w USING (place, secret) WHERE secret <> ''), 0::bigint, 'pseudonyms are others');

-- the same key, the same pseudonyms: another table, another type of the same family, another session's order
CREATE TABLE a (id bigint, t text, u uuid); CREATE TABLE b (id smallint, t varchar(20), u text);
INSERT INTO a SELECT i, 'Value ' || i, ('550e8400-e29b-41d4-a716-44665544' || lpad(to_hex(i), 4, '0'))::uuid FROM generate_series(1, 300) AS i;
INSERT INTO b SELECT id, t, u FROM a ORDER BY id DESC;
CALL synth_mask('a', '{id,t,u}', '{"id": "pseudonym", "t": "pseudonym", "u": "pseudonym"}');
CALL synth_mask('b', '{id,t,u}', '{"id": "pseudonym", "t": "pseudonym", "u": "pseudonym"}');
SELECT is(differs('(SELECT id::int, t::text, u::text FROM a)', '(SELECT id::int, t::text, u::text FROM b)', '*'), 0::bigint, 'the same value has the same pseudonym everywhere');
SELECT is((SELECT id || ' ' || t || ' ' || u FROM a ORDER BY t COLLATE "C" LIMIT 1), (SELECT id || ' ' || t || ' ' || u FROM a ORDER BY t COLLATE "C" LIMIT 1), 'and always has');

-- numerics that are whole numbers have those of integers
CREATE TABLE num (id numeric(10,0) PRIMARY KEY, i int, x numeric); INSERT INTO num SELECT i * 1000, i * 1000, i + 0.5 FROM generate_series(1, 100) AS i;
CREATE TABLE num_child (id numeric REFERENCES num); INSERT INTO num_child SELECT id FROM num;
CALL synth_mask('num', '{id,i}');
SELECT is((SELECT count(*) FROM num JOIN num_child USING (id) WHERE num.id = i AND i % 1000 <> 0), 100::bigint, 'numeric keys');
SELECT throws_ok($$CALL synth_mask('num', '{x}')$$, '22023', NULL, 'but no fractions');

-- columns of one group that are no declared keys
CREATE TABLE g1 (k text); CREATE TABLE g2 (k text, other text); CREATE TABLE g3 (k text);
INSERT INTO g1 SELECT 'key-' || i FROM generate_series(100, 200) AS i; INSERT INTO g2 SELECT k, 'x' FROM g1; INSERT INTO g3 SELECT k FROM g1;
SELECT synth_label('g1', 'k', 'pseudonym(keys)'), synth_label('g2', 'k', 'pseudonym(keys)'), synth_label('g3', 'k', 'pseudonym(others)');
CALL synth_mask('g1');
SELECT is(differs('g1', 'g2', 'k'), 0::bigint, 'a group is masked together');
SELECT is((SELECT count(*) FROM g3 WHERE k ~ '^key-'), 101::bigint, 'and no other one');

-- composite keys, MATCH FULL, cycles
CREATE TABLE region (country text, code text, boss int, PRIMARY KEY (country, code));
CREATE TABLE worker (id int PRIMARY KEY, country text, code text, name text, FOREIGN KEY (country, code) REFERENCES region MATCH FULL);
ALTER TABLE region ADD FOREIGN KEY (boss) REFERENCES worker DEFERRABLE INITIALLY DEFERRED;
INSERT INTO region SELECT 'C-' || i % 5, 'R-00' || i, i FROM generate_series(100, 199) AS i;
INSERT INTO worker SELECT i, CASE WHEN i % 10 > 0 THEN 'C-' || i % 5 END, CASE WHEN i % 10 > 0 THEN 'R-00' || i END, 'N' FROM generate_series(100, 199) AS i;
SET CONSTRAINTS ALL IMMEDIATE;
CREATE TABLE region_was AS SELECT * FROM region; CREATE TABLE worker_was AS SELECT * FROM worker;
SELECT throws_ok($$CALL synth_mask('worker', '{id,code,country}')$$, '22023', NULL, 'values too short for pseudonyms');
SELECT is(differs('worker_was', 'worker', '*'), 0::bigint, 'nothing is half masked');
CALL synth_mask('worker', '{id,code}');
SELECT is((SELECT count(*) FROM worker JOIN worker_was USING (id)), 0::bigint, 'cycle: masked');
SELECT is((SELECT count(*) FROM worker AS w JOIN region AS r USING (country, code) WHERE r.boss = w.id), 90::bigint, 'cycle: keys lead where they led');
SELECT is((SELECT count(*) FROM worker WHERE code IS NULL AND country IS NULL), 10::bigint, 'MATCH FULL');

-- identity, exclusion, deferrable, partial and expression indexes, domains, arrays that stay, TOAST
CREATE DOMAIN ident AS text CHECK (VALUE ~ '^[A-Z]{3}[0-9]{4}$');
CREATE TABLE odd (no int GENERATED ALWAYS AS IDENTITY, id ident UNIQUE DEFERRABLE INITIALLY DEFERRED, during int4range, mail text, live boolean, big text, tags text[], EXCLUDE USING gist (during WITH &&));
ALTER TABLE odd ALTER big SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX ON odd (mail) WHERE live;
CREATE UNIQUE INDEX ON odd (lower(mail), no);
INSERT INTO odd (id, during, mail, live, big, tags) SELECT 'ABC' || i, int4range(i, i + 1), 'mail' || i || '@corp.test', i % 2 = 0, repeat('original ' || i || ' ', 400), ARRAY['a', i::text] FROM generate_series(1000, 1099) AS i;
SET CONSTRAINTS ALL IMMEDIATE;
CREATE TABLE odd_was AS SELECT * FROM odd;
CALL synth_mask('odd', '{no,id,mail,big}', '{"mail": "email", "big": "pseudonym"}');
SELECT is(differs('odd_was', 'odd', 'during, live, tags, length(big)'), 0::bigint, 'odd: what stays');
SELECT is((SELECT count(*) FROM odd WHERE big ~ 'original'), 0::bigint, 'odd: TOASTed values are masked');
SELECT is((SELECT count(DISTINCT odd.id) FROM odd JOIN odd_was AS w USING (during) WHERE odd.id::text <> w.id::text), 100::bigint, 'odd: a domain''s values');
SELECT throws_ok($$INSERT INTO odd (no) VALUES (1)$$, '428C9', NULL, 'odd: identity is always generated');
SELECT throws_ok($$INSERT INTO odd (during) VALUES ('[1000,1001)')$$, '23P01', NULL, 'odd: exclusion holds');
ALTER TABLE odd ADD CONSTRAINT few CHECK (length(mail) > 3);
SELECT throws_ok($$CALL synth_mask('odd', '{mail}', '{"mail": "constant:ab"}')$$, '22023', NULL, 'a constant where values are unique');
DROP INDEX odd_mail_idx, odd_lower_no_idx;
SELECT throws_ok($$CALL synth_mask('odd', '{mail}', '{"mail": "constant:ab"}')$$, '23514', NULL, 'what fails a CHECK');
ALTER TABLE odd DROP CONSTRAINT few, ADD CONSTRAINT few CHECK (length(mail) > 99) NOT VALID;
SELECT lives_ok($$CALL synth_mask('odd', '{mail}', '{"mail": "constant:ab"}')$$, 'a constraint that is not valid stands in nobody''s way');
SELECT throws_ok($$CALL synth_mask('odd', '{id}', '{"id": "pattern:aaa9999"}')$$, '22023', NULL, 'a pattern where values are unique');
ALTER TABLE odd DROP CONSTRAINT odd_id_key;
SELECT throws_ok($$CALL synth_mask('odd', '{id}', '{"id": "pattern:aaa9999"}')$$, '23514', NULL, 'what a domain refuses');

-- partitions of two levels, of another order of columns; inheritance
CREATE TABLE log (at date, who text, what text, PRIMARY KEY (at, who, what)) PARTITION BY RANGE (at);
CREATE TABLE log_23 PARTITION OF log FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE log_24 PARTITION OF log FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY LIST (what);
CREATE TABLE log_24_a (junk int, what text NOT NULL, who text NOT NULL, at date NOT NULL);
ALTER TABLE log_24_a DROP COLUMN junk;
ALTER TABLE log_24 ATTACH PARTITION log_24_a FOR VALUES IN ('a');
CREATE TABLE log_24_b PARTITION OF log_24 DEFAULT;
INSERT INTO log SELECT date '2023-06-15' + i, 'who-' || 1000 + i, chr(97 + i % 3) FROM generate_series(0, 499) AS i;
ANALYZE log;
CREATE TABLE log_was AS SELECT tableoid AS part, * FROM log;
SELECT synth_label('log', 'who', 'pseudonym');
CALL synth_mask('log');
SELECT is(differs('log_was', '(SELECT tableoid AS part, * FROM log)', 'part, at, what'), 0::bigint, 'partitions keep their rows');
SELECT is((SELECT count(*) FROM log JOIN log_was USING (at, who)), 0::bigint, 'and all are masked');
SELECT is((SELECT count(*) FROM pg_stats WHERE schemaname = 'm' AND tablename ~ '^log_?[0-9a]*' AND tablename <> 'log_was' AND histogram_bounds::text ~ 'who-'), 0::bigint, 'statistics of partitions, and of all together');
ALTER TABLE log DROP CONSTRAINT log_pkey;
SELECT throws_ok($$CALL synth_mask('log', '{at}', '{"at": "birth_date"}')$$, '0A000', NULL, 'the key of partitions');
SELECT throws_ok($$CALL synth_mask('log', '{at}', '{"at": "generalise:decade"}')$$, '23514', NULL, 'a row that would be another partition''s');
SELECT throws_ok($$CALL synth_mask('log_23', '{who}')$$, '42809', NULL, 'a partition by itself');
CREATE TABLE base (id int, name text); CREATE TABLE heir (more text) INHERITS (base); CREATE TABLE heir2 () INHERITS (heir);
INSERT INTO base SELECT i, 'Base ' || i FROM generate_series(100, 150) AS i; INSERT INTO heir SELECT i, 'Heir ' || i, 'm' FROM generate_series(100, 150) AS i; INSERT INTO heir2 SELECT i, 'Last ' || i, 'm' FROM generate_series(100, 150) AS i;
CALL synth_mask('base', '{name}', '{"name": "pseudonym"}');
SELECT is((SELECT count(*) FROM base WHERE name ~ '^(Base|Heir|Last) '), 0::bigint, 'heirs are masked, too');

-- a composite type and the whole row in a condition
CREATE TABLE whole (id int, name text, CHECK (whole IS NOT NULL));
INSERT INTO whole SELECT i, 'whole ' || i FROM generate_series(1, 20) AS i;
SELECT throws_ok($$CALL synth_mask('whole', '{name}', '{"name": "null"}')$$, '23514', NULL, 'a condition on the whole row');
-- columns that came with a default after the rows
ALTER TABLE whole ADD COLUMN later text DEFAULT 'John Walker';
CALL synth_mask('whole', '{later}', '{"later": "pseudonym"}');
SELECT is((SELECT count(*) FROM whole WHERE later = 'John Walker'), 0::bigint, 'defaults that no row holds are masked');
-- conditions that not all generated values meet; sex as it was written
CREATE TABLE met (id int PRIMARY KEY, born date, died date, sex text CHECK (sex IN ('F', 'M')), sex2 text CHECK (sex2 IN ('Female', 'Male')), CHECK (born <= died));
INSERT INTO met SELECT i, date '1990-01-01' + i * 13, date '1990-01-01' + i * 13 + i % 90, CASE WHEN i % 2 = 0 THEN 'F' ELSE 'M' END, CASE WHEN i % 2 = 0 THEN 'Female' ELSE 'Male' END FROM generate_series(1, 100) AS i;
SELECT lives_ok($$CALL synth_mask('met', '{born,sex,sex2}', '{"born": "birth_date", "sex": "sex", "sex2": "sex"}')$$, 'values are drawn that meet the conditions');
-- spaces just large enough, and too small
CREATE TABLE codes (code char(3) PRIMARY KEY); INSERT INTO codes SELECT lpad(i::text, 3, '0') FROM generate_series(0, 999) AS i;
CALL synth_mask('codes', '{code}');
SELECT is((SELECT count(DISTINCT code) FROM codes), 1000::bigint, 'a whole space');
CREATE TABLE small (code char(2) PRIMARY KEY); INSERT INTO small SELECT lpad(i::text, 2, '0') FROM generate_series(0, 99) AS i;
SELECT throws_ok($$CALL synth_mask('small', '{code}')$$, '22023', NULL, 'a space too small');

-- a copy: the source stays as it is, keys lead within the copies
CREATE SCHEMA dev;
CREATE TABLE codes_of_places (id int PRIMARY KEY); INSERT INTO codes_of_places VALUES (1);
CREATE TABLE firm (id serial PRIMARY KEY, name text UNIQUE, town text, upname text GENERATED ALWAYS AS (upper(name)) STORED, gone int);
ALTER TABLE firm DROP COLUMN gone; ALTER TABLE firm ADD COLUMN later text DEFAULT 'later';
CREATE TABLE deal (id int PRIMARY KEY, firm int NOT NULL REFERENCES firm, n int, place int REFERENCES codes_of_places) WITH (fillfactor = 90);
INSERT INTO firm (name, town) SELECT 'Firm ' || i, 'town ' || i % 7 FROM generate_series(1, 60) AS i;
INSERT INTO deal SELECT i, 1 + i % 60, i, 1 FROM generate_series(1, 300) AS i;
CREATE TABLE firm_was AS SELECT * FROM firm;
CALL synth_mask('firm', '{id,name,town}', '{"name": "pseudonym", "town": "shuffle"}', "into" => 'dev.company');
SELECT is(differs('firm_was', 'firm', '*'), 0::bigint, 'copy: the source is untouched');
SELECT is((SELECT count(*) FROM dev.deal AS d JOIN dev.company AS c ON c.id = d.firm JOIN deal AS o ON o.id = d.id AND o.n = d.n AND o.firm <> d.firm), 300::bigint, 'copy: keys lead where they led');
SELECT is((SELECT count(*) FROM dev.company WHERE name ~ '^Firm' OR upname <> upper(name) OR later <> 'later'), 0::bigint, 'copy: masked, generated columns follow');
SELECT is(differs('firm', 'dev.company', 'town'), 0::bigint, 'copy: shuffled');
SELECT throws_ok($$INSERT INTO dev.deal VALUES (999, 1000000000, 1)$$, '23503', NULL, 'copy: a foreign key to the copy');
SELECT throws_ok($$INSERT INTO dev.company (name) SELECT name FROM dev.company LIMIT 1$$, '23505', NULL, 'copy: indexes are built');
SELECT is((SELECT count(*) FROM pg_constraint WHERE conrelid = 'dev.deal'::regclass AND contype = 'f'), 1::bigint, 'copy: foreign keys within the set');
SELECT is((SELECT string_agg(relation || ' ' || mode, ', ' ORDER BY relation) FROM synth_provenance WHERE relation ~ '^dev'), 'dev.company into, dev.deal into', 'copy: written down');
SELECT throws_ok($$CALL synth_mask('firm', '{id}', "into" => 'dev.company')$$, '42P07', NULL, 'copy: it is there already');
SELECT throws_ok($$CALL synth_mask('firm', '{id}', "into" => 'nix.company')$$, '3F000', NULL, 'copy: a schema that is not there');
CALL synth_mask('firm', '{id,name}', '{"name": "pseudonym", "town": "shuffle"}');
SELECT is((SELECT string_agg(id || name, ',' ORDER BY name) FROM firm), (SELECT string_agg(id || name, ',' ORDER BY name) FROM dev.company), 'a copy and the table masked in place are the same');
CALL synth_mask('log', '{who}', "into" => 'dev.log');
SELECT is(differs('log', 'dev.log', 'at, what'), 0::bigint, 'copy: of partitions');

-- row by row
CREATE TABLE slow (id int PRIMARY KEY, name text, ssn text CHECK (length(ssn) = 11), upname text GENERATED ALWAYS AS (upper(name)) STORED, gone text, during int4range, EXCLUDE USING gist (during WITH &&));
INSERT INTO slow (id, name, ssn, during) SELECT i, 'Name ' || i, '123-45-' || lpad(i::text, 4, '0'), int4range(i, i + 1) FROM generate_series(1, 300) AS i;
ALTER TABLE slow DROP COLUMN gone;
ANALYZE slow;
CREATE TABLE slow_was AS SELECT * FROM slow;
CREATE TABLE fired (id int);
CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO fired VALUES (NEW.id); RETURN NEW; END';
CREATE TRIGGER fire AFTER UPDATE ON slow FOR EACH ROW EXECUTE FUNCTION fire();
CALL synth_mask('slow', '{name,ssn}', '{"name": "full_name", "ssn": "pseudonym"}', mode => 'update', batch_size => 50);
SELECT is((SELECT count(*) FROM slow JOIN slow_was AS w USING (id, during) WHERE slow.name <> w.name AND slow.ssn <> w.ssn AND slow.upname = upper(slow.name)), 300::bigint, 'update: masked, generated columns follow');
SELECT is((SELECT count(DISTINCT id) FROM fired), 300::bigint, 'update: triggers fire');
SELECT is((SELECT rows || ' ' || mode FROM synth_provenance WHERE relation = 'm.slow'), '300 update', 'update: written down');
SELECT is((SELECT count(*) FROM pg_stats WHERE schemaname = 'm' AND tablename = 'slow' AND histogram_bounds::text ~ '123-45|Name '), 0::bigint, 'update: statistics are new');
SELECT throws_ok($$CALL synth_mask('slow', '{name,ssn}', '{"name": "full_name", "ssn": "pseudonym"}', mode => 'update')$$, '55000', NULL, 'update: not twice');
CREATE TABLE slow_once AS SELECT * FROM slow;
SELECT lives_ok($$CALL synth_mask('slow', '{name,ssn}', '{"name": "full_name", "ssn": "pseudonym"}', mode => 'update', options => '{"again": 1}')$$, 'update: but if it is asked for');
SELECT is((SELECT count(*) FROM slow JOIN slow_once USING (id, ssn)), 0::bigint, 'update: all are masked again');
SELECT throws_ok(format('CALL synth_mask(''slow'', %L, %L, mode => ''update'')', c, r), '0A000', NULL, 'update: ' || why) FROM (VALUES
	('{id}', '{}', 'unique'), ('{during}', '{"during": "constant:[1,2)"}', 'exclusion'), ('{name}', '{"name": "shuffle"}', 'shuffle')) AS v (c, r, why);
SELECT throws_ok($$CALL synth_mask('orders', '{customer_id}', mode => 'update')$$, '0A000', NULL, 'update: a foreign key');
SELECT throws_ok($$CALL synth_mask('slow', '{name}', mode => 'update', batch_size => 0)$$, '22023', NULL, 'update: no batch');
SELECT throws_ok($$CALL synth_mask('slow', '{name}', mode => 'update', "into" => 'x')$$, '22023', NULL, 'update: no copy');
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER keep BEFORE UPDATE ON slow FOR EACH ROW EXECUTE FUNCTION keep();
SELECT throws_ok($$CALL synth_mask('slow', '{name}', mode => 'update')$$, '55000', NULL, 'update: a trigger keeps a row');
CALL synth_mask('log', '{who}', '{"who": "pattern:aaaa"}', mode => 'update');
SELECT is((SELECT count(*) FROM log WHERE who !~ '^[a-z]{4}$'), 0::bigint, 'update: partitions');
-- a name that stays in a generated column does not come back
CREATE TABLE shown (id int PRIMARY KEY, full_name text, sex text, loud text GENERATED ALWAYS AS (upper(full_name)) STORED);
INSERT INTO shown SELECT i, 'Margaret Thornberry', 'F' FROM generate_series(1, 30) AS i;
CALL synth_mask('shown', '{full_name}', '{"full_name": "full_name"}');
SELECT is((SELECT count(*) FROM shown WHERE full_name ~* 'Margaret T|Thornberry'), 0::bigint, 'names do not fit what is computed from them');

-- bad input
SELECT throws_ok(format('CALL synth_mask(%s)', a), code, NULL, why) FROM (VALUES
	($$'customer', '{nix}'$$, '42703', 'a column that is not there'), ($$'customer', '{name,name}'$$, '42701', 'twice'), ($$'customer', '{upname}'$$, '42P10', 'generated'),
	($$'customer', '{}'$$, '22023', 'no column'), ($$'customer', '{NULL}'$$, '22004', 'NULL'), ($$NULL$$, '22004', 'no table'), ($$'customer', key => 'nix'$$, '42704', 'a key that is not there'),
	($$'customer', rules => '{"nix": "email"}'$$, '42703', 'a rule for a column that is not there'), ($$'customer', rules => '{"name": 1}'$$, '22023', 'a rule that is a number'), ($$'customer', rules => '[]'$$, '22023', 'no object'),
	($$'customer', rules => '{"name": "emial"}'$$, '42704', 'an unknown rule'), ($$'customer', rules => '{"name": "null"}'$$, '23502', 'NULL where there must be none'), ($$'customer', rules => '{"id": "email"}'$$, '22023', 'a rule that is no pseudonym where keys lead'),
	($$'customer', rules => '{"boss": "keep", "id": "pseudonym"}'$$, '22023', 'a part of a key is to stay'), ($$'customer', rules => '{"town": "synthesize"}', mode => 'update'$$, '0A000', 'synthesize row by row'),
	($$'seen', '{name}'$$, '42809', 'a view'), ($$'pg_catalog.pg_class', '{relname}'$$, '42809', 'a table of the system'), ($$'customer', mode => 'nix'$$, '22023', 'a mode that is not there'),
	($$'customer', options => '{"nix": 1}'$$, '22023', 'an option that is not there'), ($$'customer', options => '{"published": "x"}'$$, '22023', 'an option of another type')) AS v (a, code, why);
SELECT lives_ok($$CALL synth_mask('codes')$$, 'nothing to do');
-- several reasons at once
CREATE FUNCTION detail_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN detail;
END $$;
SELECT matches(detail_of($$CALL synth_mask('customer', rules => '{"name": "null", "email": "constant:x"}')$$), 'email.*unique.*\n.*name.*not null', 'all reasons are told at once');

-- a table that the session is reading
DECLARE c CURSOR FOR SELECT * FROM customer;
MOVE c;
SELECT throws_ok($$CALL synth_mask('customer')$$, '55006', NULL, 'an open cursor');
CLOSE c;
CREATE FUNCTION in_read_only() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL transaction_read_only = on;
	CALL synth_mask('g3');
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT is(in_read_only(), '25006', 'a read-only transaction');

SELECT * FROM finish();
ROLLBACK;
