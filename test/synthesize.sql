-- Columns drawn from a model given the columns that stay: while reading, in place, and into copies.
BEGIN;
SELECT plan(38);
SET LOCAL client_min_messages = error;
CREATE ROLE gensynth_sy;
CREATE ROLE gensynth_sr;
GRANT USAGE, CREATE ON SCHEMA public TO PUBLIC;
SET LOCAL search_path = public;
\ir lib/as_role.sql
SELECT synth_key('default', '\x000102030405060708090a0b0c0d0e0f');
CREATE TABLE worker (id int PRIMARY KEY, age int, sex text, job text, income int CHECK (income >= 1000), mail text, note text, twice int GENERATED ALWAYS AS (income * 2) STORED, CHECK (income >= age * 50));
INSERT INTO worker SELECT i, 20 + i * 7919 % 50, CASE WHEN i * 31 % 97 < 48 THEN 'F' ELSE 'M' END, CASE WHEN i * 17 % 10 = 0 THEN 'clerk' WHEN i * 31 % 97 < 48 THEN 'nurse' ELSE 'smith' END,
	(20 + i * 7919 % 50) * 100 + CASE WHEN i * 17 % 10 = 0 THEN 2000 ELSE 0 END + i * 101 % 400, 'm' || i || '@corp.test', CASE WHEN i % 4 > 0 THEN 'n' || i % 3 END FROM generate_series(1, 4000) AS i;
ANALYZE worker;
SELECT synth_fit('worker', method => m, model => m || '_given', seed => 1, options => '{"context": ["age", "sex"]}') FROM unnest('{tree,copula}'::text[]) AS m;
CREATE FUNCTION rules(model text) RETURNS jsonb LANGUAGE sql AS $$ SELECT format('{"job": "synthesize(%1$s)", "income": "synthesize(%1$s)", "mail": "email", "sex": "keep"}', model)::jsonb $$;
CREATE TABLE made AS SELECT * FROM synth_masked(NULL::worker, rules => rules('tree_given'));
SELECT is((SELECT count(*) FROM made JOIN worker USING (id) WHERE (made.age, made.sex) = (worker.age, worker.sex) AND made.note IS NOT DISTINCT FROM worker.note), 4000::bigint, 'the others stay');
SELECT cmp_ok((SELECT count(*) FROM made JOIN worker USING (id) WHERE made.income = worker.income), '<', 700::bigint, 'what is drawn is drawn anew: eight incomes go with an age and a job');
SELECT is((SELECT count(*) FROM made WHERE (sex, job) IN (('F', 'smith'), ('M', 'nurse'))), 0::bigint, 'given the columns that stay');
SELECT cmp_ok((SELECT corr(age, income) FROM made WHERE job <> 'clerk'), '>', 0.99::float8, 'numbers too');
SELECT cmp_ok((SELECT abs(avg(income - age * 100) - 2200) FROM made WHERE job = 'clerk'), '<', 150::numeric, 'and columns that are drawn, given each other');
SELECT is((SELECT count(*) FROM made WHERE twice <> income * 2 OR income < 1000 OR income < age * 50), 0::bigint, 'generated columns and conditions');
SELECT is((SELECT count(*) FROM made JOIN worker USING (mail)), 0::bigint, 'beside other rules');
SELECT is((SELECT count(*) FROM (SELECT * FROM made EXCEPT ALL SELECT * FROM synth_masked(NULL::worker, rules => rules('tree_given')) ORDER BY job, income) AS d), 0::bigint, 'the same again');
CREATE TABLE turned AS SELECT * FROM worker ORDER BY id DESC;
ALTER TABLE worker RENAME TO before;
ALTER TABLE turned RENAME TO worker;
ALTER TABLE worker ADD PRIMARY KEY (id);
SELECT is((SELECT count(*) FROM (SELECT id, job, income FROM made EXCEPT ALL SELECT id, job, income FROM synth_masked(NULL::worker, rules => rules('tree_given'))) AS d), 0::bigint, 'whatever rows are beside it');
DROP TABLE worker;
ALTER TABLE before RENAME TO worker;
SELECT is((SELECT m.job || m.income FROM synth_masked(NULL::worker, rules => rules(f || '_given')) AS m WHERE id = 77), (SELECT m.job || m.income FROM (SELECT * FROM synth_masked(NULL::worker, rules => rules(f || '_given')) OFFSET 0) AS m WHERE id = 77), f || ': a row by itself')
	FROM unnest('{tree,copula}'::text[]) AS f;
SELECT cmp_ok((SELECT count(*) FROM synth_masked(NULL::worker, rules => rules('copula_given')) WHERE (sex, job) IN (('F', 'smith'), ('M', 'nurse'))), '<', 400::bigint, 'copula: given the columns that stay');
SELECT is((SELECT count(DISTINCT job) FROM synth_masked(NULL::worker, rules => '{"job": "synthesize(tree_given)"}') WHERE job <> ''), 3::bigint, 'one column');

-- completed rows against the whole model's: shares of jobs given the sex
CREATE TABLE whole AS SELECT (s).sex, (s).job, count(*) AS n FROM (SELECT synth_sample(NULL::worker, 4000, model => 'tree_given', seed => 5) AS s) AS s GROUP BY 1, 2;
SELECT cmp_ok((SELECT sum((m.n - e.n) ^ 2 / e.n) FROM (SELECT sex, job, count(*) AS n FROM made GROUP BY 1, 2) AS m
	JOIN (SELECT sex, job, n::numeric * (SELECT count(*) FROM made WHERE made.sex = whole.sex) / sum(n) OVER (PARTITION BY sex) AS n FROM whole) AS e USING (sex, job)), '<', 30::numeric, 'chi-square of completed rows against those of the model');

-- a model that was fitted for whole rows, without context
SELECT synth_fit('worker', method => 'tree', model => 'whole_rows', seed => 1, exclude => '{id,mail}');
CREATE TABLE made3 AS SELECT * FROM synth_masked(NULL::worker, rules => rules('whole_rows'));
SELECT is((SELECT count(*) FROM made3 WHERE twice <> income * 2 OR income < 1000 OR income < age * 50), 0::bigint, 'of whole rows: conditions');
SELECT cmp_ok((SELECT count(*) FROM made3 WHERE (sex, job) IN (('F', 'smith'), ('M', 'nurse'))), '<', 100::bigint, 'of whole rows: given the columns that stay');
SELECT cmp_ok((SELECT corr(age, income) FROM made3 WHERE job <> 'clerk'), '>', 0.85::float8, 'of whole rows: numbers too');
CREATE TABLE spans AS SELECT i AS id, date '2023-01-01' + i * 7 % 700 AS begins, date '2023-01-01' + i * 7 % 700 + i % 30 AS ends FROM generate_series(1, 1000) AS i;
SELECT synth_fit('spans', method => 'tree', model => 'of spans', seed => 1, exclude => '{id}');
SELECT throws_ok($$SELECT * FROM synth_masked(NULL::spans, rules => '{"begins": "synthesize(of spans)"}')$$, '0A000', 'the model was not learned to complete rows of which column "ends" is known', 'not a difference to what is drawn');

-- in place, and a copy
CREATE SCHEMA copies;
CALL synth_mask('worker', rules => rules('tree_given'), "into" => 'copies.worker');
SELECT is((SELECT count(*) FROM (SELECT * FROM made EXCEPT ALL SELECT * FROM copies.worker) AS d), 0::bigint, 'a copy has the same rows');
SAVEPOINT s;
CALL synth_mask('worker', rules => rules('tree_given'));
SELECT is((SELECT count(*) FROM (SELECT * FROM made EXCEPT ALL SELECT * FROM worker) AS d), 0::bigint, 'in place, too');
ROLLBACK TO s;
CREATE TABLE was AS SELECT * FROM worker;
CALL synth_mask('worker', rules => '{"job": "synthesize", "income": "synthesize", "note": "synthesize", "mail": "null", "sex": "keep"}');
SELECT is((SELECT count(*) FROM worker WHERE (sex, job) IN (('F', 'smith'), ('M', 'nurse'))), 0::bigint, 'by a model that is fitted for it');
SELECT cmp_ok((SELECT count(*) FROM worker JOIN was USING (id) WHERE worker.income = was.income), '<', 700::bigint, 'anew');
SELECT is((SELECT count(*) FROM worker JOIN was USING (id) WHERE (worker.note IS NULL) <> (was.note IS NULL)), 0::bigint, 'NULLs stay');
SELECT is((SELECT count(*) FROM synth_models WHERE source LIKE '%worker%'), 3::bigint, 'which is not kept');
CREATE TABLE nokey AS SELECT age, sex, job, income FROM was LIMIT 1500;
CREATE TABLE made2 AS SELECT * FROM synth_masked(NULL::nokey, rules => '{"job": "synthesize(tree_given)"}');
SELECT is((SELECT count(*) FROM (SELECT * FROM made2 EXCEPT ALL SELECT * FROM synth_masked(NULL::nokey, rules => '{"job": "synthesize(tree_given)"}') ORDER BY 4, 1) AS d), 0::bigint, 'without a primary key');

-- by a policy: the model is the owner's
ALTER TABLE was OWNER TO gensynth_sy;
SELECT is(as_role('gensynth_sy', $$SELECT synth_fit('was', method => 'tree', model => 'theirs', options => '{"context": ["age", "sex"]}'), synth_label('was', 'income', 'synthesize(theirs)'), synth_label('was', 'mail', 'email'), synth_label('was', 'sex', 'keep'), synth_mask_grant('was', 'gensynth_sr')$$), 'no error', 'a policy');
SELECT is(as_role('gensynth_sr', 'SELECT count(income) FROM synth_masked(NULL::was)'), 'no error', 'its reader needs no right to the model');
SELECT is(as_role('gensynth_sr', $$SELECT * FROM synth_sample('theirs', 3)$$), '42501', 'and has none');
-- row by row: the values that are read
CREATE TABLE worker2 AS SELECT id, age, sex, job, income, mail, note FROM was;
ALTER TABLE worker2 ADD PRIMARY KEY (id);
SELECT synth_fit('worker2', method => 'tree', model => 'again', seed => 1, options => '{"context": ["age", "sex"]}');
CREATE TABLE read2 AS SELECT * FROM synth_masked(NULL::worker2, rules => rules('again'));
SELECT throws_ok($$CALL synth_mask('worker2', rules => rules('again') || '{"job": "synthesize"}', mode => 'update')$$, '55000', NULL, 'row by row: which model');
CALL synth_mask('worker2', rules => rules('again'), mode => 'update', batch_size => 100);
SELECT is((SELECT count(*) FROM (TABLE worker2 EXCEPT ALL TABLE read2) AS d), 0::bigint, 'row by row: the same as read');
SELECT is((SELECT count(*) FROM worker2), (SELECT count(*) FROM was), 'all rows');
SELECT cmp_ok((SELECT count(*) FROM worker2 JOIN was USING (id) WHERE worker2.income = was.income), '<', 800::bigint, 'and drawn anew');
SELECT cmp_ok((SELECT array_length(xids, 1) FROM gensynth.mask_runs WHERE target = 'public.worker2'), '>', 5, 'in many batches');
-- what is wrong
CREATE TABLE wrong (id int PRIMARY KEY, age text, income text, more int);
SELECT throws_ok($$SELECT * FROM synth_masked(NULL::wrong, rules => '{"more": "synthesize(tree_given)"}')$$, '42703', NULL, 'a column that the model has not');
SELECT throws_ok($$SELECT * FROM synth_masked(NULL::wrong, rules => '{"income": "synthesize(tree_given)"}')$$, '42804', NULL, 'or has of another type');
CREATE TABLE few (id int PRIMARY KEY, a int, b text);
INSERT INTO few SELECT i, i % 7, CASE WHEN i % 7 < 3 THEN 'low' ELSE 'high' END FROM generate_series(1, 100) AS i;
SELECT synth_fit('few', method => 'diffusion', model => 'slow', options => '{"steps": 3, "refine": 0, "context": ["a"]}');
SELECT is((SELECT b FROM synth_masked(NULL::few, rules => '{"b": "synthesize(slow)"}') WHERE id = 77), (SELECT b FROM (SELECT * FROM synth_masked(NULL::few, rules => '{"b": "synthesize(slow)"}') OFFSET 0) AS m WHERE id = 77), 'diffusion: a row by itself');
SELECT synth_fit('few', method => 'vae', model => 'cannot', options => '{"steps": 3, "refine": 0}');
SELECT throws_ok($$SELECT * FROM synth_masked(NULL::few, rules => '{"b": "synthesize(cannot)"}')$$, '0A000', NULL, 'a method that cannot');
SELECT throws_ok($$SELECT synth_label('was', 'income', 'synthesize()')$$, '22023', NULL, 'a model without a name');
SELECT * FROM finish();
ROLLBACK;
