-- synth_into fills foreign keys: children per parent, parents that matter,
-- keys that share columns, tables that refer to each other.
\set ECHO none
SELECT plan(45);
SET client_min_messages = warning;
SELECT setseed(0.3) \g /dev/null

-- how children are spread over parents
CREATE FUNCTION spread(child text, parent text, match text, OUT rows int, OUT childless float8, OUT few float8, OUT median float8, OUT p90 float8)
LANGUAGE plpgsql AS $$ BEGIN
	EXECUTE format('SELECT sum(n), avg((n = 0)::int), avg((n < 5)::int), percentile_cont(0.5) WITHIN GROUP (ORDER BY n), percentile_cont(0.9) WITHIN GROUP (ORDER BY n)
		FROM (SELECT count(c) AS n FROM %s AS p LEFT JOIN %s AS c ON %s GROUP BY p.ctid) AS q', parent, child, match) INTO rows, childless, few, median, p90;
END $$;

--
-- Two tables, one parent, one seed: ids that are numbers
--
CREATE TABLE account (id int PRIMARY KEY);
INSERT INTO account SELECT generate_series(1, 500);
CREATE TABLE orders (id int PRIMARY KEY, account int NOT NULL REFERENCES account, v float8);
CREATE TABLE loans (id int PRIMARY KEY, account int REFERENCES account, v float8);
INSERT INTO orders SELECT row_number() OVER (), a, random() FROM (SELECT id AS a, CASE WHEN random() < 0.02 THEN 0 ELSE 1 + exp(random() * 3)::int END AS k FROM account) AS q, generate_series(1, k);
INSERT INTO loans SELECT row_number() OVER (), CASE WHEN random() < 0.7 THEN a END, random()
	FROM (SELECT id AS a, CASE WHEN random() < 0.3 THEN 0 ELSE 1 + exp(random() * 3)::int END AS k FROM account) AS q, generate_series(1, k);
SELECT count(synth_fit(t, seed => 1)) FROM unnest(ARRAY['orders', 'loans']) AS t \g /dev/null
CREATE TABLE orders2 (LIKE orders INCLUDING ALL, FOREIGN KEY (account) REFERENCES account);
CREATE TABLE loans2 (LIKE loans INCLUDING ALL, FOREIGN KEY (account) REFERENCES account);
CALL synth_into('orders2', model => 'orders', seed => 2);
CALL synth_into('loans2', model => 'loans', seed => 2);
SELECT cmp_ok((SELECT abs(corr(o, l)) FROM (SELECT (SELECT count(*) FROM orders2 WHERE account = a.id) AS o, (SELECT count(*) FROM loans2 WHERE account = a.id) AS l FROM account AS a) AS q),
	'<', 0.15::float8, 'two tables'' children of a parent do not go together');
SELECT is(spread('orders2', 'account', 'c.account = p.id')::text, spread('orders', 'account', 'c.account = p.id')::text, 'children per parent, and parents without');
SELECT is((s).childless, (r).childless, 'in spite of NULLs') FROM (SELECT spread('loans2', 'account', 'c.account = p.id') AS s, spread('loans', 'account', 'c.account = p.id') AS r) AS q;
SELECT cmp_ok((SELECT abs((s).few - (r).few) FROM (SELECT spread('loans2', 'account', 'c.account = p.id') AS s, spread('loans', 'account', 'c.account = p.id') AS r) AS q), '<', 0.02::float8, 'as many with few');
SELECT cmp_ok((SELECT abs(avg((account IS NULL)::int) - 0.3) FROM loans2), '<', 0.04, 'NULLs keep their share');

-- rows that batches are committed of, and that are resumed in the middle
CREATE SEQUENCE seen;
CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	IF nextval('seen') = 777 THEN RAISE 'stop'; END IF;
	RETURN NULL;
END $$;
CREATE TABLE loans3 (LIKE loans INCLUDING ALL, FOREIGN KEY (account) REFERENCES account);
CREATE TRIGGER stop AFTER INSERT ON loans3 FOR EACH ROW EXECUTE FUNCTION stop();
\set ON_ERROR_STOP 0
CALL synth_into('loans3', model => 'loans', seed => 2, batch_size => 100);
\set ON_ERROR_STOP 1
SELECT is((SELECT count(*) FROM loans3), 700::bigint, 'stopped in the eighth batch');
CALL synth_into('loans3', model => 'loans', seed => 2, batch_size => 100);
SELECT set_eq('SELECT * FROM loans3', 'SELECT * FROM loans2', 'resumed, it has the same rows');

-- parents of another number
CREATE TABLE account2 (id int PRIMARY KEY);
INSERT INTO account2 SELECT generate_series(1, 1500);
CREATE TABLE orders3 (LIKE orders INCLUDING ALL, FOREIGN KEY (account) REFERENCES account2);
CALL synth_into('orders3', model => 'orders', seed => 2);
SELECT is((SELECT count(*) FROM orders3), (SELECT 3 * count(*) FROM orders), 'three times as many parents have three times as many children');
SELECT is((s).childless || ' ' || (s).median, (r).childless || ' ' || (r).median, 'and each as many as in the source') FROM (SELECT spread('orders3', 'account2', 'c.account = p.id') AS s, spread('orders', 'account', 'c.account = p.id') AS r) AS q;
TRUNCATE orders3;
CALL synth_into('orders3', 8000, model => 'orders', seed => 3);
SELECT is((s).childless, (r).childless, 'with fewer children, those without stay so') FROM (SELECT spread('orders3', 'account2', 'c.account = p.id') AS s, spread('orders', 'account', 'c.account = p.id') AS r) AS q;
TRUNCATE orders3;
CALL synth_into('orders3', 300, model => 'orders', seed => 3);
SELECT cmp_ok((SELECT abs(300.0 / count(DISTINCT account) - (SELECT count(*) / count(DISTINCT account)::numeric FROM orders)) FROM orders3), '<', 1.0, 'with few, some parents have as many as in the source');

-- each has its part in more children, not only who has two
CREATE TABLE track (id int PRIMARY KEY);
INSERT INTO track SELECT generate_series(1, 1000);
CREATE TABLE line (id int PRIMARY KEY, track int NOT NULL REFERENCES track, v float8);
INSERT INTO line SELECT row_number() OVER (), id, random() FROM track, generate_series(1, CASE WHEN id <= 400 THEN 0 WHEN id <= 900 THEN 1 ELSE 2 END);
SELECT synth_fit('line', seed => 1) \g /dev/null
CREATE TABLE line2 (LIKE line INCLUDING ALL, FOREIGN KEY (track) REFERENCES track);
CREATE FUNCTION lines() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(n || ': ' || parents, ', ' ORDER BY n) FROM (SELECT n, count(*) AS parents FROM (SELECT count(l) AS n FROM track LEFT JOIN line2 AS l ON l.track = track.id GROUP BY track.id) AS c GROUP BY n) AS d $$;
CALL synth_into('line2', 1400, model => 'line', seed => 2);
SELECT is(lines(), '0: 400, 2: 500, 4: 100', 'twice as many children are twice as many of each parent');
TRUNCATE line2;
CALL synth_into('line2', 735, model => 'line', seed => 2);
SELECT is(lines(), '0: 400, 1: 475, 2: 115, 3: 10', 'and a few more are spread over all that have any');

--
-- Parents that the model knows by their values: rare ones among them
--
CREATE TABLE site (id text PRIMARY KEY);
INSERT INTO site SELECT md5(i::text) FROM generate_series(1, 300) AS i;
CREATE TABLE visit (id int PRIMARY KEY, site text NOT NULL REFERENCES site, kind text);
INSERT INTO visit SELECT row_number() OVER (), s, CASE WHEN s < '8' THEN 'a' ELSE 'b' END
	FROM (SELECT id AS s, CASE WHEN i <= 6 THEN 0 WHEN i <= 100 THEN 1 + i % 4 ELSE 5 + i % 17 END AS k FROM (SELECT id, row_number() OVER () AS i FROM site) AS r) AS q, generate_series(1, k);
SELECT synth_fit('visit', seed => 1) \g /dev/null
CREATE TABLE visit2 (LIKE visit INCLUDING ALL, FOREIGN KEY (site) REFERENCES site);
CALL synth_into('visit2', model => 'visit', seed => 2);
SELECT cmp_ok((spread('visit2', 'site', 'c.site = p.id')).childless, '<', 0.03::float8, 'parents that few rows refer to have children too');
SELECT cmp_ok((SELECT abs((s).few - (r).few) FROM (SELECT spread('visit2', 'site', 'c.site = p.id') AS s, spread('visit', 'site', 'c.site = p.id') AS r) AS q), '<', 0.06::float8, 'few');
SELECT cmp_ok((SELECT avg(((site < '8') = (kind = 'a'))::int) FROM visit2), '>', 0.9, 'and what depends on the others still does');
CREATE TABLE site2 (id text PRIMARY KEY);
INSERT INTO site2 SELECT md5(i::text) FROM generate_series(1, 600) AS i;
CREATE TABLE visit3 (LIKE visit INCLUDING ALL, FOREIGN KEY (site) REFERENCES site2);
CALL synth_into('visit3', model => 'visit', seed => 2);
SELECT cmp_ok((spread('visit3', 'site2', 'c.site = p.id')).childless, '<', 0.04::float8, 'so do parents that the source did not have');
SELECT cmp_ok((SELECT max(n) FROM (SELECT count(*) AS n FROM visit3 GROUP BY site) AS q), '<', 50::bigint, 'not all of them at the cost of others');
CREATE DOMAIN code AS text;
CREATE TABLE visit4 (id int, site code NOT NULL REFERENCES site, kind text);
CREATE TABLE visit5 (id int, site varchar(40) NOT NULL REFERENCES site, kind text);
CALL synth_into('visit4', model => 'visit', seed => 2);
CALL synth_into('visit5', model => 'visit', seed => 2);
SELECT set_eq('SELECT id, site::text, kind FROM visit4', 'SELECT id, site, kind FROM visit2', 'a domain is its base type');
SELECT cmp_ok((SELECT count(DISTINCT site) FROM visit5), '>', 250::bigint, 'rows of another type are spread');

-- the one parent that matters
CREATE TABLE ledger (id int PRIMARY KEY);
INSERT INTO ledger VALUES (0);
INSERT INTO ledger SELECT generate_series(1000, 3999);
CREATE TABLE entry (id int PRIMARY KEY, ledger int NOT NULL REFERENCES ledger, kind text NOT NULL);
INSERT INTO entry SELECT i, CASE WHEN i % 10 < 3 THEN 0 ELSE 1000 + (random() * 2999)::int END, CASE WHEN i % 10 < 3 THEN 'fee' ELSE 'pay' END FROM generate_series(1, 12000) AS i;
SELECT synth_fit('entry', seed => 1) \g /dev/null
CREATE TABLE entry2 (LIKE entry INCLUDING ALL, FOREIGN KEY (ledger) REFERENCES ledger);
CALL synth_into('entry2', model => 'entry', seed => 2);
SELECT cmp_ok((SELECT abs(avg((ledger = 0)::int) - 0.3) FROM entry2), '<', 0.02, 'the parent of a third of the children keeps them');
SELECT is((SELECT count(*) FROM entry2 WHERE (ledger = 0) <> (kind = 'fee')), 0::bigint, 'and what goes with it');
SELECT cmp_ok((SELECT abs((s).childless - (r).childless) FROM (SELECT spread('entry2', 'ledger', 'c.ledger = p.id') AS s, spread('entry', 'ledger', 'c.ledger = p.id') AS r) AS q), '<', 0.01::float8, 'beside the others');
CREATE TABLE ledger2 (id int PRIMARY KEY);
INSERT INTO ledger2 SELECT generate_series(100001, 109000);
CREATE TABLE entry3 (LIKE entry INCLUDING ALL, FOREIGN KEY (ledger) REFERENCES ledger2);
CALL synth_into('entry3', model => 'entry', seed => 2);
SELECT cmp_ok((SELECT abs(max(n) / sum(n) - 0.3) FROM (SELECT count(*) AS n FROM entry3 GROUP BY ledger) AS q), '<', 0.02, 'where there is no such parent, another one stands for it');

-- of several columns, by rank
CREATE TABLE book (shelf text, number int, PRIMARY KEY (shelf, number));
INSERT INTO book SELECT 's' || i % 30, i / 30 FROM generate_series(0, 2999) AS i;
CREATE TABLE loan (shelf text, number int, FOREIGN KEY (shelf, number) REFERENCES book);
INSERT INTO loan SELECT 's' || i % 30, i / 30 FROM (SELECT CASE WHEN i % 4 = 0 THEN 77 ELSE (random() * 2999)::int END AS i FROM generate_series(1, 8000) AS i) AS q;
SELECT synth_fit('loan', seed => 1) \g /dev/null
CREATE TABLE loan2 (LIKE loan, FOREIGN KEY (shelf, number) REFERENCES book);
CALL synth_into('loan2', model => 'loan', seed => 2);
SELECT cmp_ok((SELECT abs(max(n) / sum(n) - 0.25) FROM (SELECT count(*) AS n FROM loan2 GROUP BY shelf, number) AS q), '<', 0.02, 'a parent of several columns, too');

--
-- Keys that share a column
--
CREATE TABLE tenant (id int PRIMARY KEY);
INSERT INTO tenant SELECT generate_series(1, 150);
CREATE TABLE customer (tenant int REFERENCES tenant, id int, PRIMARY KEY (tenant, id));
CREATE TABLE product (tenant int REFERENCES tenant, id int, PRIMARY KEY (tenant, id));
INSERT INTO customer SELECT t, i FROM tenant AS t(t), generate_series(1, 1 + t * 7 % 40) AS i;
INSERT INTO product SELECT t, i FROM tenant AS t(t), generate_series(1, 1 + t * 3 % 11) AS i;
CREATE TABLE sale (id int PRIMARY KEY, tenant int NOT NULL REFERENCES tenant, customer int NOT NULL, product int NOT NULL, FOREIGN KEY (tenant, customer) REFERENCES customer, FOREIGN KEY (tenant, product) REFERENCES product);
INSERT INTO sale SELECT row_number() OVER (), c.tenant, c.id, 1 + floor(random() * (1 + c.tenant * 3 % 11)) FROM customer AS c, generate_series(1, (c.tenant + c.id) % 5);
SELECT synth_fit('sale', seed => 1) \g /dev/null
CREATE TABLE sale2 (LIKE sale INCLUDING ALL, FOREIGN KEY (tenant) REFERENCES tenant, FOREIGN KEY (tenant, customer) REFERENCES customer, FOREIGN KEY (tenant, product) REFERENCES product);
CALL synth_into('sale2', model => 'sale', seed => 2);
SELECT is((SELECT drawn FROM synth_fills WHERE target = 'public.sale2'), (SELECT count(*) FROM sale), 'keys that share a column are found at once');
SELECT cmp_ok((SELECT abs((s).childless - (r).childless) FROM (SELECT spread('sale2', 'customer', 'c.tenant = p.tenant AND c.customer = p.id') AS s, spread('sale', 'customer', 'c.tenant = p.tenant AND c.customer = p.id') AS r) AS q), '<', 0.01::float8, 'children per parent of the first key');
SELECT cmp_ok((SELECT abs((s).childless - (r).childless) FROM (SELECT spread('sale2', 'product', 'c.tenant = p.tenant AND c.product = p.id') AS s, spread('sale', 'product', 'c.tenant = p.tenant AND c.product = p.id') AS r) AS q), '<', 0.1::float8, 'and of the second');
SELECT cmp_ok((SELECT count(DISTINCT (tenant, customer, product)) FROM sale2), '>', (SELECT count(DISTINCT (tenant, customer, product)) * 7 / 10 FROM sale), 'a tenant''s customers and products meet in all ways');
SET work_mem = '64kB';
CREATE TABLE sale3 (LIKE sale2 INCLUDING ALL, FOREIGN KEY (tenant, customer) REFERENCES customer, FOREIGN KEY (tenant, product) REFERENCES product, FOREIGN KEY (tenant) REFERENCES tenant);
CALL synth_into('sale3', model => 'sale', seed => 2);
RESET work_mem;
SELECT set_eq('SELECT * FROM sale3', 'SELECT * FROM sale2', 'keys in a file are those in memory, and the order of keys does not matter');

-- many parents: few children read all keys, and keep few
CREATE TABLE many (id uuid PRIMARY KEY);
INSERT INTO many SELECT md5(i::text)::uuid FROM generate_series(1, 50000) AS i;
CREATE TABLE few (id int PRIMARY KEY, many uuid NOT NULL REFERENCES many);
INSERT INTO few SELECT row_number() OVER (), id FROM (SELECT id FROM many LIMIT 500) AS q;
SELECT synth_fit('few', seed => 1) \g /dev/null
CREATE TABLE few2 (LIKE few INCLUDING ALL, FOREIGN KEY (many) REFERENCES many);
CREATE TABLE few3 (LIKE few INCLUDING ALL, FOREIGN KEY (many) REFERENCES many);
CALL synth_into('few2', 300, model => 'few', seed => 2);
ANALYZE many;
CALL synth_into('few3', 300, model => 'few', seed => 2);
SELECT is((SELECT count(DISTINCT many) FROM few2), 300::bigint, 'of many parents some');
SELECT set_eq('SELECT * FROM few3', 'SELECT * FROM few2', 'whatever the planner knows');
UPDATE pg_class SET reltuples = 1e9 WHERE oid = 'many'::regclass;
CREATE TABLE few4 (LIKE few INCLUDING ALL, FOREIGN KEY (many) REFERENCES many);
CALL synth_into('few4', 300, model => 'few', seed => 2);
SELECT set_eq('SELECT * FROM few4', 'SELECT * FROM few2', 'or believes');

-- a table that refers to itself, over several batches
CREATE TABLE node (id int PRIMARY KEY, up int REFERENCES node);
INSERT INTO node SELECT i, CASE WHEN i > 20 THEN i / 20 END FROM generate_series(1, 3000) AS i;
SELECT synth_fit('node', seed => 1) \g /dev/null
CREATE TABLE node2 (LIKE node INCLUDING ALL, FOREIGN KEY (up) REFERENCES node2);
CALL synth_into('node2', 3000, model => 'node', seed => 2, batch_size => 700);
WITH RECURSIVE tree AS (SELECT id FROM node2 WHERE up IS NULL UNION ALL SELECT c.id FROM node2 AS c JOIN tree AS t ON c.up = t.id)
	SELECT is(count(*), 3000::bigint, 'references to itself are a forest') FROM tree;

--
-- Tables that must refer to each other
--
CREATE TABLE department (id int PRIMARY KEY, head int NOT NULL, name text NOT NULL);
CREATE TABLE employee (id int PRIMARY KEY, department int NOT NULL REFERENCES department DEFERRABLE INITIALLY DEFERRED);
ALTER TABLE department ADD FOREIGN KEY (head) REFERENCES employee DEFERRABLE, ADD UNIQUE (head);
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
INSERT INTO department SELECT i, 1000 + i, 'd' || i % 7 FROM generate_series(1, 50) AS i;
INSERT INTO employee SELECT i, 1 + i % 50 FROM generate_series(1001, 2000) AS i;
COMMIT;
SELECT count(synth_fit(t, seed => 1)) FROM unnest(ARRAY['department', 'employee']) AS t \g /dev/null
CREATE SCHEMA two;
CREATE TABLE two.department (LIKE department INCLUDING ALL);
CREATE TABLE two.employee (id int PRIMARY KEY, department int NOT NULL REFERENCES two.department DEFERRABLE INITIALLY DEFERRED);
ALTER TABLE two.department ADD FOREIGN KEY (head) REFERENCES two.employee DEFERRABLE;
SELECT throws_like($$CALL synth_into('two.department', 50, model => 'department', seed => 2); SET CONSTRAINTS ALL IMMEDIATE$$, '%violates foreign key%', 'one alone cannot be filled');
BEGIN;
CALL synth_into('two.department', 50, model => 'department', seed => 2);
CALL synth_into('two.employee', 1000, model => 'employee', seed => 2);
COMMIT;
SELECT is((SELECT count(*) FROM two.employee), 1000::bigint, 'both can, in one transaction');
SELECT is((SELECT count(DISTINCT head) || ' ' || count(*) FROM two.department JOIN two.employee AS e ON e.id = head), '50 50', 'heads are employees');
TRUNCATE two.department, two.employee;
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
INSERT INTO two.department VALUES (-1, -2, 'mine');
CALL synth_into('two.department', 50, model => 'department', seed => 2);
CALL synth_into('two.employee', 1000, model => 'employee', seed => 2);
SELECT is((SELECT head FROM two.department WHERE id = -1), -2, 'rows that others have put stay as they are');
ROLLBACK;
SELECT lives_ok($$CALL synth_into('two.employee', 1, model => 'employee', seed => 2); DELETE FROM two.employee; SET CONSTRAINTS ALL IMMEDIATE$$, 'what was rolled back is forgotten');

-- rows that are made owner by owner: a system account keeps its share, and the children of two tables do not go together
CREATE SCHEMA led;
CREATE TABLE led.account (id int PRIMARY KEY, kind text NOT NULL, opened date NOT NULL);
INSERT INTO led.account SELECT i, CASE WHEN i = 7 THEN 'system' ELSE 'k' || i % 3 END, date '2020-01-01' + i FROM (SELECT 7 AS i UNION ALL SELECT generate_series(100, 900)) AS a;
CREATE TABLE led.entry (id int PRIMARY KEY, account int NOT NULL REFERENCES led.account, at date NOT NULL);
INSERT INTO led.entry SELECT i, a, opened + (random() * 300)::int FROM (SELECT i, CASE WHEN i % 3 = 0 THEN 7 ELSE 100 + i * 7919 % 801 END AS a FROM generate_series(1, 3000) AS i) AS e JOIN led.account ON account.id = a;
CREATE TABLE led.loan (id int PRIMARY KEY, account int NOT NULL REFERENCES led.account, at date NOT NULL);
INSERT INTO led.loan SELECT row_number() OVER (), a.id, opened + (random() * 300)::int FROM led.account AS a, generate_series(1, 8) AS k WHERE k <= a.id * 5 % 8;
CREATE TABLE led.note (id int PRIMARY KEY, account int NOT NULL REFERENCES led.account, at date NOT NULL);
INSERT INTO led.note SELECT row_number() OVER (), a.id, opened + (random() * 300)::int FROM led.account AS a, generate_series(1, 9) AS k WHERE k <= a.id * 2 % 9;
SELECT count(synth_fit('led.' || t, seed => 1)) FROM unnest('{entry,loan,note}'::text[]) AS t \g /dev/null
CREATE TABLE led.entry2 (LIKE led.entry INCLUDING ALL, FOREIGN KEY (account) REFERENCES led.account);
CREATE TABLE led.loan2 (LIKE led.loan INCLUDING ALL, FOREIGN KEY (account) REFERENCES led.account);
CREATE TABLE led.note2 (LIKE led.note INCLUDING ALL, FOREIGN KEY (account) REFERENCES led.account);
CALL synth_into('led.entry2', 3000, model => 'led.entry', seed => 2);
CALL synth_into('led.loan2', model => 'led.loan', seed => 2);
CALL synth_into('led.note2', model => 'led.note', seed => 2);
SELECT cmp_ok(abs(avg((account = 7)::int) - 1 / 3.0), '<', 0.02, 'an owner that stands out by his key keeps his share') FROM led.entry2;
SELECT is(count(*), 3000::bigint, 'of as many rows as were asked for') FROM led.entry2;
SELECT cmp_ok(abs(count(DISTINCT account) - (SELECT count(DISTINCT account) FROM led.entry)), '<', 30::bigint, 'and the others theirs') FROM led.entry2;
SELECT cmp_ok(abs(corr(a, b)), '<', 0.15::float8, 'children of two tables, filled with one seed, do not go together')
FROM (SELECT (SELECT count(*) FROM led.loan2 WHERE account = p.id) AS a, (SELECT count(*) FROM led.note2 WHERE account = p.id) AS b FROM led.account AS p) AS c;

-- of two keys of a tenant's, that of most parents says how many rows a tenant has
CREATE TABLE led.usr (tenant int, id int, PRIMARY KEY (tenant, id));
INSERT INTO led.usr SELECT t, u FROM generate_series(1, 60) AS t, generate_series(1, 5 + t) AS u;
CREATE TABLE led.project (tenant int, id int, PRIMARY KEY (tenant, id));
INSERT INTO led.project SELECT t, p FROM generate_series(1, 60) AS t, generate_series(1, 2 + t * 7 % 4) AS p;
CREATE TABLE led.task (id int PRIMARY KEY, tenant int NOT NULL, project int NOT NULL, usr int NOT NULL, FOREIGN KEY (tenant, project) REFERENCES led.project, FOREIGN KEY (tenant, usr) REFERENCES led.usr);
INSERT INTO led.task SELECT row_number() OVER (), u.tenant, 1 + (u.id + k) % (2 + u.tenant * 7 % 4), u.id FROM led.usr AS u, generate_series(1, 2) AS k;
SELECT count(synth_fit('led.task', seed => 1)) \g /dev/null
CREATE TABLE led.task2 (LIKE led.task INCLUDING ALL, FOREIGN KEY (tenant, project) REFERENCES led.project, FOREIGN KEY (tenant, usr) REFERENCES led.usr);
CALL synth_into('led.task2', 2000, model => 'led.task', seed => 2);
SELECT cmp_ok(corr(a, b), '>', 0.9::float8, 'tenants have as many rows as their users')
FROM (SELECT tenant, count(*) AS a FROM led.task GROUP BY 1) AS x JOIN (SELECT tenant, count(*) AS b FROM led.task2 GROUP BY 1) AS y USING (tenant);
RESET client_min_messages;
DROP SCHEMA led CASCADE;
SET client_min_messages = warning;

-- a key that may not be read
CREATE ROLE gensynth_children_reader;
SELECT synth_grant('orders', 'gensynth_children_reader') \g /dev/null
GRANT INSERT, SELECT ON orders2 TO gensynth_children_reader;
SET ROLE gensynth_children_reader;
SELECT throws_ok($$CALL synth_into('orders2', model => 'orders', seed => 3)$$, '42501', NULL, 'keys are read as the caller');
RESET ROLE;
DROP OWNED BY gensynth_children_reader;
DROP ROLE gensynth_children_reader;
SELECT * FROM finish();
