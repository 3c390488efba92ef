-- Rows masked while they are read: as the caller, by a policy, and what the granted role must not get.
BEGIN;
SELECT plan(155);
SET LOCAL client_min_messages = error;
CREATE ROLE gensynth_mo;
CREATE ROLE gensynth_mr;
CREATE ROLE gensynth_mx;
CREATE ROLE gensynth_mg IN ROLE gensynth_mr;
GRANT USAGE, CREATE ON SCHEMA public TO PUBLIC;
SET LOCAL search_path = public;
\ir lib/as_role.sql
-- What a role gets of a statement: its first column, or the error's message, detail, hint and context.
CREATE FUNCTION got(role text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text; d text; h text; c text;
BEGIN
	PERFORM set_config('role', role, true);
	BEGIN
		EXECUTE 'SELECT string_agg(r::text, E''\n'') FROM (' || statement || ') AS q(r)' INTO result;
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
		result := SQLSTATE || ' ' || SQLERRM || ' ' || d || ' ' || h;
	END;
	PERFORM set_config('role', 'none', true);
	RETURN result;
END $$;
CREATE FUNCTION explained(statement text, options text DEFAULT 'COSTS off') RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; result text := '';
BEGIN
	FOR line IN EXECUTE format('EXPLAIN (%s) %s', options, statement) LOOP result := result || line || E'\n'; END LOOP;
	RETURN result;
END $$;

-- a. As the caller.
SELECT synth_key('default', '\x000102030405060708090a0b0c0d0e0f');
CREATE TABLE person (gone int, id int PRIMARY KEY, name text NOT NULL, email text UNIQUE, code text, born date, sex text, pay numeric(8,2), plate text, secret text, fixed text, twice numeric GENERATED ALWAYS AS (pay * 2) STORED,
	who text GENERATED ALWAYS AS (upper(name)) STORED, CHECK (length(name) > 3));
INSERT INTO person SELECT 0, i, 'Original ' || i, 'original' || i || '@corp.test', 'AB-' || 1000 + i, date '1960-01-01' + i * 7, CASE WHEN i % 2 = 0 THEN 'F' ELSE 'M' END, i * 10.5,
	CASE WHEN i % 3 > 0 THEN 'P' || i END, 'secret ' || i, 'f' || i FROM generate_series(1, 1500) AS i;
ALTER TABLE person DROP COLUMN gone;
ANALYZE person;
CREATE FUNCTION rules() RETURNS jsonb LANGUAGE sql AS $$ SELECT '{"name": "full_name", "email": "email", "code": "pseudonym", "born": "generalise:year", "pay": "generalise:100", "plate": "pattern:AA-99", "secret": "null", "fixed": "constant:x", "sex": "keep"}'::jsonb $$;
CREATE TABLE read1 AS SELECT * FROM synth_masked(NULL::person, rules => rules());
SELECT is((SELECT count(*) FROM read1), 1500::bigint, 'all rows');
SELECT is((SELECT count(DISTINCT email) FROM read1), 1500::bigint, 'what was unique is');
SELECT is((SELECT count(*) FROM read1 JOIN person USING (id) WHERE read1.name = person.name OR read1.email = person.email OR read1.code = person.code OR read1.secret IS NOT NULL OR read1.fixed <> 'x' OR read1.sex <> person.sex
	OR read1.born <> date_trunc('year', person.born) OR (read1.plate IS NULL) <> (person.plate IS NULL) OR read1.plate !~ '^[A-Z]{2}-[0-9]{2}$'), 0::bigint, 'each by its rule');
SELECT is((SELECT count(*) FROM read1 WHERE twice <> pay * 2 OR who <> upper(name)), 0::bigint, 'generated columns follow');
SELECT is((SELECT count(*) FROM (SELECT * FROM read1 EXCEPT ALL SELECT * FROM synth_masked(NULL::person, rules => rules()) ORDER BY id DESC) AS d), 0::bigint, 'the same at the second time');
SET LOCAL gensynth.enable_custom_scan = off;
SELECT is((SELECT count(*) FROM (SELECT * FROM read1 EXCEPT ALL SELECT * FROM synth_masked(NULL::person, rules => rules())) AS d), 0::bigint, 'the plain function has the same rows');
SET LOCAL gensynth.enable_custom_scan = on;
SELECT is((SELECT count(*) FROM (SELECT (r).* FROM (SELECT synth_masked(NULL::person, rules => rules()) AS r) AS s EXCEPT ALL SELECT * FROM read1) AS d), 0::bigint, 'and in the SELECT list');
SELECT is((SELECT count(*) FROM (SELECT (r).* FROM (SELECT synth_masked(NULL::person, rules => rules()) AS r LIMIT 5) AS s EXCEPT ALL SELECT * FROM read1) AS d), 0::bigint, 'also if it is stopped');
SELECT is((SELECT count(*) FROM read1 JOIN synth_masked(NULL::person, rules => rules()) AS m USING (id) WHERE m.email = read1.email), 1500::bigint, 'a column by itself has the same values');
SELECT is((SELECT count(*) FROM read1 JOIN (SELECT * FROM person ORDER BY id LIMIT 20) AS p USING (id) WHERE read1.name = (SELECT name FROM synth_masked(NULL::person, rules => rules()) AS m WHERE m.id = p.id)), 20::bigint, 'look-ups from outside');
SELECT is((SELECT count(*) FROM synth_masked(NULL::person, rules => rules()) AS m, read1 WHERE m = read1::text::person), 1500::bigint, 'whole rows');
SELECT is((SELECT count(*) FROM synth_masked(NULL::person, rules => rules()) AS m JOIN read1 USING (id) WHERE to_jsonb(m) ->> 'email' = read1.email AND ROW(m.*) IS NOT DISTINCT FROM ROW(read1.*)), 1500::bigint, 'whole rows as documents, and rows compared');
SELECT is((SELECT string_agg(m.n::text, ' ') FROM (VALUES ('{name}'::text[]), ('{email}')) AS c (columns), LATERAL (SELECT count(*) AS n FROM synth_masked(NULL::person, c.columns) AS m JOIN person USING (id) WHERE m.name <> person.name) AS m), '1500 0', 'arguments of another row');
SELECT is((SELECT count(*) FROM synth_masked(NULL::person, '{email}') AS a JOIN synth_masked(NULL::person, '{email,name}') AS b ON a.email = b.email AND a.name <> b.name), 1500::bigint, 'whatever is masked beside');
CREATE SCHEMA copies;
CALL synth_mask('person', rules => rules(), "into" => 'copies.person');
SELECT is((SELECT count(*) FROM (SELECT * FROM read1 EXCEPT ALL SELECT * FROM copies.person) AS d), 0::bigint, 'as a masked copy has them');
CREATE TABLE person_was AS SELECT * FROM person;
SAVEPOINT s;
CALL synth_mask('person', rules => rules());
SELECT is((SELECT count(*) FROM (SELECT * FROM read1 EXCEPT ALL SELECT * FROM person) AS d), 0::bigint, 'and as masking in place makes them');
ROLLBACK TO s;
SELECT isnt((SELECT name FROM synth_masked(NULL::person, '{name}') WHERE id = 7), 'Original 7', 'columns take their likeliest kind');
SELECT is((SELECT count(*) FROM synth_masked(NULL::person, '{name}') AS m JOIN person AS p USING (id) WHERE (m.email, m.code, m.born, m.pay) IS DISTINCT FROM (p.email, p.code, p.born, p.pay)), 0::bigint, 'others stay');

-- the session's settings have no say
CREATE TABLE daily (day date, at timestamptz, share float8, name text, email text UNIQUE, PRIMARY KEY (day, at, share));
INSERT INTO daily SELECT date '2020-01-01' + i, timestamptz '2020-01-01 00:00Z' + i * interval '1 hour', i / 7.0, 'Original ' || i, 'original' || i || '@corp.test' FROM generate_series(1, 50) AS i;
CREATE TABLE read0 AS SELECT * FROM synth_masked(NULL::daily, '{name,email}');
SET LOCAL datestyle = 'German';
SET LOCAL timezone = 'Asia/Tokyo';
SET LOCAL extra_float_digits = -5;
SELECT is((SELECT count(*) FROM (SELECT * FROM read0 EXCEPT ALL SELECT * FROM synth_masked(NULL::daily, '{name,email}')) AS d), 0::bigint, 'whatever the settings are');
RESET datestyle;
RESET timezone;
RESET extra_float_digits;
SELECT is((SELECT count(DISTINCT email) FROM read0), 50::bigint, 'unique by another key');

CREATE TABLE computed (name text, no int, code text GENERATED ALWAYS AS (name || no) STORED PRIMARY KEY);
INSERT INTO computed SELECT 'Original', i FROM generate_series(1, 50) AS i;
CREATE TABLE read_computed AS SELECT * FROM synth_masked(NULL::computed, rules => '{"name": "full_name"}');
SELECT cmp_ok((SELECT count(DISTINCT name) FROM read_computed), '>', 40::bigint, 'a key that is computed tells rows apart');
SELECT is((SELECT count(*) FROM read_computed WHERE code <> name || no), 0::bigint, 'and follows what is masked');

-- no primary key; a view; a materialized view; partitions; inheritance; no columns; an empty table
CREATE TABLE loose AS SELECT id, name, email FROM person LIMIT 300;
CREATE TABLE read2 AS SELECT * FROM synth_masked(NULL::loose, '{name,email}');
SELECT is((SELECT count(*) FROM (SELECT * FROM read2 EXCEPT ALL SELECT * FROM synth_masked(NULL::loose, '{name,email}') ORDER BY name) AS d), 0::bigint, 'without a primary key');
SELECT is((SELECT count(*) FROM read2 JOIN synth_masked(NULL::loose, '{name,email}') AS m USING (id) WHERE m.name = read2.name), 300::bigint, 'one column of it');
CREATE VIEW older AS SELECT id, name, email FROM person WHERE born < '1970-01-01';
SELECT is((SELECT count(*) FROM synth_masked(NULL::older, '{name}') WHERE name NOT LIKE 'Original%'), (SELECT count(*) FROM older), 'a view');
CREATE MATERIALIZED VIEW kept AS SELECT id, name FROM person;
SELECT is((SELECT count(*) FROM synth_masked(NULL::kept, '{name}') WHERE name LIKE 'Original%'), 0::bigint, 'a materialized view');
CREATE TABLE parts (id int, name text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE parts_low (name text, id int NOT NULL);
ALTER TABLE parts ATTACH PARTITION parts_low FOR VALUES FROM (0) TO (100);
CREATE TABLE parts_high PARTITION OF parts FOR VALUES FROM (100) TO (200);
INSERT INTO parts SELECT i, 'Original ' || i FROM generate_series(1, 199) AS i;
CREATE TABLE read3 AS SELECT * FROM synth_masked(NULL::parts, rules => '{"name": "full_name"}');
SELECT is((SELECT count(*) FROM read3 WHERE name NOT LIKE 'Original%'), 199::bigint, 'a partitioned table');
SELECT is((SELECT count(*) FROM (SELECT id, name FROM synth_masked(NULL::parts_low, rules => '{"name": "full_name"}') EXCEPT SELECT * FROM read3) AS d), 0::bigint, 'a partition has its root''s values');
CREATE TABLE bare ();
INSERT INTO bare DEFAULT VALUES;
SELECT throws_ok($$SELECT * FROM synth_masked(NULL::bare)$$, '55000', NULL, 'a table without columns has no labels');
CREATE TABLE hollow (id int PRIMARY KEY, email text);
SELECT is((SELECT count(*) FROM synth_masked(NULL::hollow, '{email}')), 0::bigint, 'an empty table');

-- it streams
CREATE VIEW fails AS SELECT i AS id, 'Original ' || i AS name, 1 / (3000 - i) AS q FROM generate_series(1, 5000) AS i;
SELECT is((SELECT count(*) FROM (SELECT * FROM synth_masked(NULL::fails, '{name}') LIMIT 10) AS s), 10::bigint, 'LIMIT stops it');
SELECT throws_ok($$SELECT * FROM synth_masked(NULL::fails, '{name}')$$, '22012', NULL, 'and without it goes on');
DECLARE c CURSOR FOR SELECT id, name FROM synth_masked(NULL::fails, '{name}');
SELECT is((SELECT count(*) FROM person WHERE id < 0), 0::bigint, 'something between');
FETCH 2 FROM c;
CLOSE c;

-- conditions
SELECT matches(explained($$SELECT email FROM synth_masked(NULL::person, '{email}') WHERE id = 5$$), E'Custom Scan \\(SynthMaskedScan\\)[^\n]*\n  Masked Relation: person\n  Source Condition: \\(id = 5\\)\n  Policy: email: email', 'a condition on a kept column goes down');
SELECT unalike(explained($$SELECT * FROM synth_masked(NULL::person, '{email}') WHERE email = 'x'$$), '%Source%', 'one on a masked column does not');
SELECT unalike(explained($$SELECT * FROM synth_masked(NULL::person, '{name}') WHERE who = 'x'$$), '%Source%', 'nor on a column that is computed from one');
SELECT alike(explained($$SELECT * FROM synth_masked(NULL::person, '{name}') WHERE twice IS NULL$$), '%Source%', 'but of kept ones');
SELECT unalike(explained($$SELECT * FROM synth_masked(NULL::person, '{email}') WHERE id / 0 = 1$$), '%Source%', 'nor what raises errors');
SELECT unalike(explained($$SELECT * FROM synth_masked(NULL::person, '{email}') WHERE id = (random() * 3)::int$$), '%Source%', 'nor what is volatile');
SELECT alike(explained($$SELECT * FROM synth_masked(NULL::person, '{email}') WHERE id IN (3, 5) AND (sex = 'F' OR born IS NULL)$$), '%Source Condition: ((id = ANY (%) AND ((sex = ''F''::text) OR (born IS NULL)))%', 'lists and alternatives do');
SELECT is((SELECT count(*) FROM synth_masked(NULL::person, '{email}') WHERE id IN (3, 5, 6) AND (sex = 'F' OR born IS NULL)), 1::bigint, 'with the right rows');
SELECT is((SELECT count(*) FROM synth_masked(NULL::person, '{email}') WHERE email LIKE '%@corp.test'), 0::bigint, 'masked values are compared');
PREPARE one AS SELECT id, email FROM synth_masked(NULL::person, '{email}') WHERE id = $1;
SET LOCAL plan_cache_mode = force_generic_plan;
SELECT alike(explained('EXECUTE one(5)'), '%Source Condition: (id = $1)%', 'parameters');
PREPARE other AS SELECT count(*) FROM synth_masked(NULL::person, $1) AS m JOIN person USING (id) WHERE m.name <> person.name AND m.id < $2;
CREATE TEMP TABLE executed AS EXECUTE one(5);
SELECT is((SELECT string_agg(id::text, ' ') FROM executed), '5', 'are heeded');
DROP TABLE executed;
CREATE TEMP TABLE executed AS EXECUTE other('{name}', 11);
SELECT is((SELECT count FROM executed), 10::bigint, 'columns by a parameter');
RESET plan_cache_mode;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL enable_material = off;
SELECT is((SELECT count(*) FROM (SELECT id FROM person WHERE id < 5) AS p JOIN synth_masked(NULL::person, '{email}') AS m ON m.id <= p.id AND m.email <> ''), 10::bigint, 'rescans');
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_material;
SELECT is((SELECT count(*) FROM (SELECT m.id FROM person AS p JOIN synth_masked(NULL::person, '{email}') AS m USING (id) WHERE p.id < 10 FOR UPDATE OF p) AS l), 9::bigint, 'rows locked beside it');

-- what is wrong
SELECT throws_ok(format('SELECT * FROM synth_masked(%s)', a), c, NULL, w) FROM (VALUES
	('NULL::int, ''{a}''', '42804', 'no row type'), ($$NULL::person, '{nix}'$$, '42703', 'a column that is not there'), ($$NULL::person, '{}'$$, '22023', 'no columns'), ($$NULL::person, '{NULL}'$$, '22004', 'NULL'),
	($$NULL::person, '{name}', key => 'nix'$$, '42704', 'a key that is not there'), ($$NULL::person, '{name}', key => NULL$$, '22004', 'a key that is NULL'), ($$NULL::person, rules => '{"name": "emial"}'$$, '42704', 'an unknown rule'),
	($$NULL::person, rules => '{"name": "shuffle"}'$$, '0A000', 'shuffled while it is read'), ($$NULL::person, rules => '{"id": "email"}'$$, '42804', 'a type that holds no such values'), ($$NULL::person, rules => '[]'$$, '22023', 'no object'),
	($$NULL::person, rules => '{"pay": "synthesize"}'$$, '55000', 'synthesized without a model'), ($$NULL::person, rules => '{"pay": "synthesize(nix)"}'$$, '42704', 'by a model that is not there'),
	($$NULL::person, '{who}'$$, '42P10', 'a generated column'), ($$NULL::person$$, '55000', 'neither labels nor columns')) AS v (a, c, w);
CREATE TYPE pair AS (a int, b text);
SELECT throws_ok($$SELECT * FROM synth_masked(NULL::pair, '{a}')$$, '42809', NULL, 'the row type of no table');

-- b. By a policy.
CREATE TABLE patient (id int PRIMARY KEY, name text, email text, ssn text, pin int, ward text, cost int, note text);
INSERT INTO patient SELECT i, 'Victim ' || i, 'victim' || i || '@corp.test', (100 + i % 800) || '-12-' || (1000 + i), 77000 + i, 'ward ' || i % 5, i * 3, CASE WHEN i = 5 THEN 'x' ELSE i::text END FROM generate_series(1, 400) AS i;
ALTER TABLE patient OWNER TO gensynth_mo;
SET LOCAL ROLE gensynth_mo;
SELECT synth_key('default', '\x101112131415161718191a1b1c1d1e1f');
RESET ROLE;
ANALYZE patient;
SELECT is(as_role('gensynth_mr', 'SELECT * FROM synth_masked(NULL::patient)'), '42501', 'a role without a grant');
SELECT alike(got('gensynth_mr', 'SELECT m.id FROM synth_masked(NULL::patient) AS m'), '%synth_mask_grant(''public.patient'', ''gensynth_mr'')%', 'the hint is for the owner');
SELECT is(as_role('gensynth_mr', $$SELECT synth_mask_grant('patient', 'gensynth_mr')$$), '42501', 'who is not the owner cannot grant');
SELECT is(as_role('gensynth_mr', $$SELECT synth_mask_view('patient', 'peek')$$), '42501', 'nor make a view');
SELECT is(as_role('gensynth_mr', $$SECURITY LABEL FOR gensynth ON TABLE patient IS 'readers: gensynth_mr'$$), '42501', 'nor write the label');
SELECT is(as_role('gensynth_mo', $$SELECT synth_mask_grant('patient', 'gensynth_mr')$$), 'no error', 'the owner can');
SELECT is(as_role('gensynth_mo', $$SELECT synth_mask_grant('pg_class', 'gensynth_mr')$$), '42501', 'what is its own');
SELECT is(as_role('gensynth_mr', 'SELECT * FROM synth_masked(NULL::patient)'), '55000', 'without labels');
SELECT is(as_role('gensynth_mo', $$SELECT synth_label('patient', 'name', 'full_name'), synth_label('patient', 'email', 'email'), synth_label('patient', 'pin', 'pseudonym'), synth_label('patient', 'note', 'null')$$), 'no error', 'labels');
SELECT alike(got('gensynth_mr', 'SELECT m.id FROM synth_masked(NULL::patient) AS m'), '55000 column "ssn" of "patient" is surely personal%', 'what is surely personal needs one');
SELECT is(as_role('gensynth_mo', $$SELECT synth_label('patient', 'ssn', 'pseudonym')$$), 'no error', 'has one');
SELECT is(got('gensynth_mr', 'SELECT count(*) FROM synth_masked(NULL::patient)'), '400', 'now it reads');
SELECT is(got('gensynth_mg', 'SELECT count(*) FROM synth_masked(NULL::patient)'), '400', 'so does a member');
SELECT is(got('gensynth_mo', 'SELECT count(*) FROM synth_masked(NULL::patient)'), '400', 'and the owner');
SELECT is(as_role('gensynth_mx', 'SELECT * FROM synth_masked(NULL::patient)'), '42501', 'others do not');
SELECT is((SELECT string_agg(relation || ' ' || role, ',') FROM synth_mask_grants), 'patient gensynth_mr', 'the view of grants');
CREATE ROLE "gensynth, ""M""";
SELECT is(as_role('gensynth_mo', $$SELECT synth_mask_grant('patient', '"gensynth, ""M"""')$$), 'no error', 'a role with an odd name');
SELECT is((SELECT string_agg(role, ' | ' ORDER BY role COLLATE "C" DESC) FROM synth_mask_grants), 'gensynth_mr | gensynth, "M"', 'in the view, too');
SELECT is(got('gensynth, "M"', 'SELECT count(*) FROM synth_masked(NULL::patient)'), '400', 'reads');
SELECT is(as_role('gensynth_mo', $$SELECT synth_mask_revoke('patient', '"gensynth, ""M"""')$$), 'no error', 'and is revoked');
SELECT is(as_role('gensynth_mo', $$SELECT synth_mask_grant('patient', 'gensynth_mx')$$), 'no error', 'a role that will go');
ALTER ROLE gensynth_mx RENAME TO gensynth_gone;
CREATE ROLE gensynth_mx;
GRANT CREATE ON SCHEMA public TO gensynth_mx;
DROP ROLE gensynth_gone;
ALTER ROLE gensynth_mx RENAME TO gensynth_my;
SELECT is(as_role('gensynth_mo', $$SELECT synth_mask_grant('patient', 'gensynth_mr')$$), 'no error', 'a grant after it went');
ALTER ROLE gensynth_my RENAME TO gensynth_mx;
SELECT is(as_role('gensynth_mx', 'SELECT * FROM synth_masked(NULL::patient)'), '42501', 'who takes its name then gets nothing');
SELECT is(as_role('gensynth_mr', 'SELECT * FROM patient'), '42501', 'the table itself cannot be read');
SELECT is(as_role('gensynth_mr', $$SELECT * FROM synth_masked(NULL::patient, '{note}')$$), '42501', 'nor with columns of one''s choice');
SELECT is(as_role('gensynth_mr', $$SELECT * FROM synth_masked(NULL::patient, rules => '{"name": "keep"}')$$), '42501', 'nor with rules');
SELECT is(as_role('gensynth_mr', $$SELECT * FROM synth_masked(NULL::patient, key => 'mine')$$), '22023', 'nor with a key that one knows');
SELECT is(as_role('gensynth_mr', $$SELECT * FROM synth_masked(NULL::person, '{name}', key => 'default')$$), '42501', 'nor another table');
CREATE TABLE read4 AS SELECT * FROM synth_masked(NULL::patient);
SELECT is((SELECT count(*) FROM read4 JOIN patient AS p USING (id) WHERE read4.name = p.name OR read4.email = p.email OR read4.ssn = p.ssn OR read4.pin = p.pin OR read4.note IS NOT NULL OR (read4.ward, read4.cost) <> (p.ward, p.cost)), 0::bigint, 'all by its label');

-- attacks of the granted role: a cheap leaky function sees nothing but masked values
CREATE TABLE spoils (what text);
GRANT ALL ON spoils TO PUBLIC;
CREATE SCHEMA mine AUTHORIZATION gensynth_mr;
GRANT USAGE ON SCHEMA mine TO PUBLIC;
SET LOCAL ROLE gensynth_mr;
CREATE FUNCTION mine.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN INSERT INTO spoils VALUES ($1); RETURN true; END $$;
CREATE FUNCTION mine.leak(int) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN INSERT INTO spoils VALUES ($1::text); RETURN true; END $$;
CREATE FUNCTION mine.same(text, text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN INSERT INTO spoils VALUES ($1); RETURN true; END $$;
CREATE FUNCTION mine.same(int, int) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN INSERT INTO spoils VALUES ($1::text); RETURN true; END $$;
CREATE OPERATOR mine.= (LEFTARG = text, RIGHTARG = text, FUNCTION = mine.same);
CREATE OPERATOR mine.= (LEFTARG = int, RIGHTARG = int, FUNCTION = mine.same);
RESET ROLE;
SELECT is(got('gensynth_mr', q), '400', w) FROM (VALUES
	('SELECT count(*) FROM synth_masked(NULL::patient) WHERE mine.leak(name) AND mine.leak(email) AND mine.leak(ssn) AND mine.leak(pin) AND mine.leak(note)', 'a leaky function in WHERE'),
	('SELECT count(*) FROM (SELECT * FROM synth_masked(NULL::patient) ORDER BY mine.leak(name), mine.leak(ssn)) AS s', 'in ORDER BY'),
	('SELECT count(*) FROM synth_masked(NULL::patient) AS a JOIN synth_masked(NULL::patient) AS b ON a.id = b.id AND mine.leak(a.email) AND mine.leak(b.ssn)', 'in JOIN'),
	('SELECT count(*) FROM synth_masked(NULL::patient) AS a WHERE mine.leak(a::text) AND mine.leak(to_jsonb(a)::text)', 'of whole rows'),
	('SELECT count(*) FROM synth_masked(NULL::patient) WHERE name OPERATOR(mine.=) ''x'' AND pin OPERATOR(mine.=) 3 AND id OPERATOR(mine.=) 3', 'operators of one''s own')) AS v (q, w);
SET LOCAL search_path = mine, pg_catalog, public;
SELECT set_config('gensynth_test.got', public.got('gensynth_mr', 'SELECT count(*) FROM public.synth_masked(NULL::public.patient) WHERE name = ''x'' AND pin = 3 AND ssn = ''y'' AND email = ''z'''), true) AS of_path \gset
SET LOCAL search_path = public;
SELECT is(current_setting('gensynth_test.got'), '400', 'on the search_path');
SELECT cmp_ok((SELECT count(*) FROM spoils), '>', 4000::bigint, 'they have seen rows');
SELECT cmp_ok((SELECT count(DISTINCT pin) FROM patient JOIN spoils ON what = pin::text), '<', 40::bigint, 'numbers by chance');
SELECT is((SELECT count(*) FROM spoils, patient WHERE what LIKE '%' || patient.name || '%' OR what LIKE '%' || email || '%' OR what LIKE '%' || ssn || '%'), 0::bigint, 'but no original');
SELECT is(got('gensynth_mr', format('SELECT count(*) FROM synth_masked(NULL::patient) WHERE %s', c)), '0', w) FROM (VALUES
	('name = ''Victim 17'' OR email = ''victim17@corp.test''', 'a guess that is right finds nothing'), ('name LIKE ''Victim%''', 'nor does a part of it'), ('pin BETWEEN 77000 AND 77400 AND id = pin - 77000', 'nor a range'),
	('(name, email) IN (SELECT ''Victim '' || i, ''victim'' || i || ''@corp.test'' FROM generate_series(1, 400) AS i)', 'nor a list of guesses that is joined'), ('note IS NOT NULL', 'nor whether there was a value')) AS v (c, w);
SELECT is(got('gensynth_mr', 'SELECT count(*) FROM synth_masked(NULL::patient) AS t WHERE t = ROW(17, ''Victim 17'', ''victim17@corp.test'', ''117-12-1017'', 77017, ''ward 2'', 51, ''17'')::patient'), '0', 'nor a row that is compared');
SELECT unalike(got('gensynth_mr', 'SELECT count(*) FROM synth_masked(NULL::patient) WHERE name::int > 0'), '%ictim%', 'a cast that fails tells nothing');
SELECT unalike(got('gensynth_mr', 'SELECT ssn::int FROM synth_masked(NULL::patient)'), '%-12-1%', 'nor a second one');
SELECT is(got('gensynth_mr', 'SELECT note::int FROM synth_masked(NULL::patient) WHERE id = 5'), NULL, 'what is NULL fails no cast');
SELECT unalike(got('gensynth_mr', $$SELECT explained('SELECT * FROM synth_masked(NULL::patient) WHERE name = ''Victim 17'' AND id > 3', 'ANALYZE, VERBOSE, COSTS, TIMING off')$$), '%patient.%', 'EXPLAIN does not show the source');
SELECT is(got('gensynth_mr', $$SELECT substring(explained('SELECT * FROM synth_masked(NULL::patient) WHERE pin = 3', 'COSTS') from 'rows=(\d+)') = substring(explained('SELECT * FROM synth_masked(NULL::patient) WHERE pin = 77017', 'COSTS') from 'rows=(\d+)')$$), 'true', 'nor what statistics know of a masked column');
SELECT is(got('gensynth_mr', $$SELECT substring(explained('SELECT * FROM synth_masked(NULL::patient) WHERE cost = 3', 'ANALYZE, COSTS off, TIMING off') from 'Removed')$$), NULL, 'nor the rows that the source left out');
SELECT is(as_role('gensynth_mr', $$CREATE TABLE mine.loot AS SELECT * FROM synth_masked(NULL::patient)$$), 'no error', 'a table made of it');
ANALYZE mine.loot;
SELECT is((SELECT count(*) FROM pg_stats WHERE tablename = 'loot' AND (histogram_bounds::text || coalesce(most_common_vals::text, '')) LIKE '%ictim%'), 0::bigint, 'has no original in its statistics');
SELECT is((SELECT count(*) FROM (TABLE mine.loot EXCEPT TABLE read4) AS d), 0::bigint, 'the reader''s rows are the owner''s');
SELECT is(as_role('gensynth_mr', $$COPY (SELECT * FROM synth_masked(NULL::patient)) TO '/dev/null'$$), '42501', 'COPY to a file is as ever');
SELECT is(as_role('gensynth_mr', $$DECLARE stolen CURSOR WITH HOLD FOR SELECT * FROM synth_masked(NULL::patient)$$), 'no error', 'a cursor');
CLOSE stolen;

-- prepared statements, and roles between plan and run
PREPARE p AS SELECT count(*) FROM synth_masked(NULL::patient) WHERE id > 3;
SELECT is(as_role('gensynth_mr', 'EXECUTE p'), 'no error', 'prepared by another role');
SELECT is(as_role('gensynth_mx', 'EXECUTE p'), '42501', 'run by one without a grant');
SELECT is(as_role('gensynth_mo', $$SELECT synth_mask_revoke('patient', 'gensynth_mr')$$), 'no error', 'revoked');
SELECT is(as_role('gensynth_mr', 'EXECUTE p'), '42501', 'a statement that was prepared');
SELECT is(as_role('gensynth_mg', 'EXPLAIN SELECT * FROM synth_masked(NULL::patient)'), '42501', 'and EXPLAIN');
SELECT is(as_role('gensynth_mo', $$SELECT synth_mask_grant('patient', 'gensynth_mr')$$), 'no error', 'granted again');
PREPARE q AS SELECT count(*) FROM synth_masked(NULL::patient) AS m WHERE m.cost = 51;
CREATE TEMP TABLE executed2 AS EXECUTE q;
SELECT is(as_role('gensynth_mo', $$SELECT synth_label('patient', 'cost', 'generalise:100')$$), 'no error', 'a label more');
CREATE TEMP TABLE executed3 AS EXECUTE q;
SELECT is((SELECT a.count || ' ' || b.count FROM executed2 AS a, executed3 AS b), '1 0', 'plans follow the labels');
SELECT is(as_role('gensynth_mo', $$SELECT synth_label('patient', 'cost', NULL)$$), 'no error', 'and back');
ALTER TABLE patient ADD COLUMN phone text;
UPDATE patient SET phone = '+1 212 555 ' || 1000 + id;
SELECT is(as_role('gensynth_mr', 'SELECT * FROM synth_masked(NULL::patient)'), '55000', 'a personal column that came later');
ALTER TABLE patient DROP COLUMN phone;
ALTER TABLE patient RENAME TO sick;
CREATE TABLE patient (id int, name text);
SELECT is(got('gensynth_mr', 'SELECT count(*) FROM synth_masked(NULL::sick)'), '400', 'a grant stays with a table that is renamed');
SELECT is(as_role('gensynth_mr', 'SELECT * FROM synth_masked(NULL::patient)'), '42501', 'and does not go to the next of the name');
DROP TABLE patient;
ALTER TABLE sick RENAME TO patient;

-- code that the owner chose runs as the owner, and finds nothing of the reader's; what it sets is not the reader's
CREATE TABLE ran (what text, by_role text);
GRANT INSERT ON ran TO PUBLIC;
SET LOCAL ROLE gensynth_mo;
CREATE FUNCTION helper() RETURNS text LANGUAGE sql AS $$ SELECT 'owner''s'::text $$;
CREATE FUNCTION noted(value text, what text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE found text := 'nothing';
BEGIN
	BEGIN found := helper(); EXCEPTION WHEN undefined_function THEN NULL; END;
	PERFORM set_config('search_path', 'nowhere', false), set_config('gensynth_test.got', 'spoilt', false);
	INSERT INTO public.ran VALUES (what || ' ' || found, current_user);
	RETURN true;
END $$;
CREATE FUNCTION told(value text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN current_user || ' ' || length(value); END $$;
CREATE DOMAIN noted_text AS text CHECK (public.noted(VALUE, 'domain'));
CREATE TABLE trap (id int PRIMARY KEY, email text CHECK (public.noted(email, 'check')), nick noted_text, who text GENERATED ALWAYS AS (told(email)) STORED);
INSERT INTO trap (id, email, nick) SELECT i, 'v' || i || '@corp.test', 'nick' || i FROM generate_series(1, 5) AS i;
SET LOCAL search_path = public;
SELECT synth_label('trap', 'email', 'email'), synth_label('trap', 'nick', 'user_name'), synth_mask_grant('trap', 'gensynth_mr');
GRANT SELECT ON trap TO gensynth_mr;
RESET ROLE;
SET LOCAL search_path = public;
CREATE FUNCTION mine.helper() RETURNS text LANGUAGE sql AS $$ SELECT 'reader''s'::text $$;
TRUNCATE ran;
SET LOCAL gensynth_test.got = 'mine';
SET LOCAL search_path = mine, pg_catalog, public;
CREATE TEMP TABLE trapped AS SELECT public.got('gensynth_mr', q) AS got FROM (VALUES ('SELECT string_agg(DISTINCT split_part(who, '' '', 1), '','') FROM public.synth_masked(NULL::public.trap)'),
	('SELECT string_agg(DISTINCT split_part(who, '' '', 1), '','') FROM public.synth_masked(NULL::public.trap, ''{email,nick}'')')) AS v (q);
SELECT current_setting('search_path') AS path \gset
SET LOCAL search_path = public;
SELECT is((SELECT string_agg(got, ' ') FROM trapped), 'gensynth_mo gensynth_mo', 'generated columns are computed as the owner');
SELECT is((SELECT string_agg(DISTINCT what || ' ' || by_role, ', ' ORDER BY what || ' ' || by_role) FROM ran), 'check nothing gensynth_mo, domain nothing gensynth_mo', 'so are constraints and domains, without the reader''s names');
SELECT is(:'path' || ' ' || current_setting('gensynth_test.got'), 'mine, pg_catalog, public mine', 'what they set is gone');

-- the owner's rights, row-level security, keys, and errors of the source
ALTER TABLE patient ENABLE ROW LEVEL SECURITY;
SELECT is(got('gensynth_mr', 'SELECT count(*) FROM synth_masked(NULL::patient)'), '400', 'row-level security is that of the owner');
ALTER TABLE patient FORCE ROW LEVEL SECURITY;
CREATE POLICY first_ones ON patient USING (id <= 100);
SELECT is(got('gensynth_mr', 'SELECT count(*) FROM synth_masked(NULL::patient)'), '100', 'which may be forced');
ALTER TABLE patient NO FORCE ROW LEVEL SECURITY;
REVOKE ALL ON SCHEMA gensynth FROM PUBLIC;
CREATE VIEW failing AS SELECT id, name, (CASE WHEN id = 5 THEN name ELSE '1' END)::int AS n FROM patient;
ALTER VIEW failing OWNER TO gensynth_mo;
SELECT is(as_role('gensynth_mo', $$SELECT synth_label('failing', 'name', 'full_name'), synth_label('failing', 'n', 'keep'), synth_mask_grant('failing', 'gensynth_mr')$$), '22P02', 'the owner sees the error');
SELECT is(as_role('gensynth_mo', $$SELECT synth_label('failing', 'name', 'full_name'), synth_label('failing', 'n', 'keep')$$), 'no error', 'labels of a view');
SECURITY LABEL FOR gensynth ON VIEW failing IS 'readers: gensynth_mr';
SELECT alike(got('gensynth_mr', 'SELECT n FROM synth_masked(NULL::failing)'), '22P02 rows of "failing" could not be read%', 'an error of the source');
SELECT unalike(got('gensynth_mr', 'SELECT n FROM synth_masked(NULL::failing)'), '%ictim%', 'comes without data');
CREATE TABLE visit (no int PRIMARY KEY, pin int);
INSERT INTO visit SELECT i, 77000 + i % 400 + 1 FROM generate_series(1, 500) AS i;
ALTER TABLE patient ADD UNIQUE (pin);
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE visit ADD FOREIGN KEY (pin) REFERENCES patient (pin);
ALTER TABLE visit OWNER TO gensynth_mo;
SELECT is(as_role('gensynth_mo', $$SELECT synth_label('visit', 'no', 'keep'), synth_mask_grant('visit', 'gensynth_mr')$$), 'no error', 'a table that refers to it');
SELECT is(got('gensynth_mr', 'SELECT count(*) FROM synth_masked(NULL::visit) JOIN synth_masked(NULL::patient) AS m USING (pin)'), '500', 'has the same pseudonyms');
SELECT is(got('gensynth_mr', 'SELECT count(*) FROM synth_masked(NULL::visit) WHERE pin > 77000 AND pin <= 77400 AND no % 400 = pin - 77001'), '0', 'and no originals');
SELECT is(as_role('gensynth_mo', $$SELECT synth_label('patient', 'pin', 'keep')$$), 'no error', 'a label of the other table');
SELECT is(got('gensynth_mr', 'SELECT count(*) FROM synth_masked(NULL::visit) WHERE no % 400 = pin - 77001'), '500', 'counts at once');

-- a view, and what was done
SELECT is(as_role('gensynth_mo', $$SELECT synth_mask_view('patient', 'safe')$$), 'no error', 'a view');
GRANT SELECT ON safe TO gensynth_mr, gensynth_mx;
SELECT is(got('gensynth_mr', 'SELECT count(*) FROM safe WHERE name LIKE ''Victim%'''), '0', 'shows masked rows');
SELECT is(got('gensynth_mr', 'SELECT id FROM safe WHERE id = 7'), '7', 'all of them');
SELECT is(as_role('gensynth_mx', 'SELECT * FROM safe'), '42501', 'not to others');
SELECT is(as_role('gensynth_mo', $$SELECT synth_mask_view('patient', 'safe')$$), '42P07', 'a name that is taken');
SELECT is((SELECT string_agg("column" || ' ' || rule || ' ' || changed || ' ' || equal || ' ' || distinct_before, ', ' ORDER BY "column") FROM synth_mask_report('person_was', 'read1') WHERE "column" IN ('fixed', 'name')), NULL, 'a report without a key has no changes');
ALTER TABLE person_was ADD PRIMARY KEY (id);
SELECT is((SELECT string_agg("column" || ' ' || changed || ' ' || equal || ' ' || distinct_before || ' ' || distinct_after, ', ' ORDER BY "column") FROM synth_mask_report('person_was', 'read1') WHERE "column" IN ('fixed', 'secret')),
	'fixed 1500 0 1500 1, secret 1500 0 1500 0', 'a report');
SELECT ok((SELECT reidentified BETWEEN 0 AND 1 AND reidentified_by_chance BETWEEN 0 AND reidentified FROM synth_mask_report('person_was', 'read1') WHERE "column" IS NULL), 'of all columns together');
SELECT is((SELECT rule FROM synth_mask_report('person', 'copies.person') WHERE "column" = 'born'), 'generalise:year', 'rules are those that it was masked by');
SELECT is(as_role('gensynth_mr', $$SELECT * FROM synth_mask_report('patient', 'read4')$$), '42501', 'who may not read both gets none');
CREATE TABLE without_key AS SELECT name, email FROM read1;
SELECT is((SELECT rows || ' ' || (changed IS NULL)::text FROM synth_mask_report('person', 'without_key') WHERE "column" IS NULL), '1500 true', 'a masked table without the key');
SELECT throws_ok($$SELECT * FROM synth_mask_report('person', NULL)$$, '22004', NULL, 'no table');
SELECT * FROM finish();
ROLLBACK;
