-- Rows of a child that know others which they refer to, besides their owner.
BEGIN;
SELECT plan(20);
SET LOCAL client_min_messages = error;
CREATE SCHEMA shop;
SET LOCAL search_path = shop, public;
CREATE TABLE customer (id int PRIMARY KEY, tier int NOT NULL, area text NOT NULL);
CREATE TABLE product (sku text PRIMARY KEY, price numeric(8,2) NOT NULL, kind text, weight int);
CREATE TABLE orders (id int PRIMARY KEY, customer_id int NOT NULL REFERENCES customer ON DELETE CASCADE, at date NOT NULL);
CREATE TABLE line (order_id int REFERENCES orders ON DELETE CASCADE, line_no int, sku text NOT NULL REFERENCES product, price numeric(8,2) NOT NULL, n int NOT NULL, total numeric(10,2) NOT NULL, PRIMARY KEY (order_id, line_no), UNIQUE (order_id, sku));
CREATE TABLE student (id int PRIMARY KEY, year int NOT NULL);
CREATE TABLE course (id int PRIMARY KEY, level int NOT NULL);
CREATE TABLE takes (student int REFERENCES student ON DELETE CASCADE, course int REFERENCES course, mark int NOT NULL, PRIMARY KEY (student, course));
INSERT INTO customer SELECT i, 1 + i % 3, 100 + i % 2 FROM generate_series(1, 300) AS i;
INSERT INTO product SELECT 'P' || i * 7919 % 100003, round((1 + (i * 104729 % 997) / 10.0)::numeric, 2), CASE WHEN i % 4 > 0 THEN 'kind ' || i % 4 END, i * 31 % 50 FROM generate_series(1, 400) AS i;
INSERT INTO orders SELECT i, 1 + i % 300, date '2024-01-01' + i % 365 FROM generate_series(1, 1200) AS i;
-- the first products are bought more often
INSERT INTO line SELECT o, row_number() OVER (PARTITION BY o ORDER BY k), sku, price, n, price * n
	FROM (SELECT DISTINCT ON (o, p) o, k, p, 1 + (o * 13 + k * 7) % 4 AS n FROM (SELECT o, k, 1 + (power((o * 7919 + k * 104729) % 10007 / 10007.0, 2) * 400)::int % 400 AS p FROM generate_series(1, 1200) AS o, generate_series(1, 5) AS k WHERE k <= 1 + o % 5) AS a) AS b
	JOIN (SELECT row_number() OVER (ORDER BY sku) AS p, * FROM product) AS c USING (p);
INSERT INTO student SELECT i, 1 + i % 4 FROM generate_series(1, 400) AS i;
INSERT INTO course SELECT i, 1 + i % 3 FROM generate_series(1, 60) AS i;
-- marks follow the course, and some take nearly all of them
INSERT INTO takes SELECT s.id, c.id, 10 * c.level + (s.id + c.id) % 3 FROM student AS s, course AS c WHERE (s.id * 7919 + c.id * 104729) % 101 < CASE WHEN s.id % 40 = 0 THEN 95 ELSE 5 + c.id / 4 END;
ANALYZE;
SELECT synth_fit_schema('{shop}', options => '{"remake": ["product", "course", "customer"], "keep": []}', seed => 1) \g /dev/null
CREATE SCHEMA dev;
CALL synth_schema_into('dev', 'shop', seed => 1);
SELECT is(avg((l.price = p.price)::int), 1.0, 'a price that the line has from its product') FROM dev.line AS l JOIN dev.product AS p USING (sku);
SELECT is(avg((total = price * n)::int), 1.0, 'and what is calculated from it') FROM dev.line;
SELECT cmp_ok(abs(count(*) - (SELECT count(*) FROM line)) * 1.0 / count(*), '<', 0.03, 'as many lines') FROM dev.line;
SELECT cmp_ok(max(abs(a.share - b.share)), '<', 0.05, 'products are bought as often as they were')
	FROM (SELECT n, avg((n >= m)::int) AS share FROM generate_series(1, 30) AS n, (SELECT count(l.sku) AS m FROM product LEFT JOIN line AS l USING (sku) GROUP BY sku) AS c GROUP BY n) AS a
	JOIN (SELECT n, avg((n >= m)::int) AS share FROM generate_series(1, 30) AS n, (SELECT count(l.sku) AS m FROM dev.product LEFT JOIN dev.line AS l USING (sku) GROUP BY sku) AS c GROUP BY n) AS b USING (n);
SELECT cmp_ok(abs(count(*) - (SELECT count(*) FROM takes)) * 1.0 / count(*), '<', 0.03, 'as many pairs of a junction, each once') FROM dev.takes;
SELECT cmp_ok(avg((mark BETWEEN 10 * level AND 10 * level + 2)::int), '>', 0.99, 'what follows from the other one') FROM dev.takes JOIN dev.course ON course = id;
SELECT cmp_ok(max(n), '>', 40::bigint, 'some take nearly all') FROM (SELECT count(*) AS n FROM dev.takes GROUP BY student) AS c;

-- what they are like: a client lives where his account is, tracks follow others of their kind
CREATE SCHEMA bank;
CREATE TABLE bank.account (id int PRIMARY KEY, place text NOT NULL);
CREATE TABLE bank.client (id int PRIMARY KEY, place text NOT NULL);
CREATE TABLE bank.disposition (account int REFERENCES bank.account ON DELETE CASCADE, client int UNIQUE REFERENCES bank.client, PRIMARY KEY (account, client));
CREATE TABLE bank.track (id int PRIMARY KEY, kind text NOT NULL);
CREATE TABLE bank.play (id int PRIMARY KEY, client int NOT NULL REFERENCES bank.client ON DELETE CASCADE, track int NOT NULL REFERENCES bank.track);
INSERT INTO bank.account SELECT i, 'place ' || i % 20 FROM generate_series(1, 2000) AS i;
INSERT INTO bank.client SELECT i, 'place ' || CASE WHEN i % 10 = 0 THEN i * 7919 % 20 ELSE i % 20 END FROM generate_series(1, 2000) AS i;
INSERT INTO bank.disposition SELECT i, i FROM generate_series(1, 2000) AS i;
INSERT INTO bank.track SELECT i, 'kind ' || i % 8 FROM generate_series(1, 400) AS i;
INSERT INTO bank.play SELECT row_number() OVER (ORDER BY i, k), i, 1 + (i * 5 + k / 3 + 8 * (i * 31 + k * 7)) % 400 FROM generate_series(1, 2000) AS i, generate_series(1, 6) AS k;
SELECT synth_fit_schema('{bank}', options => '{"remake": ["track"], "order_by": {"play": "id"}}', seed => 1) \g /dev/null
CREATE SCHEMA bank2;
CALL synth_schema_into('bank2', 'bank', seed => 1);
SELECT cmp_ok(avg((a.place = c.place)::int), '>', 0.8, 'a client lives where his account is') FROM bank2.disposition AS d JOIN bank2.account AS a ON a.id = account JOIN bank2.client AS c ON c.id = client;
SELECT cmp_ok(abs(avg((kind = k)::int) - (SELECT avg((kind = k)::int) FROM (SELECT kind, lag(kind) OVER (PARTITION BY client ORDER BY play.id) AS k FROM bank.play JOIN bank.track ON track.id = track) AS p)), '<', 0.1, 'one track is like the one before')
	FROM (SELECT kind, lag(kind) OVER (PARTITION BY client ORDER BY play.id) AS k FROM bank2.play JOIN bank2.track ON track.id = track) AS p;
SELECT cmp_ok(max(abs(n - 30)), '<=', (SELECT max(abs(n - 30)) + 4 FROM (SELECT count(*) AS n FROM bank.play GROUP BY track) AS p), 'and each is played as often') FROM (SELECT count(*) AS n FROM bank2.play GROUP BY track) AS p;

-- a function of the seed
CREATE SCHEMA again;
CALL synth_schema_into('again', 'shop', seed => 1);
SELECT set_eq('SELECT * FROM again.line', 'SELECT * FROM dev.line', 'a seed says which rows');
-- in batches of another size
CREATE TABLE again.line2 (LIKE again.line, PRIMARY KEY (order_id, line_no), FOREIGN KEY (order_id) REFERENCES again.orders, FOREIGN KEY (sku) REFERENCES again.product, UNIQUE (order_id, sku));
CALL synth_into('again.line2', model => 'shop/line', seed => 1, batch_size => 77);
SELECT set_eq('SELECT * FROM again.line2', 'SELECT * FROM dev.line', 'whatever the batches');
DELETE FROM again.line2;
SELECT is((SELECT references_ -> 0 -> 'known' FROM (SELECT owners -> 'references' AS references_ FROM gensynth.versions WHERE model = 'shop/line') AS v), '["price", "kind", "weight"]', 'what is known of a product');

-- what is not as it was
ALTER TABLE again.product RENAME COLUMN kind TO sort;
SELECT throws_ok($$CALL synth_into('again.line2', model => 'shop/line', seed => 2)$$, '42703', NULL, 'a column that rows know is gone');
ALTER TABLE again.product RENAME COLUMN sort TO kind;
ALTER TABLE again.product ALTER price TYPE float8, ALTER weight TYPE text;
SELECT lives_ok($$CALL synth_into('again.line2', model => 'shop/line', seed => 2)$$, 'one of another type is converted');
SELECT is(avg((l.price = p.price::numeric)::int), 1.0, 'and known still') FROM again.line2 AS l JOIN again.product AS p USING (sku);
ALTER TABLE again.line2 DROP CONSTRAINT line2_sku_fkey;
DELETE FROM again.line2;
SELECT throws_ok($$CALL synth_into('again.line2', model => 'shop/line', seed => 2)$$, '42830', NULL, 'no foreign key leads to them');
-- so is what is known of the owner
ALTER TABLE again.line2 ADD FOREIGN KEY (sku) REFERENCES again.product;
ALTER TABLE again.customer ALTER tier TYPE text, ALTER area TYPE int USING area::int;
SELECT lives_ok($$CALL synth_into('again.line2', model => 'shop/line', seed => 3)$$, 'an owner''s column of another type is converted');
-- rows that refer to nothing, as their owner has none of what they would refer to, know nothing of the rows made before them
CREATE SCHEMA stock;
CREATE TABLE stock.store (id int PRIMARY KEY, v int);
CREATE TABLE stock.shelf (store int REFERENCES stock.store, no int, kind text NOT NULL, PRIMARY KEY (store, no));
CREATE TABLE stock.box (id int PRIMARY KEY, store int NOT NULL REFERENCES stock.store, no int NOT NULL, at date, kind text, FOREIGN KEY (store, no) REFERENCES stock.shelf);
INSERT INTO stock.store SELECT i, i % 7 FROM generate_series(1, 300) AS i;
INSERT INTO stock.shelf SELECT s, n, 'kind ' || repeat(chr(97 + (s * 3 + n) % 6), 50) FROM generate_series(1, 300) AS s, generate_series(1, 4) AS n;
INSERT INTO stock.box SELECT i, 1 + i % 300, 1 + i / 300 % 4, date '2020-01-01' + i % 900, s.kind FROM generate_series(1, 2400) AS i JOIN stock.shelf AS s ON s.store = 1 + i % 300 AND s.no = 1 + i / 300 % 4;
SELECT synth_fit_schema('{stock}', options => '{"remake": ["stock.shelf", "stock.store"]}', seed => 1) \g /dev/null
CREATE SCHEMA stock2;
CREATE TABLE stock2.store (LIKE stock.store INCLUDING ALL);
CREATE TABLE stock2.shelf (LIKE stock.shelf INCLUDING ALL, FOREIGN KEY (store) REFERENCES stock2.store);
CREATE TABLE stock2.box (id int, store int REFERENCES stock2.store, no int, at date, kind text, FOREIGN KEY (store, no) REFERENCES stock2.shelf);
INSERT INTO stock2.store SELECT i, i % 7 FROM generate_series(1, 3000) AS i;
INSERT INTO stock2.shelf SELECT s, n, 'kind ' || repeat(chr(97 + (s * 3 + n) % 6), 50) FROM generate_series(1, 3000) AS s, generate_series(1, 4) AS n WHERE hashint4(s) % 2 = 0;
CALL synth_into('stock2.box', model => 'stock/box', seed => 1);
SELECT is((SELECT count(*) FROM stock2.box WHERE (no IS NULL) = (EXISTS (SELECT FROM stock2.shelf AS s WHERE s.store = box.store))), 0::bigint, 'owners without what rows refer to have rows that refer to nothing');
CREATE TABLE stock2.first AS SELECT store, at, kind FROM stock2.box WHERE no IS NULL;
TRUNCATE stock2.box;
UPDATE stock2.shelf SET kind = 'kind ' || repeat('a', 50);
CALL synth_into('stock2.box', model => 'stock/box', seed => 1);
SELECT is((SELECT count(*) FROM (TABLE stock2.first EXCEPT ALL SELECT store, at, kind FROM stock2.box WHERE no IS NULL) AS d), 0::bigint, 'whatever those before them referred to');
SELECT * FROM finish();
ROLLBACK;
