-- What a role that may read masked rows tries beside plain queries: shapes, views and functions of its own, the system's columns, writing, children of a table.
BEGIN;
SELECT plan(39);
SET LOCAL client_min_messages = error;
CREATE ROLE gensynth_mo;
CREATE ROLE gensynth_mr;
CREATE ROLE gensynth_mx;
GRANT USAGE, CREATE ON SCHEMA public TO PUBLIC;
SET LOCAL search_path = public;
\ir lib/as_role.sql
-- What a role gets of a statement: its first column, or the error with all its fields.
CREATE FUNCTION got(role text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text; d text; h text; c text;
BEGIN
	PERFORM set_config('role', role, true);
	BEGIN
		EXECUTE 'SELECT string_agg(r::text, E''\n'') FROM (' || statement || ') AS q(r)' INTO result;
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT, c = PG_EXCEPTION_CONTEXT;
		result := SQLSTATE || ' ' || SQLERRM || ' ' || d || ' ' || h || ' ' || c;
	END;
	PERFORM set_config('role', 'none', true);
	RETURN result;
END $$;
SELECT synth_key('default', '\x000102030405060708090a0b0c0d0e0f');
CREATE TABLE patient (id int PRIMARY KEY, name text, email text, pin int UNIQUE, ward text, born date, cost int);
INSERT INTO patient SELECT i, 'Victim ' || i, 'victim' || i || '@corp.test', 77000 + i, 'ward ' || i % 5, date '1950-01-01' + i, i * 3 FROM generate_series(1, 200) AS i;
ALTER TABLE patient OWNER TO gensynth_mo;
SET LOCAL ROLE gensynth_mo;
SELECT synth_key('default', '\x101112131415161718191a1b1c1d1e1f');
SELECT synth_label('patient', 'name', 'full_name'), synth_label('patient', 'email', 'email'), synth_label('patient', 'pin', 'pseudonym'), synth_label('patient', 'born', 'generalise:year'), synth_mask_grant('patient', 'gensynth_mr');
RESET ROLE;
CREATE SCHEMA mine AUTHORIZATION gensynth_mr;
GRANT USAGE ON SCHEMA mine TO PUBLIC;
CREATE TABLE spoils (what text);
GRANT ALL ON spoils TO PUBLIC;
SELECT is(got('gensynth_mr', 'SELECT count(*) FROM synth_masked(NULL::patient)'), '200', 'what is granted');

-- shapes
SET LOCAL ROLE gensynth_mr;
CREATE FUNCTION mine.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN INSERT INTO spoils VALUES ($1); RETURN true; END $$;
CREATE FUNCTION mine.leak(patient) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN INSERT INTO spoils VALUES ($1::text); RETURN true; END $$;
CREATE DOMAIN mine.shaped AS patient CHECK (mine.leak(VALUE));
CREATE VIEW mine.peek AS SELECT * FROM patient;
CREATE VIEW mine.barrier WITH (security_barrier) AS SELECT * FROM synth_masked(NULL::patient);
CREATE VIEW mine.plain AS SELECT * FROM synth_masked(NULL::patient);
CREATE FUNCTION mine.rows() RETURNS SETOF patient LANGUAGE sql STABLE AS 'SELECT * FROM synth_masked(NULL::patient)';
CREATE FUNCTION mine.lent() RETURNS SETOF patient LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT * FROM synth_masked(NULL::patient)';
SELECT synth_label('mine.peek', 'name', 'keep'), synth_label('mine.peek', 'email', 'keep'), synth_label('mine.peek', 'pin', 'keep'), synth_label('mine.peek', 'born', 'keep');
SECURITY LABEL FOR gensynth ON VIEW mine.peek IS 'readers: gensynth_mr, gensynth_mo';
RESET ROLE;
SELECT is(left(got('gensynth_mr', 'SELECT m FROM synth_masked(NULL::mine.peek) AS m'), 5), '42501', 'a view of one''s own, with labels that keep all');
SELECT is(left(got('gensynth_mr', 'SELECT m FROM synth_masked(NULL::mine.peek, ''{ward}'') AS m'), 5), '42501', 'or with columns that one chooses');
SELECT is(left(got('gensynth_mo', 'SELECT m FROM synth_masked(NULL::mine.peek) AS m'), 5), '42501', 'its owner''s rights are not lent to it');
SELECT unalike(got('gensynth_mr', 'SELECT m FROM synth_masked(NULL::mine.shaped) AS m'), '%ictim%', 'a domain over the row type');
SELECT unalike(got('gensynth_mr', 'SELECT m FROM synth_masked(NULL::patient) AS m WHERE (m::mine.shaped) IS NOT NULL'), '%ictim%', 'and one that rows are cast to');
CREATE TEMP TABLE patient (id int, name text, email text);
SELECT is(left(got('gensynth_mr', 'SELECT m FROM synth_masked(NULL::pg_temp.patient) AS m'), 5), '42501', 'a table of the same name');
DROP TABLE pg_temp.patient;
SELECT is(left(got('gensynth_mx', 'SELECT m FROM mine.' || v || ' AS m'), 5), '42501', 'what the reader made does not read for others: ' || v) FROM unnest('{plain,barrier,rows()}'::text[]) AS v;
GRANT SELECT ON mine.plain, mine.barrier TO gensynth_mx;
SELECT is(left(got('gensynth_mx', 'SELECT m FROM mine.' || v || ' AS m'), 5), '42501', 'nor when it is granted: ' || v) FROM unnest('{plain,barrier}'::text[]) AS v;
SELECT is(got('gensynth_mx', 'SELECT count(*) FROM mine.lent() WHERE name LIKE ''Victim%'''), '0', 'what the reader lends is masked');
SELECT is(got('gensynth_mr', format('SELECT count(*) FROM %s WHERE mine.leak(name) AND mine.leak(email) AND mine.leak(pin::text) AND mine.leak(born::text)', v)), '200', 'leaks over ' || v) FROM unnest('{mine.plain,mine.barrier,mine.rows()}'::text[]) AS v;
SELECT is((SELECT count(*) FROM spoils, patient WHERE what LIKE '%' || name || '%' OR what LIKE '%' || email || '%' OR (what = born::text AND born <> date_trunc('year', born))), 0::bigint, 'see nothing');
SELECT cmp_ok((SELECT count(DISTINCT pin) FROM spoils JOIN patient ON what = pin::text), '<', 20::bigint, 'but numbers by chance');

-- what stands beside the columns, and is not the rows'
SELECT is(left(got('gensynth_mr', format('SELECT m.%I::text FROM synth_masked(NULL::patient) AS m', c)), 5), '42703', 'no ' || c) FROM unnest('{ctid,xmin,tableoid}'::text[]) AS c;
SELECT is(left(got('gensynth_mr', 'SELECT id FROM synth_masked(NULL::patient) TABLESAMPLE SYSTEM (1)'), 2), '42', 'no sample of pages');
SELECT is(as_role('gensynth_mr', 'SELECT id FROM synth_masked(NULL::patient) FOR UPDATE'), 'no error', 'nothing is locked');
SELECT is(as_role('gensynth_mr', s), '42501', 'the table itself: ' || left(s, 6)) FROM (VALUES ('SELECT name FROM patient LIMIT 0'), ('UPDATE patient SET id = m.id FROM synth_masked(NULL::patient) AS m WHERE m.id = 0 RETURNING patient.name'),
	('DELETE FROM patient USING synth_masked(NULL::patient) AS m WHERE patient.id = m.id RETURNING patient.*'), ('COPY patient TO ''/dev/null'''), ('LOCK patient IN ACCESS SHARE MODE')) AS v (s);
SELECT is(as_role('gensynth_mr', 'UPDATE mine.plain SET name = name RETURNING *'), '55000', 'a view of masked rows takes none');

-- what the extension has for other purposes
SELECT is(left(got('gensynth_mr', s), 5), '42501', 'nor does ' || substr(s, 8, 14)) FROM (VALUES ('SELECT synth_fit(''patient'')'), ('SELECT d FROM synth_complete(''patient'', ''{name}'') AS d'), ('SELECT d FROM synth_mask_plan(''patient'') AS d')) AS v (s);
SELECT unalike(got('gensynth_mr', 'SELECT d FROM synth_find_pii(''patient'') AS d'), '%corp.test%', 'what is looked for is what one may read');

-- children of a table, which have its rows and columns of their own
CREATE TABLE inpatient (bed text, doctor text) INHERITS (patient);
ALTER TABLE inpatient OWNER TO gensynth_mo;
INSERT INTO inpatient SELECT 1000 + i, 'Victim ' || i, 'victim' || i || '@corp.test', 78000 + i, 'ward 9', date '1950-01-01' + i, 3, 'bed', 'Doctor ' || i FROM generate_series(1, 50) AS i;
SELECT is(got('gensynth_mr', 'SELECT count(*) || '' '' || count(*) FILTER (WHERE name LIKE ''Victim%'' OR email LIKE ''%corp%'' OR pin BETWEEN 78000 AND 78050) FROM synth_masked(NULL::patient) WHERE ward = ''ward 9'''), '50 0', 'rows of a child are masked as its parent''s');
SELECT is(left(got('gensynth_mr', 'SELECT m FROM synth_masked(NULL::inpatient) AS m'), 5), '42501', 'a grant is not inherited');
SELECT is(as_role('gensynth_mo', 'SELECT synth_mask_grant(''inpatient'', ''gensynth_mr'')'), 'no error', 'one of its own');
SELECT is(left(got('gensynth_mr', 'SELECT m FROM synth_masked(NULL::inpatient) AS m'), 5), '55000', 'needs labels of its own');

-- shuffled values would need all rows
SELECT is(as_role('gensynth_mo', 'SELECT synth_label(''patient'', ''cost'', ''shuffle'')'), 'no error', 'a label');
SELECT matches(got('gensynth_mr', 'SELECT cost FROM synth_masked(NULL::patient)'), '^0A000', 'that is for tables in place');
SELECT * FROM finish();
ROLLBACK;
