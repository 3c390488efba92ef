-- Whole schemas: the plan, and rows of children that know their owners and the rows before.
BEGIN;
SELECT plan(72);
SET LOCAL client_min_messages = error;
SET LOCAL search_path = shop, public;

CREATE SCHEMA shop;
CREATE TABLE country (gone int, id int PRIMARY KEY, name text UNIQUE);
ALTER TABLE country DROP COLUMN gone;
CREATE TABLE customer (id int PRIMARY KEY, country_id int NOT NULL REFERENCES country, tier int NOT NULL, joined date NOT NULL, referred_by int REFERENCES customer);
CREATE TABLE product (id int PRIMARY KEY, price numeric(8,2));
CREATE TABLE orders (id serial PRIMARY KEY, customer_id int NOT NULL REFERENCES customer ON DELETE CASCADE, at date NOT NULL, fee numeric(8,2), best_line int, CHECK (fee > 0));
CREATE TABLE line (order_id int REFERENCES orders, line_no int, product_id int NOT NULL REFERENCES product, n int, PRIMARY KEY (order_id, line_no));
ALTER TABLE orders ADD CONSTRAINT best FOREIGN KEY (id, best_line) REFERENCES line (order_id, line_no);
CREATE TABLE reading (sensor int, at timestamptz, celsius numeric(5,2), PRIMARY KEY (sensor, at));
INSERT INTO country SELECT i, 'country ' || i FROM generate_series(1, 5) AS i;
INSERT INTO customer SELECT i, 1 + i % 5, 1 + i * 7919 % 3, date '2020-01-01' + i * 104729 % 1000, CASE WHEN i % 4 = 0 THEN i / 2 END FROM generate_series(1, 600) AS i;
INSERT INTO product SELECT i, i * 1.5 FROM generate_series(1, 40) AS i;
-- customers of tier 1, 2, 3 have 0 to 2, 2 to 4, 4 to 6 orders, each after the one before
INSERT INTO orders (customer_id, at, fee) SELECT c.id, joined + 20 * k + c.id % 20, tier * 100 + (c.id * k * 37) % 20 FROM customer AS c, generate_series(1, 2 * tier + c.id % 3 - 2) AS k ORDER BY c.id, k;
INSERT INTO line SELECT o.id, k, 1 + (o.id * 13 + k * 7) % 40, k FROM orders AS o, generate_series(1, 1 + o.id % 4) AS k;
INSERT INTO reading SELECT s, timestamptz '2024-01-01 00:00Z' + k * interval '15 min', s * 10 + k % 96 / 10.0 FROM generate_series(1, 4) AS s, generate_series(0, 199) AS k;
ANALYZE;

-- the plan
SELECT results_eq($$SELECT relation, role, owner, order_by, together_by FROM synth_schema_plan('{shop}')$$,
	$$VALUES ('shop.country', 'kept', NULL, NULL, '{}'::text[]), ('shop.customer', 'root', NULL, NULL, '{}'), ('shop.product', 'kept', NULL, NULL, '{}'), ('shop.reading', 'sequence', NULL, 'at', '{sensor}'),
		('shop.orders', 'child', 'shop.customer', 'at', '{customer_id}'), ('shop.line', 'child', 'shop.orders', 'line_no', '{order_id}')$$, 'tables in the order of their keys');
SELECT is(foreign_keys, '{"(id, best_line) -> shop.line: late","(customer_id) -> shop.customer: owner"}', 'a cycle is cut at a column that may be NULL') FROM synth_schema_plan('{shop}') WHERE relation = 'shop.orders';
SELECT is(foreign_keys[2], '(referred_by) -> shop.customer: self', 'a table may refer to itself') FROM synth_schema_plan('{shop}') WHERE relation = 'shop.customer';
SELECT is(owner, 'shop.country', 'remake') FROM synth_schema_plan('{shop}', options => '{"remake": ["country"]}') WHERE relation = 'shop.customer';
SELECT is(role, 'kept', 'keep') FROM synth_schema_plan('{shop}', options => '{"keep": ["reading"]}') WHERE relation = 'shop.reading';
SELECT is(count(*), 5::bigint, 'exclude') FROM synth_schema_plan('{shop}', exclude => '{line}');
SELECT is(foreign_keys, '{"(order_id) -> shop.orders: outside","(product_id) -> shop.product: outside"}', 'keys to what is excluded') FROM synth_schema_plan('{shop}', exclude => '{product,orders}') WHERE relation = 'shop.line';
SELECT is(order_by, 'fee', 'order_by') FROM synth_schema_plan('{shop}', options => '{"order_by": {"shop.orders": "fee"}}') WHERE relation = 'shop.orders';
SELECT is(together_by, '{sensor}'::text[], 'sequence_key') FROM synth_schema_plan('{shop}', options => '{"sequence_key": {"reading": ["sensor"]}}') WHERE relation = 'shop.reading';

-- what it refuses
SELECT throws_ok($$SELECT synth_schema_plan('{nix}')$$, '3F000', NULL, 'a schema that is not there');
SELECT throws_ok('SELECT synth_schema_plan(NULL)', '22004', NULL, 'no schema');
CREATE SCHEMA nothing;
SELECT throws_ok($$SELECT synth_schema_plan('{nothing}')$$, '42P01', 'there is no table to learn in the schemas', 'an empty one');
SELECT throws_ok($$SELECT synth_schema_plan('{shop}', options => '{"owner": {"orders": "at"}}')$$, '42704', '"at" of option "owner" is not a foreign key of shop.orders', 'an owner that is no foreign key');
SELECT throws_ok($$SELECT synth_schema_plan('{shop}', options => '{"owner": {"customer": "referred_by"}}')$$, '22023', NULL, 'an owner that may be NULL');
SELECT throws_ok($$SELECT synth_schema_plan('{shop}', options => '{"order_by": {"orders": "nix"}}')$$, '42703', NULL, 'a column that is not there');
SELECT throws_ok($$SELECT synth_schema_plan('{shop}', options => '{"keep": ["nix"]}')$$, '42P01', NULL, 'a table that is not there');
SELECT throws_ok($$SELECT synth_schema_plan('{shop}', options => '{"keep": {"country": "x"}}')$$, '22023', 'option "keep" is not an array of names', 'an option of another shape');
SELECT throws_ok($$SELECT synth_schema_plan('{shop}', options => '{"owner": {"orders": {"a": "b"}}}')$$, '22023', NULL, 'one that is too deep');
SELECT throws_ok($$SELECT synth_schema_plan('{shop}', options => '{"nix": 1}')$$, '22023', 'option "nix" does not exist', 'an unknown option');
SELECT throws_ok($$SELECT synth_schema_plan('{shop}', options => '[]')$$, '22023', 'options must be a JSON object', 'no object');
SELECT throws_ok($$SELECT synth_schema_plan('{shop}', options => '{"keep": ["customer"], "remake": ["country"]}')$$, '22023', NULL, 'what is kept refers to what is made anew');
CREATE TABLE a (id int PRIMARY KEY, b int NOT NULL);
CREATE TABLE b (id int PRIMARY KEY, a int NOT NULL REFERENCES a);
ALTER TABLE a ADD CONSTRAINT a_b FOREIGN KEY (b) REFERENCES b;
SELECT throws_ok($$SELECT synth_schema_plan('{shop}')$$, '0A000', NULL, 'a cycle that cannot be cut');
DROP TABLE a, b CASCADE;

-- rows that fit each other
CREATE TEMP TABLE fitted AS SELECT * FROM synth_fit_schema('{shop}', exclude => '{reading}', seed => 1);
SELECT results_eq('SELECT model, version FROM fitted', $$VALUES ('shop/customer', 1), ('shop/orders#', 1), ('shop/orders', 1), ('shop/line#', 1), ('shop/line', 1)$$, 'a model for each table that is not kept');
SELECT results_eq('SELECT relation, role, model FROM synth_datasets', $$VALUES ('shop.country', 'kept', NULL), ('shop.customer', 'root', 'shop/customer'), ('shop.product', 'kept', NULL),  ('shop.orders', 'child', 'shop/orders'), ('shop.line', 'child', 'shop/line')$$, 'a dataset');
CREATE SCHEMA dev;
CALL synth_schema_into('dev', seed => 1);
SELECT is((SELECT count(*) FROM dev.country NATURAL JOIN country), 5::bigint, 'what is kept is taken over');
SELECT is(count(*), 600::bigint, 'as many roots') FROM dev.customer;
SELECT is((SELECT count(*) FROM pg_constraint WHERE connamespace = 'dev'::regnamespace AND contype = 'f' AND convalidated), 6::bigint, 'all foreign keys hold');
SELECT is((SELECT count(*) FROM pg_constraint AS c JOIN pg_class AS p ON p.oid = c.confrelid WHERE c.connamespace = 'dev'::regnamespace AND p.relnamespace <> 'dev'::regnamespace), 0::bigint, 'and lead to the new tables');
SELECT cmp_ok(abs(count(*) - (SELECT count(*) FROM orders))::float8, '<', 100::float8, 'about as many children') FROM dev.orders;
SELECT cmp_ok(max(abs(n - m)), '<', 0.25, 'as many as the owner says') FROM (SELECT tier, count(o.id) * 1.0 / count(DISTINCT c.id) AS n FROM dev.customer AS c LEFT JOIN dev.orders AS o ON o.customer_id = c.id GROUP BY tier) AS d
	NATURAL JOIN (SELECT tier, count(o.id) * 1.0 / count(DISTINCT c.id) AS m FROM customer AS c LEFT JOIN orders AS o ON o.customer_id = c.id GROUP BY tier) AS s;
SELECT cmp_ok(avg((fee BETWEEN tier * 100 - 1 AND tier * 100 + 20)::int), '>', 0.98, 'columns that follow the owner') FROM dev.orders AS o JOIN dev.customer AS c ON c.id = o.customer_id;
SELECT cmp_ok(avg((at >= joined)::int), '>', 0.98, 'days that follow the owner''s') FROM dev.orders AS o JOIN dev.customer AS c ON c.id = o.customer_id;
SELECT cmp_ok(avg((line_no = place)::int), '>', 0.98, 'lines are counted') FROM (SELECT line_no, row_number() OVER (PARTITION BY order_id ORDER BY line_no) AS place FROM dev.line) AS l;
SELECT is(nextval(pg_get_serial_sequence('dev.orders', 'id')), (SELECT max(id) + 1 FROM dev.orders)::bigint, 'a serial column has its own sequence, which goes on');
SELECT is(pg_get_serial_sequence('dev.orders', 'id'), 'dev.orders_id_seq', 'of the new table');

-- the same again
CREATE TEMP TABLE before AS SELECT * FROM dev.orders;
CALL synth_schema_into('dev', 'shop', seed => 1);
SELECT is((SELECT count(*) FROM dev.orders), (SELECT count(*) FROM before), 'a second call finds all done');
CREATE SCHEMA again;
CALL synth_schema_into('again', 'shop', seed => 1);
SELECT set_eq('SELECT * FROM again.orders', 'SELECT * FROM before', 'a seed says which rows');
CREATE SCHEMA half;
CALL synth_schema_into('half', 'shop', scale => 0.5, seed => 1);
SELECT is(count(*), 300::bigint, 'half of it') FROM half.customer;

-- ids that rise with time, of rows that are made owner by owner
CREATE SCHEMA bank;
CREATE TABLE bank.client (id int PRIMARY KEY, since date NOT NULL);
CREATE TABLE bank.payment (id int PRIMARY KEY, client int NOT NULL REFERENCES bank.client, at timestamp NOT NULL);
INSERT INTO bank.client SELECT i, date '2020-01-01' + i * 7919 % 1000 FROM generate_series(1, 300) AS i;
INSERT INTO bank.payment SELECT row_number() OVER (ORDER BY at), c, at
	FROM (SELECT c.id AS c, since + (k * 40 + c.id % 20) * interval '1 day' + (c.id * k * 7919 % 86400) * interval '1 s' AS at FROM bank.client AS c, generate_series(1, 1 + c.id % 6) AS k) AS p;
SELECT synth_fit_schema('{bank}', seed => 1) \g /dev/null
CREATE SCHEMA bank2;
CALL synth_schema_into('bank2', 'bank', seed => 1);
SELECT cmp_ok(max(id) - count(*)::int, '<=', 20, 'count on, but for rows that were left out') FROM bank2.payment;

-- what it refuses
SELECT throws_ok($$CALL synth_schema_into('shop', 'shop')$$, '22023', NULL, 'the source''s own schema');
SELECT throws_ok('CALL synth_schema_into(''dev'')', '42704', 'there are several datasets that you may sample', 'which dataset?');
SELECT throws_ok($$CALL synth_schema_into('dev', 'nix')$$, '42704', 'dataset "nix" does not exist', 'a dataset that is not there');
SELECT throws_ok($$CALL synth_schema_into('dev', 'shop', scale => 'NaN')$$, '22023', NULL, 'a scale that is not a number');

-- a dataset as one
CREATE ROLE gensynth_reader;
CREATE FUNCTION as_reader(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
	SET LOCAL ROLE gensynth_reader;
	BEGIN
		EXECUTE statement INTO result;
	EXCEPTION WHEN OTHERS THEN
		result := SQLSTATE;
	END;
	RESET ROLE;
	RETURN result;
END $$;
SELECT is(as_reader($$SELECT count(*) FROM synth_datasets$$), '0', 'nobody sees it');
SELECT lives_ok($$SELECT synth_grant('shop', 'gensynth_reader')$$, 'granted');
SELECT is(as_reader($$SELECT count(DISTINCT dataset) FROM synth_datasets$$), '1', 'all of its models are');
SELECT is(as_reader($$SELECT count(*) FROM synth_sample('shop/customer', 5)$$), '5', 'and may be sampled');
SELECT is(as_reader($$SELECT synth_drop('shop')$$), '42501', 'but not dropped');
-- tables without rows, and what refers to them
CREATE SCHEMA bare;
CREATE TABLE bare.voucher (id int PRIMARY KEY, code text);
CREATE TABLE bare.entry (id int PRIMARY KEY, voucher_id int REFERENCES bare.voucher, amount int NOT NULL);
CREATE TABLE bare.remark (entry_id int NOT NULL REFERENCES bare.entry, remark text);
INSERT INTO bare.entry SELECT i, NULL, i % 13 FROM generate_series(1, 200) AS i;
SELECT synth_fit_schema('{bare}', seed => 1) \g /dev/null
INSERT INTO bare.voucher VALUES (1, 'came later');
SELECT is((SELECT string_agg(name || ' ' || role, ', ' ORDER BY name) FROM gensynth.dataset_tables WHERE dataset = 'bare'), 'entry root, remark empty, voucher empty', 'tables without rows are none to learn from');
CREATE SCHEMA bare2;
CALL synth_schema_into('bare2', 'bare', seed => 1);
SELECT is((SELECT (SELECT count(*) FROM bare2.entry) || ' ' || (SELECT count(*) FROM bare2.voucher) || ' ' || (SELECT count(*) FROM bare2.remark)), '200 0 0', 'they are made, and stay empty');
-- tables of too few rows to learn from, which are not to be shown
CREATE SCHEMA few;
CREATE TABLE few.staff (id int PRIMARY KEY, email text NOT NULL);
CREATE TABLE few.sale (id int PRIMARY KEY, staff_id int REFERENCES few.staff, amount int NOT NULL);
INSERT INTO few.staff VALUES (1, 'ann@example.com'), (2, 'bob@example.com');
INSERT INTO few.sale SELECT i, 1 + i % 2, i % 13 FROM generate_series(1, 200) AS i;
SELECT synth_fit_schema('{few}', seed => 1) \g /dev/null
CREATE SCHEMA few2;
CALL synth_schema_into('few2', 'few', seed => 1);
SELECT is((SELECT (SELECT count(*) FROM few2.staff) || ' ' || count(*) || ' ' || count(staff_id) FROM few2.sale), '0 200 0', 'two rows are left out, and nothing refers to them');
ALTER TABLE few.sale ALTER staff_id SET NOT NULL;
ALTER TABLE few.staff ADD role text NOT NULL DEFAULT 'boss' CHECK (role IN ('boss', 'clerk')), ADD pay numeric(8,2) NOT NULL DEFAULT 2000 CHECK (pay > 1000);
SELECT is(role, 'invented', 'if rows must refer to them, they are made up') FROM synth_schema_plan('{few}') WHERE relation = 'few.staff';
SELECT synth_fit_schema('{few}', seed => 1) \g /dev/null
DROP SCHEMA few2 CASCADE;
CREATE SCHEMA few2;
CALL synth_schema_into('few2', 'few', seed => 1);
SELECT is((SELECT count(*) || ' ' || count(email) FROM few2.staff WHERE email LIKE '%@%' AND email NOT LIKE 'ann@%' AND pay <> 2000), '5 5', 'of types, conditions and names of columns');
SELECT is(count(*), 200::bigint, 'and rows refer to them') FROM few2.sale NATURAL JOIN (SELECT id AS staff_id FROM few2.staff) AS s;
SELECT is(count(*), 0::bigint, 'nothing of them is stored') FROM gensynth.tensors WHERE model LIKE 'few/%' AND position('ann@'::bytea IN data) > 0;
DROP SCHEMA few2 CASCADE;
SELECT synth_fit_schema('{few}', exclude => ARRAY['few.staff']::regclass[], seed => 1) \g /dev/null
CREATE SCHEMA few2;
CALL synth_schema_into('few2', 'few', seed => 1);
SELECT is((SELECT count(*) || ' ' || count(staff_id) || ' ' || (to_regclass('few2.staff') IS NULL) FROM few2.sale), '200 200 true', 'left out, they stop nobody');
SELECT synth_fit_schema('{few}', options => '{"keep": ["few.staff"]}', seed => 1) \g /dev/null
DROP SCHEMA few2 CASCADE;
CREATE SCHEMA few2;
CALL synth_schema_into('few2', 'few', seed => 1);
SELECT set_eq('SELECT * FROM few2.staff', 'SELECT * FROM few.staff', 'kept, they are there');
-- what a table's owner wrote does not run as who makes tables like it
CREATE SCHEMA theirs AUTHORIZATION gensynth_reader;
SET LOCAL ROLE gensynth_reader;
CREATE FUNCTION theirs.looks(v int) RETURNS boolean LANGUAGE sql AS 'SELECT v > 0';
CREATE FUNCTION theirs.value() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TABLE theirs.checked (id int PRIMARY KEY, v int CHECK (theirs.looks(v)));
CREATE TABLE theirs.defaults (id int PRIMARY KEY, v int DEFAULT theirs.value());
INSERT INTO theirs.checked SELECT i, i % 7 + 1 FROM generate_series(1, 100) AS i;
INSERT INTO theirs.defaults SELECT i, i % 7 + 1 FROM generate_series(1, 100) AS i;
RESET ROLE;
CREATE SCHEMA likes;
SELECT synth_fit_schema('{theirs}', exclude => '{theirs.defaults}', model => 'checked'), synth_fit_schema('{theirs}', exclude => '{theirs.checked}', model => 'defaults') \g /dev/null
SELECT throws_ok($$CALL synth_schema_into('likes', 'checked')$$, '42501', 'function theirs.looks(integer) of role "gensynth_reader" would run as you in the copy of table theirs.checked', 'no condition of theirs');
SELECT throws_ok($$CALL synth_schema_into('likes', 'defaults')$$, '42501', NULL, 'nor default');
-- nor does anybody put a table of his where theirs are to be
CREATE SCHEMA planted;
GRANT USAGE, CREATE ON SCHEMA planted TO gensynth_reader;
SET LOCAL ROLE gensynth_reader;
CREATE TABLE planted.checked (id int, v int);
RESET ROLE;
SELECT throws_ok($$CALL synth_schema_into('planted', 'checked')$$, '42501', 'checked is there already, and belongs to role "gensynth_reader"', 'a table of a role that the schema is not of');
-- nor a view in the place of a table that is taken over
CREATE SCHEMA gensynth_reader AUTHORIZATION gensynth_reader;
SET LOCAL ROLE gensynth_reader;
CREATE TABLE gensynth_reader.kinds (id int PRIMARY KEY, name text);
CREATE TABLE gensynth_reader.items (id int PRIMARY KEY, kind int NOT NULL REFERENCES gensynth_reader.kinds, v int);
INSERT INTO gensynth_reader.kinds SELECT i, 'kind ' || i FROM generate_series(1, 3) AS i;
INSERT INTO gensynth_reader.items SELECT i, i % 3 + 1, i % 7 FROM generate_series(1, 300) AS i;
SELECT synth_fit_schema('{gensynth_reader}', model => 'replaced') \g /dev/null
RESET ROLE;
SELECT is((SELECT string_agg(relation || ' ' || role, ', ' ORDER BY ordinal) FROM synth_datasets WHERE dataset = 'replaced'), 'gensynth_reader.kinds kept, gensynth_reader.items root', 'a dataset of another role');
CREATE SCHEMA mine CREATE TABLE kinds (id int PRIMARY KEY, name text) CREATE TABLE items (id int PRIMARY KEY, kind int NOT NULL REFERENCES kinds, v int);
SELECT lives_ok($$CALL synth_schema_into('mine', 'replaced', create_tables => false)$$, 'which is made');
TRUNCATE mine.items, mine.kinds;
ALTER TABLE gensynth_reader.kinds RENAME TO were_kinds;
SET LOCAL ROLE gensynth_reader;
CREATE VIEW gensynth_reader.kinds AS SELECT theirs.value() AS id, 'kind'::text AS name;
RESET ROLE;
SELECT throws_ok($$CALL synth_schema_into('mine', 'replaced', create_tables => false)$$, '42809', 'gensynth_reader.kinds is another table than the dataset was learned from', 'until it has become a view');
SELECT synth_drop('replaced') \g /dev/null
SELECT lives_ok($$SELECT synth_revoke('shop', 'gensynth_reader')$$, 'taken back');
SELECT is(as_reader($$SELECT count(*) FROM synth_datasets$$), '0', 'all of them');
SELECT synth_fit_schema('{bank}', seed => 2) \g /dev/null
SELECT synth_use('bank', 1) \g /dev/null
SELECT is(array_agg(DISTINCT version), '{1}', 'the versions before') FROM synth_models WHERE model LIKE 'bank/%' AND current;
SELECT throws_ok($$SELECT synth_use('bank', 9)$$, '42704', NULL, 'a version that is not there');
SELECT synth_drop('bank', 2) \g /dev/null
SELECT is(array_agg(DISTINCT version), '{1}', 'and those after are gone') FROM synth_models WHERE model LIKE 'bank/%';
SELECT synth_drop('bank') \g /dev/null
SELECT is((SELECT count(*) FROM synth_models WHERE model LIKE 'bank/%') + (SELECT count(*) FROM synth_datasets WHERE dataset = 'bank'), 0::bigint, 'dropped');
SELECT throws_ok($$SELECT synth_drop('bank')$$, '42704', NULL, 'once');

-- what a note says of an error is not what the error says, which may be data
CREATE TABLE ward (id int PRIMARY KEY, secret text);
CREATE TABLE stay (ward int NOT NULL REFERENCES ward, day date NOT NULL);
INSERT INTO ward SELECT i, CASE WHEN i = 7 THEN 'a secret' ELSE '1' END FROM generate_series(1, 100) AS i;
INSERT INTO stay SELECT 1 + i % 100, date '2024-01-01' + i FROM generate_series(1, 400) AS i;
ALTER TABLE ward ENABLE ROW LEVEL SECURITY;
-- the first times they are counted, then read for what they are like
CREATE SEQUENCE reads;
CREATE FUNCTION readable(secret text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN nextval('shop.reads') <> 112 OR secret::int > 0; END $$;
CREATE POLICY readable ON ward USING (readable(secret));
GRANT USAGE ON SCHEMA shop TO gensynth_reader;
GRANT SELECT ON ward, stay TO gensynth_reader;
SELECT is(as_reader($$SELECT count(*) FROM synth_fit('shop.stay', seed => 1)$$), '1', 'a table whose owners cannot be read is learned');
SELECT is(array_to_string(array(SELECT n FROM gensynth.versions AS v, unnest(v.notes) AS n WHERE n LIKE '%they belong to%'), '|'),
	'rows are not made together with those that they belong to: learning that raised an error, SQLSTATE 22P02', 'and a note tells no row of theirs');
SELECT * FROM finish();
ROLLBACK;
