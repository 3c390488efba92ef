-- Models at rest: versions, names, owners, transactions.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS gensynth;
RESET client_min_messages;
CREATE SCHEMA catalog;
CREATE ROLE regress_gs_alice;
CREATE ROLE regress_gs_bob;
CREATE ROLE "regress_gs ""Q'é";
CREATE ROLE regress_gs_team;
GRANT regress_gs_alice, regress_gs_bob, "regress_gs ""Q'é", regress_gs_team TO CURRENT_USER;
GRANT regress_gs_team TO regress_gs_bob;
GRANT USAGE, CREATE ON SCHEMA catalog TO PUBLIC;
SET search_path = catalog, public;
SET ROLE regress_gs_alice;
CREATE TABLE t (a int, b text);
INSERT INTO t SELECT i, 'b' || i % 3 FROM generate_series(1, 100) AS i;
GRANT SELECT ON t TO PUBLIC;
RESET ROLE;
CREATE VIEW kept AS
    SELECT model, owner, max(version) FILTER (WHERE current) AS current, array_agg(version ORDER BY version) AS versions
    FROM synth_models WHERE owner ~ 'regress_gs' GROUP BY 1, 2 ORDER BY 1;

--
-- Versions
--
SET ROLE regress_gs_alice;
SELECT model, version FROM synth_fit('t', seed => 1);
SELECT model, version FROM synth_fit('t', seed => 1);
SELECT model, version FROM synth_fit('t', seed => 1);
SELECT model, version FROM synth_fit('t', seed => 1);
RESET ROLE;
TABLE kept;
SELECT model, version, current, method, source, owner, rows, epsilon,
    fitted_at <= clock_timestamp() AND fitted_at > clock_timestamp() - interval '1 hour' AS fitted_at,
    seconds >= 0 AS seconds, bytes > 0 AS bytes
FROM synth_models WHERE owner = 'regress_gs_alice' ORDER BY version;
-- a version of the same rows, fitted with the same seed, makes the same again
SET ROLE regress_gs_alice;
CREATE TEMP TABLE v4 AS SELECT r FROM synth_sample('t', 100, seed => 1) AS r;
SELECT synth_use('catalog.t', 2);
CREATE TEMP TABLE v2 AS SELECT r FROM synth_sample('t', 100, seed => 1) AS r;
SELECT count(*) AS different FROM (TABLE v4 EXCEPT TABLE v2) AS d;
SELECT synth_use('t', 4);
SELECT count(*) FROM (TABLE v4 EXCEPT ALL SELECT r FROM synth_sample('t', 100, seed => 1) AS r) AS d;
-- from version 2 the next is 5, and 2, 3 and 4 are not more than the two newest besides
SELECT synth_use('t', 2);
SELECT version FROM synth_fit('t', seed => 1);
RESET ROLE;
TABLE kept;
SET ROLE regress_gs_alice;
SELECT synth_drop('t', 4);
SELECT synth_drop('t', 5); \echo :LAST_ERROR_SQLSTATE
SELECT version FROM synth_fit('t', seed => 1, options => '{"keep_versions": 0}');
RESET ROLE;
TABLE kept;
SET ROLE regress_gs_alice;
SELECT version FROM synth_fit('t', seed => 1, options => '{"keep_versions": 10}');
SELECT version, count(*) FROM generate_series(6, 7) AS version, synth_columns('t', version) GROUP BY 1 ORDER BY 1;

--
-- Transactions
--
BEGIN;
SELECT version FROM synth_fit('t', seed => 1);
SELECT version FROM synth_fit('t', seed => 1, model => 'gone');
SELECT synth_drop('t', 7);
ROLLBACK;
BEGIN;
SELECT version FROM synth_fit('t', seed => 1);
SAVEPOINT s;
SELECT version FROM synth_fit('t', seed => 1, options => '{"keep_versions": 0}');
SELECT version FROM synth_fit('t', seed => 1, model => 'gone');
SELECT synth_drop('t');
ROLLBACK TO s;
SELECT count(*) FROM synth_sample('t', 10);
COMMIT;
DROP TABLE v2, v4;
DO $$
BEGIN
    PERFORM synth_fit('t', seed => 1, model => 'gone');
    RAISE division_by_zero;
EXCEPTION WHEN division_by_zero THEN
    RAISE NOTICE 'as % with search_path %', current_user, current_setting('search_path');
END $$;
DO $$
BEGIN
    PERFORM synth_sample('gone', 1);
EXCEPTION WHEN undefined_object THEN
    RAISE NOTICE 'as % with search_path %', current_user, current_setting('search_path');
END $$;
RESET ROLE;
TABLE kept;
SET ROLE regress_gs_alice;
SELECT synth_drop('t');
RESET ROLE;
TABLE kept;

--
-- Names
--
SET ROLE regress_gs_alice;
SELECT model FROM synth_fit('t', seed => 1, model => 'It''s "a" model; with все буквы 🦉');
SELECT count(*) FROM synth_sample('It''s "a" model; with все буквы 🦉', 10);
SELECT count(*) FROM synth_sample('Its "a" model; with все буквы 🦉', 10);
SELECT length(model) FROM synth_fit('t', seed => 1, model => repeat('long ', 51));
SELECT count(*) FROM synth_sample(repeat('long ', 51), 10);
SELECT model FROM synth_fit('t', seed => 1, model => '$1 %s ..\');
SELECT count(*) FROM synth_sample('$1 %s ..\', 10);
SELECT count(*), count(synth_drop(model)) FROM synth_models WHERE owner = current_user;
-- a model named like another relation; the typed form goes by the relation
CREATE TABLE other (x int);
INSERT INTO other SELECT generate_series(1, 50);
SELECT model, source FROM synth_fit('t', model => 'catalog.other', seed => 1);
SELECT count(b) FROM synth_sample(NULL::t, 10);
-- a relation's name stands for the model named after it; to sample, for any of its models
SELECT synth_drop('t'); \echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM synth_sample('t', 10);
SELECT count(*) FROM synth_sample(' Catalog . t ', 10);
SELECT count(x) FROM synth_sample(NULL::other, 10);
SELECT count(r->>'b') FROM synth_sample('catalog.other', 10) AS r;
-- several models of one table: the typed form wants to be told which
SELECT model FROM synth_fit('t', model => 'first', columns => '{a}', seed => 1);
SELECT model FROM synth_fit('t', model => 'second', columns => '{b}', seed => 1);
SELECT count(a) AS a, count(b) AS b FROM synth_sample(NULL::t, 10);
SELECT count(a) AS a, count(b) AS b FROM synth_sample(NULL::t, 10, model => 'first');
SELECT count(a) AS a, count(b) AS b FROM synth_sample(NULL::t, 10, 'catalog.other');
SELECT synth_drop('first');
SELECT synth_drop('catalog.other');
SELECT count(a) AS a, count(b) AS b FROM synth_sample(NULL::t, 10);
-- another's model of the same table does not take the place of one's own, unless it was granted
SET ROLE regress_gs_bob;
SELECT count(b) FROM synth_sample(NULL::t, 10);
SELECT model FROM synth_fit('t', model => 'third', seed => 1);
SET ROLE regress_gs_alice;
SELECT count(a) AS a, count(b) AS b FROM synth_sample(NULL::t, 10);
SET ROLE regress_gs_bob;
SELECT synth_grant('third', 'regress_gs_alice');
SET ROLE regress_gs_alice;
SELECT count(a) AS a, count(b) AS b FROM synth_sample(NULL::t, 10); \echo :LAST_ERROR_SQLSTATE
SELECT model FROM synth_fit('t', model => 'first', columns => '{a}', seed => 1);
SELECT model FROM synth_models ORDER BY 1;
-- a model that is fitted again from another source: each version has its own
SELECT version FROM synth_fit('other', model => 'moved', seed => 1);
SELECT version FROM synth_fit('SELECT a FROM t', model => 'moved', seed => 1);
SELECT version, current, source FROM synth_models WHERE model = 'moved' ORDER BY 1;
SELECT count(x) FROM synth_sample(NULL::other, 10);
SELECT synth_use('moved', 1);
SELECT count(x) FROM synth_sample(NULL::other, 10);
SELECT synth_drop('moved');
-- all that a relation's name may be
CREATE TABLE "a.T" (x int);
INSERT INTO "a.T" SELECT generate_series(1, 50);
SELECT model FROM synth_fit('"a.T"', seed => 1);
SELECT count(*) FROM synth_sample('catalog."a.T"', 10);
SELECT count(*) FROM synth_sample('"a.T"', 10);
SELECT count(*) FROM synth_sample(NULL::"a.T", 10);
SELECT count(*) FROM synth_sample('a.T', 10);
SELECT synth_drop('"a.T"');

--
-- Owners
--
SET ROLE regress_gs_bob;
SELECT synth_fit('t', model => 'first'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_use('first', 1); \echo :LAST_ERROR_SQLSTATE
SELECT synth_drop('first'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_grant('first', 'regress_gs_bob'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_revoke('first', 'regress_gs_alice'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_columns('first'); \echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM synth_sample(NULL::t, 10, model => 'first'); \echo :LAST_ERROR_SQLSTATE
SELECT model FROM synth_models ORDER BY 1;
-- a name that the caller may not know is not in the hint
SELECT count(*) FROM synth_sample('firsd', 10);
-- what a role owns, its members own; but they fit it as that role
RESET ROLE;
SET ROLE regress_gs_team;
SELECT model FROM synth_fit('t', model => 'of the team', seed => 1);
SET ROLE regress_gs_bob;
SELECT model, version FROM synth_fit('t', model => 'of the team', seed => 1); \echo :LAST_ERROR_SQLSTATE
RESET ROLE;
SET ROLE regress_gs_team;
SELECT model, version FROM synth_fit('t', model => 'of the team', seed => 1);
SET ROLE regress_gs_bob;
SELECT synth_use('of the team', 1);
SELECT model, version, owner FROM synth_models WHERE model = 'of the team' ORDER BY 2;
RESET ROLE;
-- a name that needs quotes, as owner and in a grant
SET ROLE "regress_gs ""Q'é";
SELECT model FROM synth_fit('t', model => 'quoted', seed => 1);
SELECT synth_grant('quoted', 'regress_gs_bob');
SELECT model, owner FROM synth_models;
SELECT count(*) FROM synth_sample('first', 1);
SET ROLE regress_gs_alice;
SELECT synth_grant('first', '"regress_gs ""Q''é"');
SET ROLE "regress_gs ""Q'é";
SELECT count(*) FROM synth_sample('first', 1);
SET ROLE regress_gs_bob;
SELECT count(*) FROM synth_sample('quoted', 1);
RESET ROLE;
-- a member of all owns all
SELECT count(synth_drop(model)) FROM (SELECT DISTINCT model FROM synth_models WHERE owner ~ '^regress_gs') AS m;
SELECT count(*) FROM synth_models;

-- DROP EXTENSION removes all
DROP VIEW kept;
BEGIN;
DROP EXTENSION gensynth;
SELECT to_regnamespace('gensynth'), to_regclass('public.synth_models'), to_regprocedure('synth_drop(text, int)');
ROLLBACK;

RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA catalog CASCADE;
DROP ROLE regress_gs_alice, regress_gs_bob, "regress_gs ""Q'é", regress_gs_team;
