-- Budgets of tables and the ledger of what private fits have spent: who may
-- say and see what, sums, what follows a table when it is renamed, replaced or
-- divided, and fits that are not private.
\set QUIET on
SET client_min_messages = warning;
\ir lib/as_role.sql
-- The same under a setting.
CREATE FUNCTION under(setting text, value text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    before text := current_setting(setting);
BEGIN
    PERFORM set_config(setting, value, true);
    EXECUTE statement;
    PERFORM set_config(setting, before, true);
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END $$;
CREATE FUNCTION debit(relation regclass, model text, rho float8) RETURNS bigint LANGUAGE C STRICT AS 'gensynth', 'gs_probe_debit';
CREATE FUNCTION stored(id bigint, model text, version int) RETURNS void LANGUAGE C STRICT AS 'gensynth', 'gs_probe_stored';
DROP ROLE IF EXISTS ledger_owner, ledger_friend, ledger_stranger;
CREATE ROLE ledger_owner;
CREATE ROLE ledger_friend IN ROLE ledger_owner;
CREATE ROLE ledger_stranger;
CREATE SCHEMA clinic;
GRANT USAGE, CREATE ON SCHEMA clinic TO ledger_owner;
GRANT USAGE ON SCHEMA clinic TO ledger_stranger;
CREATE TABLE clinic.patients AS SELECT i AS age, 'b' || i % 3 AS kind FROM generate_series(1, 100) AS i;
ALTER TABLE clinic.patients OWNER TO ledger_owner;
GRANT SELECT ON clinic.patients TO ledger_stranger;
SELECT no_plan();
-- What an epsilon of 1 costs at a delta of 1e-6.
\set one 0.024355

-- What is refused.
SELECT throws_ok(format('SELECT synth_budget(%s)', a), e, NULL, a || ' is refused') FROM (VALUES
    ('NULL, 1', '22004'), ($$'clinic.patients', NULL$$, '22004'), ($$'clinic.patients', 1, NULL$$, '22004'),
    ($$'clinic.patients', 0$$, '22023'), ($$'clinic.patients', -1$$, '22023'), ($$'clinic.patients', 'NaN'$$, '22023'),
    ($$'clinic.patients', 'Infinity'$$, '22023'), ($$'clinic.patients', 1, 0$$, '22023'), ($$'clinic.patients', 1, 1e-300$$, '22023'), ($$'clinic.patients', 1, -1e-9$$, '22023'),
    ($$'clinic.patients', 1, 0.0100001$$, '22023'), ($$'clinic.patients', 1, 'NaN'$$, '22023'), ($$'clinic.patients', 1, 'Infinity'$$, '22023'),
    ($$'synth_models', 1$$, '42809'), ($$'gensynth.privacy_ledger_pkey', 1$$, '42809'), ('4000000000::oid, 1', '42P01'),
    ($$'nowhere', 1$$, '42P01')) AS v(a, e);
CREATE TEMP TABLE fleeting (a int);
SELECT throws_ok($$SELECT synth_budget('fleeting', 1)$$, '42809', 'pg_temp.fleeting is a temporary table', 'so are temporary tables');
SELECT is(as_role('ledger_stranger', $$SELECT synth_budget('clinic.patients', 1)$$), '42501', 'and who is not the owner');
SELECT is(count(*), 0::bigint, 'nothing is written then') FROM gensynth.privacy_budgets;
SELECT is(under('transaction_read_only', 'on', $$SELECT synth_budget('clinic.patients', 1)$$), '25006', 'nor in a transaction that only reads');

-- A budget is spent.
SELECT is(as_role('ledger_friend', $$SELECT synth_budget('clinic.patients', 1)$$), 'no error', 'a member of the owner declares one');
SELECT is(debit('clinic.patients', 'm', :one), 1::bigint, 'a fit that takes all of it');
SELECT throws_ok($$SELECT debit('clinic.patients', 'm', 1e-5)$$, '53400', 'privacy budget of clinic.patients is spent', 'leaves nothing for another');
CREATE FUNCTION told() RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    PERFORM debit('clinic.patients', 'm', 0.0243);
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN ARRAY[detail, hint];
END $$;
SELECT matches((told())[1], '^Epsilon 0\.99\d+ is spent and 0\.99\d+ is asked for, which is 1\.\d+ together, and the limit is 1, all at delta 1e-06\.$', 'which is told in detail');
SELECT matches((told())[2], 'synth_budget', 'with a hint');
SELECT results_eq('SELECT id, relation, model, version, method, epsilon, delta FROM synth_ledger',
    $$VALUES (1::bigint, 'clinic.patients', 'm', NULL::int, 'private', 1::float8, 1e-6::float8)$$, 'the ledger has one row');
SELECT is(steps, '[{"query": "a \"count\"", "cells": 3, "sigma": 2.5, "rho": 0.024355}]', 'and its steps') FROM synth_ledger;
SELECT is(role || session_role, current_user || session_user, 'and its roles') FROM synth_ledger;
SELECT throws_ok($$SELECT synth_budget('clinic.patients', 0.99)$$, '22023', 'budget of clinic.patients is below what is spent', 'a budget covers what is spent');
SELECT throws_ok($$SELECT synth_budget('clinic.patients', 1, 1e-7)$$, '22023', NULL, 'its delta too');
SELECT lives_ok($$SELECT synth_budget('clinic.patients', 2)$$, 'a larger one is declared');
SELECT is(count(*), 1::bigint, 'in the place of the other') FROM gensynth.privacy_budgets;
SELECT is(round(spent::numeric, 3), 1.000, 'it shows what is spent') FROM synth_budgets;
SELECT lives_ok($$SELECT synth_budget('clinic.patients', 1.2896, 1e-5)$$, 'at another delta');
SELECT is(debit('clinic.patients', 'm', :one), 2::bigint, 'two of epsilon 1 and delta 1e-6 are one of 1.2896 and 1e-5');
SELECT throws_ok($$SELECT debit('clinic.patients', 'm', 1e-5)$$, '53400', NULL, 'and no more');

-- Whatever becomes of the transaction.
SELECT synth_budget('clinic.patients', 100) \g /dev/null
BEGIN;
INSERT INTO clinic.patients VALUES (1, 'x');
SELECT debit('clinic.patients', 'rolled back', :one) AS id \gset
SELECT stored(:id, 'rolled back', 7) \g /dev/null
SELECT synth_budget('clinic.patients', 99) \g /dev/null
LOCK TABLE clinic.patients;
SELECT debit('clinic.patients', 'again', :one) \g /dev/null
ROLLBACK;
SELECT is(array_agg(model || coalesce(version, -1) ORDER BY id), '{m-1,m-1,"rolled back-1",again-1}', 'what is spent stays spent') FROM synth_ledger;
SELECT is(epsilon, 99::float8, 'and a budget stays declared') FROM synth_budgets;
DO $$
BEGIN
    BEGIN
        PERFORM debit('clinic.patients', 'undone', 0.01);
        RAISE EXCEPTION 'undone';
    EXCEPTION WHEN raise_exception THEN
    END;
END $$;
SELECT is(count(*), 1::bigint, 'subtransactions too') FROM synth_ledger WHERE model = 'undone';
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT count(*) FROM clinic.patients \g /dev/null
SELECT debit('clinic.patients', 'kept', :one) AS id \gset
SELECT stored(:id, 'kept', 7) \g /dev/null
COMMIT;
SELECT is(version, 7, 'a version that is stored is written into the row, which is newer than the snapshot') FROM synth_ledger WHERE model = 'kept';
BEGIN;
SELECT debit('clinic.patients', 'one', :one) AS id \gset
SELECT stored(:id, 'one', 1) \g /dev/null
ALTER TABLE clinic.patients RENAME TO people;
SELECT debit('clinic.people', 'two', :one) AS id \gset
SELECT stored(:id, 'two', 1) \g /dev/null
SELECT debit('clinic.people', 'three', :one) \g /dev/null
COMMIT;
SELECT is(count(version), 2::bigint, 'two fits and a rename in one transaction') FROM synth_ledger WHERE model IN ('one', 'two', 'three');
ALTER TABLE clinic.people RENAME TO patients;

-- Who sees what.
SET ROLE ledger_stranger;
SELECT is((SELECT count(*) FROM synth_ledger) + (SELECT count(*) FROM synth_budgets), 0::bigint, 'others see neither ledger nor budgets');
SET ROLE ledger_friend;
SELECT is((SELECT count(*) > 5 FROM synth_ledger) AND (SELECT count(*) = 1 FROM synth_budgets), true, 'the owner does');
RESET ROLE;
SELECT is(as_role('ledger_owner', 'SELECT FROM gensynth.privacy_ledger'), '42501', 'the tables are nobody''s');
SELECT is(as_role('ledger_stranger', $$SELECT debit('clinic.patients', 'm', 0.001)$$), 'no error', 'a role without any right on the ledger spends');
SELECT is(role, 'ledger_stranger', 'and is told of') FROM synth_ledger ORDER BY id DESC LIMIT 1;
GRANT USAGE ON SCHEMA gensynth TO ledger_stranger;
SELECT is(as_role('ledger_stranger', $$SELECT gensynth.privacy_spent('clinic.patients'::regclass, 1e-6)$$), '42501', 'what is spent is told to the owner');
REVOKE USAGE ON SCHEMA gensynth FROM ledger_stranger;

-- Names.
CREATE FUNCTION spent(relation regclass) RETURNS numeric LANGUAGE sql
AS 'SELECT round(gensynth.privacy_spent(relation, 1e-6)::numeric, 3)';
CREATE TABLE a AS SELECT 1 AS x;
CREATE TABLE b AS SELECT 1 AS x;
SELECT synth_budget('a', 1), synth_budget('b', 1), debit('a', 'm', :one) \g /dev/null
ALTER TABLE a RENAME TO c;
SELECT is(spent('c'), 1.000, 'a rename keeps the account');
SELECT is(relation, 'public.c', 'and shows in the ledger') FROM synth_ledger WHERE relation LIKE '%.c';
SELECT throws_ok($$SELECT debit('c', 'm', 0.001)$$, '53400', 'privacy budget of public.c is spent', 'and it keeps the budget');
ALTER TABLE b RENAME TO a;
SELECT is(spent('a'), 1.000, 'who takes an old name takes its account');
SELECT throws_ok($$SELECT debit('a', 'm', 0.001)$$, '53400', NULL, 'so names that were swapped spend nothing more');
SELECT synth_budget('c', 10) \g /dev/null
SELECT is(spent('a'), 0.000, 'until the names are brought up to date');
SELECT is(array_agg(relation || epsilon ORDER BY relation), '{public.a1,public.c10}', 'of budgets too') FROM synth_budgets WHERE relation ~ 'public';
DROP TABLE c;
CREATE TABLE c AS SELECT 2 AS x;
SELECT is(spent('c'), 1.000, 'a table that is made anew goes on');
SELECT debit('c', 'm', 0.001) \g /dev/null
ALTER TABLE c SET SCHEMA clinic;
SELECT is(spent('clinic.c') > 1, true, 'and so it does under another name then');
ALTER SCHEMA clinic RENAME TO "My Clinic";
SELECT is(count(*), 2::bigint, 'names of schemas') FROM synth_ledger WHERE relation = '"My Clinic".c';
ALTER SCHEMA "My Clinic" RENAME TO clinic;
SELECT is('"No".where'::gensynth.relation::text || gensynth.relation_oid('nothing at all'), '"No".where0', 'a relation that there is not');
SELECT is(gensynth.relation_now('clinic.patients'), 'clinic.patients'::regclass::oid, 'and one that there is');
SELECT is(x::gensynth.relation::text || '|' || gensynth.relation_oid(x::gensynth.relation) || coalesce(gensynth.relation_now(x::gensynth.relation)::text, ''), x || '|0',
    'text that is no name: ' || left(x, 10))
FROM (VALUES (''), ('.'), ('clinic.'), ('a.b.c'), ('"'), ('patients'), ('clinic.patients; DROP'), (repeat('x', 5000) || '.y'), (E'"\n".y')) AS v(x);
BEGIN READ ONLY;
SELECT is((SELECT count(*) > 9 FROM synth_ledger) AND (SELECT count(spent) > 2 FROM synth_budgets), true, 'all is seen in a transaction that only reads');
COMMIT;
BEGIN;
CREATE TABLE new_here AS SELECT i AS x FROM generate_series(1, 100) AS i;
SELECT synth_budget('new_here', 1), debit('new_here', 'm', :one) \g /dev/null
SELECT throws_ok($$SELECT debit('new_here', 'm', 0.01)$$, '53400', NULL, 'a table of the same transaction');
ROLLBACK;

-- Partitions and children.
CREATE TABLE years (y int, x int) PARTITION BY LIST (y);
CREATE TABLE years_1 PARTITION OF years FOR VALUES IN (1);
CREATE TABLE years_2 PARTITION OF years FOR VALUES IN (2) PARTITION BY LIST (x);
CREATE TABLE years_2_2 PARTITION OF years_2 FOR VALUES IN (2);
CREATE TABLE before (y int, x int);
SELECT synth_budget('years_2_2', 1), debit('years_1', 'm', :one) \g /dev/null
SELECT is(array_agg(relation), '{public.years}', 'a budget of a partition is its root''s') FROM synth_budgets WHERE relation ~ 'years';
SELECT is(array_agg(relation), '{public.years}', 'and so is what it spends') FROM synth_ledger WHERE relation ~ 'years';
SELECT throws_ok(format('SELECT debit(%L, %L, 0.01)', t, 'm'), '53400', 'privacy budget of public.years is spent', t || ' has no more')
FROM (VALUES ('years'), ('years_2'), ('years_2_2')) AS v(t);
SELECT debit('before', 'm', :one) \g /dev/null
SELECT synth_budget('years', 2) \g /dev/null
ALTER TABLE years ATTACH PARTITION before FOR VALUES IN (3);
SELECT is(spent('years'), spent('before'), 'a partition that is attached brings its account');
SELECT is(spent('years') > 1.2, true, 'so that of all is the sum');
CREATE TABLE parent (x int);
CREATE TABLE child () INHERITS (parent);
SELECT synth_budget('child', 1), debit('child', 'm', :one) \g /dev/null
SELECT throws_ok($$SELECT debit('parent', 'm', 0.01)$$, '53400', NULL, 'rows of children count for the parent');

-- Fits that are not private.
CREATE FUNCTION fit(source text, options jsonb DEFAULT '{}') RETURNS text LANGUAGE sql
AS $$SELECT model FROM synth_fit(source, model => 'open', seed => 1, options => options)$$;
CREATE VIEW seen AS SELECT age FROM clinic.patients;
CREATE MATERIALIZED VIEW seen_then AS SELECT * FROM seen;
CREATE TABLE free AS SELECT i AS x FROM generate_series(1, 100) AS i;
INSERT INTO child SELECT i FROM generate_series(1, 100) AS i;
SELECT throws_ok(format('SELECT fit(%L)', s), '55000', NULL, s || ' takes no fit without epsilon') FROM (VALUES
    ('clinic.patients'), ('SELECT * FROM clinic.patients'), ('seen'), ('seen_then'), ('SELECT * FROM seen_then'),
    ('SELECT x FROM free WHERE x IN (SELECT age FROM clinic.patients)'), ('WITH p AS (SELECT * FROM seen) SELECT * FROM p'),
    ('SELECT (SELECT max(age) FROM clinic.patients), x FROM free'), ('years_1'), ('parent'), ('child')) AS v(s);
SELECT throws_ok($$SELECT synth_fit_background('clinic.patients', model => 'open')$$, '55000', 'table clinic.patients has a privacy budget', 'nor one in the background');
SELECT throws_ok($$SELECT synth_fit_schema('{clinic}', exclude => '{clinic.c}')$$, '55000', NULL, 'nor one of the schema');
SELECT is(fit('free'), 'open', 'others do');
SELECT count(*) AS n FROM gensynth.privacy_ledger \gset
SELECT is(fit('seen', '{"unprotected": true}'), 'open', 'the owner may');
SELECT is(array_agg(concat_ws('|', relation, model, method, epsilon, delta, rho, steps)), '{clinic.patients|open|tree}', 'which the ledger tells')
FROM (SELECT * FROM synth_ledger ORDER BY id OFFSET :n) AS l;
SELECT is(as_role('ledger_stranger', $$SELECT synth_fit('clinic.patients', model => 'theirs', options => '{"unprotected": true}')$$), '42501', 'others may not');
CREATE FUNCTION clinic.definer() RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
AS $$SELECT model FROM synth_fit('clinic.patients', model => 'defined', options => '{"unprotected": true}')$$;
ALTER FUNCTION clinic.definer() OWNER TO ledger_owner;
SELECT is(under('session_authorization', 'ledger_stranger', 'SELECT clinic.definer()'), '42501', 'not by a function of the owner''s either');
SELECT is(under('session_authorization', 'ledger_owner', 'SELECT clinic.definer()'), 'no error', 'which does for the owner');
CREATE TABLE clinic.visits AS SELECT i AS age FROM generate_series(1, 100) AS i;
DELETE FROM clinic.patients WHERE kind = 'x';
ALTER TABLE clinic.patients ADD PRIMARY KEY (age);
ALTER TABLE clinic.visits ADD FOREIGN KEY (age) REFERENCES clinic.patients;
SELECT lives_ok($$SELECT synth_fit('clinic.visits', seed => 1)$$, 'a table whose parents have a budget');

-- Fits that are.
CREATE TABLE clinic.beds (age int CHECK (age BETWEEN 0 AND 9));
INSERT INTO clinic.beds SELECT i % 10 FROM generate_series(1, 100) AS i;
ALTER TABLE clinic.beds OWNER TO ledger_owner;
BEGIN;
INSERT INTO clinic.beds VALUES (1);
SELECT synth_budget('clinic.beds', 1) \g /dev/null
SELECT version AS first FROM synth_fit('clinic.beds', epsilon => 0.7) \gset
COMMIT;
SELECT is(:first, 1, 'a budget and a fit in one transaction');
SELECT throws_ok($$SELECT synth_fit('clinic.beds', epsilon => 0.8)$$, '53400', 'privacy budget of clinic.beds is spent', 'another, which is too much');
SELECT is(concat_ws('|', relation, model, version, method, epsilon, delta), 'clinic.beds|clinic.beds|1|private|0.7|1e-06', 'the ledger tells')
FROM synth_ledger WHERE relation = 'clinic.beds';
SELECT is(version, 2, 'all in one statement') FROM synth_budget('clinic.beds', 20), synth_fit('clinic.beds', epsilon => 0.3, delta => 1e-7);
SELECT synth_budget('clinic.beds', 2) \g /dev/null
CREATE FUNCTION clinic.ask(epsilon float8) RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
AS $$SELECT model FROM synth_fit('clinic.beds', model => 'asked', epsilon => ask.epsilon)$$;
ALTER FUNCTION clinic.ask(float8) OWNER TO ledger_owner;
CREATE FUNCTION ask_often() RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    said text[];
BEGIN
    FOR i IN 1 .. 12 LOOP
        BEGIN
            PERFORM clinic.ask(0.7);
            RAISE EXCEPTION 'undone';
        EXCEPTION WHEN OTHERS THEN
            said := said || SQLSTATE::text;
        END;
    END LOOP;
    RETURN said;
END $$;
CREATE FUNCTION told_often() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    said text[];
    before text := session_user;
BEGIN
    PERFORM set_config('session_authorization', 'ledger_stranger', true);
    said := ask_often();
    PERFORM set_config('session_authorization', before, true);
    RETURN array_to_string(said, ' ');
END $$;
SELECT matches(told_often(), '^(P0001 ){2,7}(53400 ?){4,9}$', 'a stranger who asks again and again, and rolls back, spends no more than there is');
SELECT is(spent <= 2 AND spent > 1.7, true, 'but all of it') FROM synth_budgets WHERE relation = 'clinic.beds';
SELECT is(array_agg(DISTINCT role || ' ' || session_role || coalesce(version, 0)), '{"ledger_owner ledger_stranger0"}', 'the ledger tells who it was')
FROM synth_ledger WHERE model = 'asked';
SELECT is(under('session_authorization', 'ledger_stranger', 'SELECT clinic.ask(NULL)'), '55000', 'and there is no way around it by no epsilon');

-- A model is private for life.
CREATE TABLE public.wards (age int CHECK (age BETWEEN 0 AND 9));
INSERT INTO public.wards SELECT i % 10 FROM generate_series(1, 100) AS i;
SELECT model FROM synth_fit('wards', seed => 1) \g /dev/null
SELECT synth_grant('wards', 'ledger_stranger') \g /dev/null
SELECT is(version, 2, 'a model becomes private') FROM synth_fit('wards', epsilon => 1);
SELECT is(concat_ws('|', epsilon, delta), '1|1e-06', 'which its version tells') FROM gensynth.versions WHERE model = 'wards' AND version = 2;
SELECT throws_ok(s, '55000', NULL, s) FROM (VALUES
    ($$SELECT synth_fit('wards')$$), ($$SELECT synth_fit('wards', method => 'vae', options => '{"warm_start": 1}')$$),
    ($$SELECT synth_fit('SELECT 1 AS a FROM wards', model => 'wards')$$), ($$SELECT synth_fit_background('wards')$$),
    ($$SELECT synth_use('wards', 1)$$), ($$SELECT * FROM synth_columns('wards', 1)$$)) AS v(s);
SELECT throws_ok($$SELECT synth_fit('wards', epsilon => 1, options => '{"warm_start": 1}')$$, '22023', NULL, 'it has no start in another');
SELECT is(version, 3, 'it is fitted again with epsilon') FROM synth_fit('wards', epsilon => 1);
SELECT lives_ok($$SELECT synth_use('wards', 2)$$, 'and goes to another private version');
SELECT is(as_role('ledger_stranger', $$SELECT FROM synth_sample('wards', 10)$$), 'no error', 'who may sample it goes on');

SELECT * FROM finish();
SET client_min_messages = error;
DROP OWNED BY ledger_owner, ledger_friend, ledger_stranger CASCADE;
DROP ROLE ledger_owner, ledger_friend, ledger_stranger;
