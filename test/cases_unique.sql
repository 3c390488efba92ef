-- Rows that collide, keys in order, rules that no row meets, tables that changed, look-up tables.
BEGIN;
SELECT plan(53);
SET LOCAL client_min_messages = error;
SET LOCAL timezone = 'UTC';
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT setseed(0.5) \g /dev/null

CREATE FUNCTION pg_temp.fit(name text, options jsonb DEFAULT '{}') RETURNS text[] LANGUAGE sql AS
	$$ SELECT notes FROM synth_fit(name, seed => 1, options => options) $$;
-- A table like another, filled with as many rows.
CREATE FUNCTION pg_temp.clone(name text, n float8, batch int DEFAULT 10000) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', name || '2', name);
	EXECUTE format('CALL synth_into(%L, %s, model => %L, seed => 2, batch_size => %s)', name || '2', n, name, batch);
END $$;

--
-- Partial unique indexes: what the index is not about keeps its share
--
CREATE TABLE usr (id int PRIMARY KEY, active bool NOT NULL, handle text);
CREATE UNIQUE INDEX ON usr (handle) WHERE active;
INSERT INTO usr SELECT i, i % 4 <> 0, 'h' || CASE WHEN i % 4 = 0 THEN i % 50 ELSE i END FROM generate_series(1, 2000) AS i;
SELECT pg_temp.fit('usr') \g /dev/null
SELECT lives_ok($$SELECT pg_temp.clone('usr', 2000)$$, 'handles that are unique among active users');
SELECT cmp_ok((SELECT abs(avg(active::int) - 0.75) FROM usr2), '<', 0.02, 'as many users are active');
SELECT is((SELECT count(*) FROM usr2 WHERE handle !~ '^h\d+$'), 0::bigint, 'handles keep their format');
SELECT cmp_ok((SELECT count(*) FROM usr2 JOIN (SELECT DISTINCT handle FROM usr WHERE NOT active) AS s USING (handle) WHERE NOT active), '>', 480::bigint,
	'inactive ones have theirs');
SELECT lives_ok($$CALL synth_into('usr2', 500, model => 'usr', seed => 3, batch_size => 200)$$, 'a table that has rows takes more, in batches');
SELECT cmp_ok((SELECT abs(avg(active::int) - 0.75) FROM usr2), '<', 0.02, 'with the same shares');

CREATE TABLE account (id int PRIMARY KEY, email text NOT NULL, deleted timestamp, plan text);
CREATE UNIQUE INDEX ON account (lower(email)) WHERE deleted IS NULL;
INSERT INTO account SELECT i, 'user' || CASE WHEN i % 3 = 0 THEN i % 30 ELSE i END || '@example.com',
	CASE WHEN i % 3 = 0 THEN timestamp '2024-01-01' + i * interval '1 hour' END, CASE WHEN i % 5 = 0 THEN 'pro' ELSE 'free' END FROM generate_series(1, 1500) AS i;
SELECT pg_temp.fit('account') \g /dev/null
SELECT lives_ok($$SELECT pg_temp.clone('account', 1500)$$, 'an expression that is unique among those that were not deleted');
SELECT cmp_ok((SELECT abs(avg((deleted IS NULL)::int) - 2.0 / 3) FROM account2), '<', 0.03, 'as many were deleted');
SELECT cmp_ok((SELECT abs(avg((plan = 'pro')::int) - 0.2) FROM account2), '<', 0.04, 'plans keep their shares');

CREATE TABLE coded (id int PRIMARY KEY, code int, active bool NOT NULL);
CREATE UNIQUE INDEX ON coded (code) WHERE active;
INSERT INTO coded SELECT i, CASE WHEN i % 4 <> 0 THEN i END, i % 4 <> 0 FROM generate_series(1, 2000) AS i;
SELECT pg_temp.fit('coded') \g /dev/null
SELECT lives_ok($$SELECT pg_temp.clone('coded', 2000)$$, 'numbers, all of which were taken');
SELECT is((SELECT (abs(avg(active::int) - 0.75) < 0.02, count(*) FILTER (WHERE active <> (code IS NOT NULL)))::text FROM coded2), '(t,0)',
	'with shares and NULLs where they belong');

CREATE TABLE booking (room int NOT NULL, day date NOT NULL, status text NOT NULL, price int);
CREATE UNIQUE INDEX ON booking (room, day) WHERE status = 'booked';
INSERT INTO booking SELECT r, date '2024-01-01' + d, CASE WHEN k = 0 THEN 'booked' ELSE 'cancelled' END, r * 10
FROM generate_series(1, 10) AS r, generate_series(1, 60) AS d, generate_series(0, 1) AS k WHERE k = 0 OR (r + d) % 3 = 0;
SELECT pg_temp.fit('booking') \g /dev/null
SELECT lives_ok($$SELECT pg_temp.clone('booking', 800)$$, 'one booking for each room and day, and all of them');
SELECT cmp_ok((SELECT abs(avg((status = 'booked')::int) - 0.75) FROM booking2), '<', 0.02, 'as many were cancelled');
SELECT is((SELECT count(*) FROM booking2 WHERE price <> room * 10), 0::bigint, 'a room keeps its price');

--
-- Combinations of several indexes
--
CREATE TABLE customer (tenant_id int NOT NULL, id int NOT NULL, name text NOT NULL, UNIQUE (tenant_id, id), UNIQUE (tenant_id, name));
INSERT INTO customer SELECT t, k, 'cust ' || k FROM generate_series(1, 10) AS t, generate_series(1, 60) AS k;
SELECT pg_temp.fit('customer') \g /dev/null
SELECT lives_ok($$SELECT pg_temp.clone('customer', 600)$$, 'two unique pairs that share a column, all combinations');
SELECT is((SELECT count(*) FROM customer2), 600::bigint, 'as many as there are');
CREATE TABLE lesson (slot int NOT NULL, room int NOT NULL, teacher text NOT NULL, subject text, UNIQUE (slot, room), UNIQUE (slot, teacher));
INSERT INTO lesson SELECT s, r, 't' || (r + s) % 10, CASE WHEN r % 5 = 0 THEN 'math' ELSE 'art' END FROM generate_series(1, 80) AS s, generate_series(0, 9) AS r;
SELECT pg_temp.fit('lesson') \g /dev/null
SELECT lives_ok($$SELECT pg_temp.clone('lesson', 800, 300)$$, 'a full timetable, in batches');
SELECT is((SELECT (abs(avg((subject = 'math')::int) - 0.2) < 0.04, count(*) FILTER (WHERE (subject = 'math') <> (room % 5 = 0)))::text FROM lesson2),
	'(t,0)', 'with what goes with a room');
CREATE TABLE daily (store int NOT NULL, day date NOT NULL, active bool NOT NULL, PRIMARY KEY (store, day));
INSERT INTO daily SELECT s, date '2024-01-01' + d, (s * 7 + d) % 4 <> 0 FROM generate_series(1, 20) AS s, generate_series(1, 60) AS d;
SELECT pg_temp.fit('daily') \g /dev/null
SELECT lives_ok($$SELECT pg_temp.clone('daily', 1200)$$, 'all combinations of a grid');
SELECT cmp_ok((SELECT abs(avg(active::int) - 0.75) FROM daily2), '<', 0.03, 'other columns keep their shares');
SELECT throws_ok($$CALL synth_into('daily2', 1, model => 'daily', seed => 3)$$, '23505', 'could not make rows that public.daily2 takes', 'then there are no more');

--
-- Keys that carry order
--
CREATE FUNCTION pg_temp.order_of(rows text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	found text;
BEGIN
	EXECUTE format('SELECT format(''%%s %%s %%s'', corr(id, extract(epoch FROM at))::numeric(4, 3), avg((at >= before)::int)::numeric(4, 3), count(DISTINCT id))
		FROM (SELECT id, at, lag(at) OVER (ORDER BY id) AS before FROM %s) AS q', rows) INTO found;
	RETURN found;
END $$;
CREATE TABLE log (id bigint PRIMARY KEY, at timestamptz NOT NULL);
INSERT INTO log SELECT i, timestamptz '2024-01-01' + i * interval '97 s' + random() * interval '60 s' FROM generate_series(1, 3000) AS i;
SELECT pg_temp.fit('log') \g /dev/null
SELECT is(pg_temp.order_of('synth_sample(NULL::log, 3000, seed => 2)'), '1.000 1.000 3000', 'ids rise with time');
SELECT is(pg_temp.order_of('synth_sample(NULL::log, 100, seed => 2)'), '1.000 1.000 100', 'some rows are spread over all of it');
SELECT cmp_ok((SELECT max(at) - min(at) FROM synth_sample(NULL::log, 100, seed => 2)), '>', interval '2 days', 'in time, too');
SELECT is((SELECT count(DISTINCT id) FROM synth_sample(NULL::log, 10000, seed => 2)), 10000::bigint, 'ids are unique beyond the number of rows of the source');
SELECT is((SELECT count(*) FROM (SELECT * FROM synth_sample(NULL::log, 500, seed => 2, start => 1700) EXCEPT SELECT * FROM synth_sample(NULL::log, 3000, seed => 2)) AS d),
	0::bigint, 'a row is the same, whatever the first one is');
SELECT is((SELECT count(*) FROM (SELECT id FROM synth_sample(NULL::log, 3000, seed => 2) EXCEPT SELECT generate_series(1, 3000)) AS d), 0::bigint,
	'and ids are those that a sequence gives');
SELECT lives_ok($$SELECT pg_temp.clone('log', 5000, 1000)$$, 'more rows than the source has');
SELECT is(pg_temp.order_of('log2'), '1.000 1.000 5000', 'are all in order');
SELECT is((SELECT count(*) FROM synth_sample(NULL::log, 500, seed => 2, given => '{"at": {"gte": "2024-01-02", "lte": "2024-01-03"}}')
	WHERE at NOT BETWEEN '2024-01-02' AND '2024-01-03'), 0::bigint, 'what is given holds');
CREATE TABLE numbered (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL, v int);
INSERT INTO numbered (at, v) SELECT at, id % 7 FROM log ORDER BY at;
SELECT pg_temp.fit('numbered') \g /dev/null
SELECT lives_ok($$SELECT pg_temp.clone('numbered', 2000)$$, 'ids that the target numbers');
SELECT is(pg_temp.order_of('numbered2'), '1.000 1.000 2000', 'rise with time, in a batch');
CREATE TABLE event (id int PRIMARY KEY, at timestamp NOT NULL, kind text, v float8, left_over int, number int UNIQUE);
INSERT INTO event SELECT i * 7 + floor(random() * 7)::int, timestamp '2024-01-01' + i * interval '1 hour' + random() * interval '30 min',
	CASE WHEN random() * 3000 < i THEN 'new' ELSE 'old' END, i / 100.0 + random() * 5, 5000 - i, 100000 - i FROM generate_series(1, 3000) AS i;
SELECT pg_temp.fit('event') \g /dev/null
CREATE TEMP TABLE events AS SELECT * FROM synth_sample(NULL::event, 3000, seed => 2);
SELECT is(pg_temp.order_of('events'), '1.000 1.000 3000', 'ids with gaps rise with time');
SELECT is((SELECT (corr(id, v) > 0.97, corr(id, left_over) < -0.98, corr(id, number) < -0.98, count(DISTINCT number))::text FROM events), '(t,t,t,3000)',
	'and with other columns, or against them');
SELECT cmp_ok((SELECT corr(id, (kind = 'new')::int) FROM events), '>', 0.45::float8, 'and with what goes with time');
CREATE TABLE late (id int PRIMARY KEY, at timestamp);
INSERT INTO late SELECT i, CASE WHEN i % 10 > 0 THEN timestamp '2024-01-01' + i * interval '1 hour' + random() * interval '2000 hours' END FROM generate_series(1, 3000) AS i;
SELECT pg_temp.fit('late') \g /dev/null
SELECT cmp_ok((SELECT abs(corr(s.id, extract(epoch FROM s.at)) - (SELECT corr(id, extract(epoch FROM at)) FROM late)) FROM synth_sample(NULL::late, 3000, seed => 2) AS s),
	'<', 0.05::float8, 'a looser order is as loose');
CREATE TABLE twice (id int PRIMARY KEY, at timestamp UNIQUE);
INSERT INTO twice SELECT i, timestamp '2024-01-01' + i * interval '1 hour' + random() * interval '30 min' FROM generate_series(1, 3000) AS i;
SELECT pg_temp.fit('twice') \g /dev/null
SELECT is(pg_temp.order_of('synth_sample(NULL::twice, 3000, seed => 2)'), '1.000 1.000 3000', 'two keys rise with each other');
SELECT is((SELECT count(DISTINCT at) FROM synth_sample(NULL::twice, 20000, seed => 2)), 20000::bigint, 'and both are unique');
CREATE TABLE plain (id int PRIMARY KEY, a int);
INSERT INTO plain SELECT i, floor(random() * 1000) FROM generate_series(1, 1000) AS i;
SELECT pg_temp.fit('plain') \g /dev/null
SELECT is((SELECT array_agg(id ORDER BY i) FROM (SELECT id, row_number() OVER () AS i FROM synth_sample(NULL::plain, 5, seed => 3)) AS s), '{1,2,3,4,5}',
	'a key that nothing depends on counts rows');

--
-- Rules that no row meets
--
CREATE TABLE t AS SELECT i % 101 AS v FROM generate_series(1, 2000) AS i;
SELECT is(pg_temp.fit('t', '{"constraints": ["v > 500"]}'), '{"condition \"v > 500\" holds in 0 of 4096 rows of the model"}', 'the fit says so');
SELECT throws_ok('SELECT count(*) FROM synth_sample(NULL::t, 10, seed => 2)', '23514', 'could not make rows that meet condition "v > 500"', 'they are not counted');
SELECT is((SELECT (kind, rows, violations, acceptance)::text FROM synth_check('t', 3000)), '(user,0,0,0)', 'and checked');
SELECT is(pg_temp.fit('t', '{"constraints": ["v > 60", "v < 40"]}'), '{"all conditions together hold in 0 of 4096 rows of the model"}', 'conditions that contradict each other');
SELECT matches(pg_temp.fit('t', '{"constraints": ["v > 50"]}')::text, '^\{"conditions refuse 5\d % of the rows that are made, which changes the distributions of [^"]*"v', 'of a condition that half of the rows meet, the fit tells what it moves');

--
-- Columns that cannot be learned
--
CREATE TABLE doc (id int PRIMARY KEY, title text, search tsvector GENERATED ALWAYS AS (to_tsvector('english', title)) STORED, shape box, area polygon);
INSERT INTO doc (id, title) SELECT i, 'word' || i % 9 || ' lamp' FROM generate_series(1, 100) AS i;
SELECT is((SELECT notes FROM synth_fit('doc', seed => 1, exclude => '{shape,area}')),
	'{"column \"search\" of type tsvector cannot be learned: it is generated, and left to the table that takes the rows"}', 'are left out if they are generated');
SELECT throws_ok('SELECT synth_fit(''doc'')', '0A000', 'columns "search" (tsvector), "shape" (box), "area" (polygon) cannot be learned', 'or all named');
SELECT is((SELECT columns FROM synth_fit('doc', seed => 1, exclude => '{search,shape,area}')), 2, 'to be left out');

--
-- A table that has changed
--
CREATE TABLE changing (id int PRIMARY KEY, amount int NOT NULL, word text);
INSERT INTO changing SELECT i, i % 100, 'word' || i % 5 FROM generate_series(1, 1000) AS i;
SELECT pg_temp.fit('changing') \g /dev/null
CREATE TEMP TABLE before AS SELECT * FROM synth_sample(NULL::changing, 200, seed => 42);
SELECT pg_temp.fit('changing') \g /dev/null
SELECT is((SELECT count(*) FROM (SELECT * FROM before INTERSECT SELECT * FROM synth_sample(NULL::changing, 200, seed => 42)) AS s), 200::bigint,
	'a fit of the same rows makes the same again');
ALTER TABLE changing ALTER word TYPE varchar(2) USING left(word, 2);
SELECT throws_ok('SELECT count(word) FROM synth_sample(NULL::changing, 10)', '22001', NULL, 'values that do not fit any more are an error');

--
-- Look-up tables
--
CREATE TABLE status (id smallint PRIMARY KEY, name text UNIQUE NOT NULL, final bool, since date);
INSERT INTO status VALUES (1, 'open', false, '2024-01-31'), (2, 'paid', true, NULL), (3, 'void', NULL, 'infinity');
SELECT throws_ok('SELECT synth_fit(''status'')', '02000', 'public.status has 3 rows, too few to learn from', 'three rows are too few');
SELECT is(pg_temp.fit('status', '{"public": true}'), '{"the source is public: nothing is protected","its rows are copied, in their order"}', 'unless they are public');
SELECT results_eq('SELECT * FROM synth_sample(NULL::status, 3, seed => 1)', 'TABLE status', 'then they are what they are');
SELECT throws_ok('SELECT synth_sample(''status'', 4)', '2200H', NULL, 'and no more');
SELECT * FROM finish();
ROLLBACK;
