-- Shapes of schemas: each is learned and made anew, and all that it says about its rows is counted.
BEGIN;
SELECT plan(19);
SET LOCAL client_min_messages = error;

CREATE FUNCTION remade(name text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE invalid bigint;
BEGIN
	EXECUTE format('ANALYZE');
	PERFORM synth_fit_schema(ARRAY[name], seed => 1);
	EXECUTE format('CREATE SCHEMA %I', name || '2');
	CALL synth_schema_into(name || '2', name, seed => 1);
	SELECT count(*) INTO invalid FROM pg_constraint WHERE connamespace = (name || '2')::regnamespace AND NOT convalidated;
	RETURN invalid + (SELECT abs(count(*) - (SELECT count(*) FROM pg_constraint WHERE connamespace = name::regnamespace)) FROM pg_constraint WHERE connamespace = (name || '2')::regnamespace);
END $$;

-- a chain of four
CREATE SCHEMA chain;
CREATE TABLE chain.a (id int PRIMARY KEY, day date NOT NULL);
CREATE TABLE chain.b (id int PRIMARY KEY, a int NOT NULL REFERENCES chain.a, day date NOT NULL);
CREATE TABLE chain.c (id int PRIMARY KEY, b int NOT NULL REFERENCES chain.b, day date NOT NULL);
CREATE TABLE chain.d (id int PRIMARY KEY, c int NOT NULL REFERENCES chain.c, day date NOT NULL);
INSERT INTO chain.a SELECT i, date '2020-01-01' + i * 37 % 500 FROM generate_series(1, 120) AS i;
INSERT INTO chain.b SELECT a.id * 2 + k, a.id, day + 5 + a.id % 9 FROM chain.a, generate_series(0, 1) AS k;
INSERT INTO chain.c SELECT id, id, day + 1 + id % 5 FROM chain.b;
INSERT INTO chain.d SELECT c.id * 3 + k, c.id, day + k FROM chain.c, generate_series(0, 2) AS k WHERE k <= c.id % 3;
SELECT is(remade('chain'), 0::bigint, 'chain: all constraints');
SELECT is((SELECT count(*) FROM chain2.b JOIN chain2.a ON a.id = b.a WHERE b.day < a.day) + (SELECT count(*) FROM chain2.c JOIN chain2.b ON b.id = c.b WHERE c.day < b.day) +
	(SELECT count(*) FROM chain2.d JOIN chain2.c ON c.id = d.c WHERE d.day < c.day), 0::bigint, 'each after the one above');

-- a star and a junction, of tables that had more columns
CREATE SCHEMA star;
CREATE TABLE star.student (gone int, id int PRIMARY KEY, year int NOT NULL);
CREATE TABLE star.course (gone int, id int PRIMARY KEY, credits int NOT NULL);
CREATE TABLE star.enrolled (gone int, student int REFERENCES star.student, course int REFERENCES star.course, credits int NOT NULL, PRIMARY KEY (student, course));
INSERT INTO star.student SELECT NULL, i, 1 + i % 4 FROM generate_series(1, 150) AS i;
INSERT INTO star.course SELECT NULL, i, 1 + i % 7 FROM generate_series(1, 90) AS i;
INSERT INTO star.enrolled SELECT NULL, s.id, c.id, c.credits FROM star.student AS s, generate_series(1, 4) AS k JOIN star.course AS c ON true WHERE c.id = 1 + (s.id * 7 + k * 13) % 90;
ALTER TABLE star.student DROP COLUMN gone;
ALTER TABLE star.course DROP COLUMN gone;
ALTER TABLE star.enrolled DROP COLUMN gone;
SELECT is(remade('star'), 0::bigint, 'junction: all constraints');
SELECT is((SELECT count(*) FROM star2.enrolled AS e JOIN star2.course AS c ON c.id = e.course WHERE e.credits <> c.credits), 0::bigint, 'what a row copies of another that it refers to');
SELECT cmp_ok((SELECT count(*) FROM star2.enrolled), '>=', 570::bigint, 'as many pairs');

-- a diamond: a line's order and its product belong to one shop; the tenant is in all keys
CREATE SCHEMA tenant;
CREATE TABLE tenant.shop (id int PRIMARY KEY, town text NOT NULL);
CREATE TABLE tenant.orders (shop int REFERENCES tenant.shop, no int, PRIMARY KEY (shop, no));
CREATE TABLE tenant.product (shop int REFERENCES tenant.shop, code int, price int NOT NULL, PRIMARY KEY (shop, code));
CREATE TABLE tenant.line (shop int, no int, place int, code int NOT NULL, PRIMARY KEY (shop, no, place), FOREIGN KEY (shop, no) REFERENCES tenant.orders ON DELETE CASCADE, FOREIGN KEY (shop, code) REFERENCES tenant.product);
INSERT INTO tenant.shop SELECT i, 'town ' || i % 5 FROM generate_series(1, 40) AS i;
INSERT INTO tenant.orders SELECT s, k FROM generate_series(1, 40) AS s, generate_series(1, 5) AS k;
INSERT INTO tenant.product SELECT s, k, s + k FROM generate_series(1, 40) AS s, generate_series(1, 6) AS k;
INSERT INTO tenant.line SELECT shop, no, k, 1 + (shop + no + k) % 6 FROM tenant.orders, generate_series(1, 3) AS k WHERE k <= 1 + no % 3;
SELECT is(remade('tenant'), 0::bigint, 'tenants: all constraints, so a line is of one shop');
SELECT cmp_ok((SELECT count(*) FROM tenant2.line), '>=', (SELECT count(*) * 9 / 10 FROM tenant.line), 'as many lines');

-- 1:1, 1:0..1, a self-reference, a cycle
CREATE SCHEMA one;
CREATE TABLE one.person (id int PRIMARY KEY, boss int REFERENCES one.person, grade int NOT NULL, team int);
CREATE TABLE one.passport (person int PRIMARY KEY REFERENCES one.person, grade int NOT NULL);
CREATE TABLE one.car (id int PRIMARY KEY, person int UNIQUE NOT NULL REFERENCES one.person, seats int NOT NULL);
CREATE TABLE one.team (id int PRIMARY KEY, lead int NOT NULL REFERENCES one.person);
INSERT INTO one.person SELECT i, CASE WHEN i > 10 THEN i / 4 END, 1 + i % 3, 1 + i % 12 FROM generate_series(1, 200) AS i;
INSERT INTO one.passport SELECT id, grade FROM one.person;
INSERT INTO one.car SELECT id, id, 2 + grade FROM one.person WHERE id % 2 = 0;
INSERT INTO one.team SELECT i, i * 10 FROM generate_series(1, 12) AS i;
ALTER TABLE one.person ADD FOREIGN KEY (team) REFERENCES one.team;
SELECT synth_fit_schema('{one}', seed => 1) \g /dev/null
CREATE SCHEMA one2;
CALL synth_schema_into('one2', 'one', seed => 1);
SELECT is((SELECT count(*) FROM pg_constraint WHERE connamespace = 'one2'::regnamespace AND contype = 'f' AND convalidated), 5::bigint, '1:1, 1:0..1, self, cycle: all foreign keys');
SELECT cmp_ok((SELECT count(team) FROM one2.person), '>', 150::bigint, 'the cycle is closed');
SELECT is((SELECT count(*) FROM one2.passport), 200::bigint, 'each has one');
SELECT cmp_ok((SELECT count(*) FROM one2.car), '<=', 130::bigint, 'some have one');
SELECT is((WITH RECURSIVE t AS (SELECT id FROM one2.person WHERE boss IS NULL UNION SELECT p.id FROM one2.person AS p JOIN t ON p.boss = t.id) SELECT count(*) FROM t), 200::bigint, 'nobody is above himself');
SELECT is((SELECT count(*) FROM one2.passport AS s JOIN one2.person AS p ON p.id = person WHERE s.grade <> p.grade), 0::bigint, 'what is copied is copied');

-- an exclusive arc, and a partitioned table
CREATE SCHEMA arc;
CREATE TABLE arc.firm (id int PRIMARY KEY, size int NOT NULL);
CREATE TABLE arc.human (id int PRIMARY KEY, age int NOT NULL);
CREATE TABLE arc.contract (id int, day date, firm int REFERENCES arc.firm, human int REFERENCES arc.human, CHECK ((firm IS NULL) <> (human IS NULL)), PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE arc.early PARTITION OF arc.contract FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE arc.late PARTITION OF arc.contract FOR VALUES FROM ('2021-01-01') TO ('2030-01-01');
INSERT INTO arc.firm SELECT i, i % 9 FROM generate_series(1, 60) AS i;
INSERT INTO arc.human SELECT i, 20 + i % 50 FROM generate_series(1, 90) AS i;
INSERT INTO arc.contract SELECT i, date '2020-01-01' + i * 7 % 700, CASE WHEN i % 3 = 0 THEN 1 + i % 60 END, CASE WHEN i % 3 <> 0 THEN 1 + i % 90 END FROM generate_series(1, 400) AS i;
SELECT synth_fit_schema('{arc}', seed => 1) \g /dev/null
CREATE SCHEMA arc2;
CALL synth_schema_into('arc2', 'arc', seed => 1);
SELECT is((SELECT count(*) FROM arc2.contract), 400::bigint, 'arc: as many contracts');
SELECT is((SELECT count(*) FROM arc2.contract WHERE (firm IS NULL) = (human IS NULL)), 0::bigint, 'each with one party');
SELECT is((SELECT count(*) FROM arc2.contract WHERE firm NOT IN (SELECT id FROM arc2.firm) OR human NOT IN (SELECT id FROM arc2.human)), 0::bigint, 'which is there');

-- a child table of which each parent has a thousand rows, and the same rows whatever batches
CREATE SCHEMA wide;
CREATE TABLE wide.machine (id int PRIMARY KEY, kind int NOT NULL);
CREATE TABLE wide.tick (machine int REFERENCES wide.machine, no int, value int NOT NULL, PRIMARY KEY (machine, no));
INSERT INTO wide.machine SELECT i, i % 2 FROM generate_series(1, 12) AS i;
INSERT INTO wide.tick SELECT id, k, kind * 100 + k % 10 FROM wide.machine, generate_series(1, 1000) AS k;
SELECT synth_fit_schema('{wide}', options => '{"remake": ["machine"]}', seed => 1) \g /dev/null
CREATE SCHEMA wide2;
CALL synth_schema_into('wide2', 'wide', seed => 1);
SELECT is((SELECT string_agg(DISTINCT n::text, ' ') FROM (SELECT count(*) AS n FROM wide2.tick GROUP BY machine) AS t), '1000', 'a thousand rows of each');
SELECT is((SELECT count(*) FROM wide2.tick JOIN wide2.machine ON id = machine WHERE value / 100 <> kind), 0::bigint, 'that know whose they are');
CREATE TABLE wide2.again (machine int REFERENCES wide2.machine, no int, value int NOT NULL, PRIMARY KEY (machine, no));
CALL synth_into('wide2.again', model => 'wide/tick', seed => 1, batch_size => 777);
SELECT is((SELECT count(*) FROM wide2.tick NATURAL JOIN wide2.again), 12000::bigint, 'whatever the batches');
SELECT * FROM finish();
ROLLBACK;
