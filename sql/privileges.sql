-- Who may do what: nothing without a grant, no more than sampling with one;
-- and what users make of their own schemas changes nothing.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS gensynth;
RESET client_min_messages;
\set SHOW_CONTEXT never
CREATE SCHEMA hospital;
CREATE ROLE regress_gs_clerk;
CREATE ROLE regress_gs_analyst;
CREATE ROLE regress_gs_group;
CREATE ROLE regress_gs_member;
GRANT regress_gs_clerk, regress_gs_analyst, regress_gs_group, regress_gs_member TO CURRENT_USER;
GRANT regress_gs_group TO regress_gs_member;
ALTER SCHEMA hospital OWNER TO regress_gs_clerk;

SET ROLE regress_gs_clerk;
CREATE TYPE hospital.sex AS ENUM ('F', 'M');
CREATE DOMAIN hospital.code AS text CHECK (VALUE ~ '^[A-Z]\d$');
CREATE TABLE hospital.patients (id int, sex hospital.sex, code hospital.code);
INSERT INTO hospital.patients
    SELECT i, (ARRAY['F', 'M'])[1 + i % 2]::hospital.sex, chr(65 + i % 3) || i % 4 FROM generate_series(1, 200) AS i;
SELECT model FROM synth_fit('hospital.patients', seed => 1);

--
-- Without a grant
--
SET ROLE regress_gs_analyst;
SELECT count(*) FROM synth_models;
SELECT * FROM synth_sample('hospital.patients', 1); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_rows('hospital.patients', 1) AS t(id int); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_columns('hospital.patients'); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM synth_sample('hospital.patient', 1); \echo :LAST_ERROR_SQLSTATE
TABLE gensynth.models; \echo :LAST_ERROR_SQLSTATE
TABLE gensynth.versions; \echo :LAST_ERROR_SQLSTATE
TABLE gensynth.columns; \echo :LAST_ERROR_SQLSTATE
TABLE gensynth.tensors; \echo :LAST_ERROR_SQLSTATE
TABLE gensynth.grants; \echo :LAST_ERROR_SQLSTATE
INSERT INTO gensynth.grants VALUES ('hospital.patients', 'regress_gs_analyst'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_grant('hospital.patients', 'regress_gs_analyst'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('hospital.patients', model => 'mine'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('SELECT 1 AS a FROM generate_series(1, 10)', model => 'hospital.patients'); \echo :LAST_ERROR_SQLSTATE

--
-- With a grant: neither the source's table nor its schema need be open
--
SET ROLE regress_gs_clerk;
SELECT synth_grant('hospital.patients', 'regress_gs_analyst');
SELECT synth_grant('hospital.patients', 'regress_gs_analyst');
SELECT synth_grant('hospital.patients', 'regress_gs_group');
SET ROLE regress_gs_analyst;
SELECT model, version, current, owner FROM synth_models;
SELECT count(*) FROM synth_sample('hospital.patients', 100);
SELECT count(id), count(sex), count(code) FROM synth_rows('hospital.patients', 100) AS t(id int, sex text, code text);
SELECT name, type, kind FROM synth_columns('hospital.patients');
TABLE hospital.patients; \echo :LAST_ERROR_SQLSTATE
TABLE gensynth.tensors; \echo :LAST_ERROR_SQLSTATE
SELECT synth_fit('hospital.patients'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_use('hospital.patients', 1); \echo :LAST_ERROR_SQLSTATE
SELECT synth_drop('hospital.patients'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_drop('hospital.patients', 1); \echo :LAST_ERROR_SQLSTATE
SELECT synth_grant('hospital.patients', 'regress_gs_member'); \echo :LAST_ERROR_SQLSTATE
SELECT synth_revoke('hospital.patients', 'regress_gs_group'); \echo :LAST_ERROR_SQLSTATE
-- through a group; and through a function that runs as its owner
SET ROLE regress_gs_member;
SELECT model FROM synth_models;
SELECT count(*) FROM synth_sample('hospital.patients', 100);
SET ROLE regress_gs_clerk;
CREATE FUNCTION hospital.sample(n int) RETURNS SETOF jsonb SECURITY DEFINER SET search_path = public
    LANGUAGE sql AS 'SELECT synth_sample(''hospital.patients'', n)';
GRANT USAGE ON SCHEMA hospital TO regress_gs_analyst;
SELECT synth_revoke('hospital.patients', 'regress_gs_analyst');
SELECT synth_revoke('hospital.patients', 'regress_gs_analyst');

--
-- After it is taken back
--
SET ROLE regress_gs_analyst;
SELECT count(*) FROM synth_models;
SELECT count(*) FROM synth_sample('hospital.patients', 100); \echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM synth_sample(NULL::hospital.patients, 100); \echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM synth_columns('hospital.patients'); \echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM hospital.sample(100);
SET ROLE regress_gs_member;
SELECT count(*) FROM synth_sample('hospital.patients', 100);
RESET ROLE;

--
-- A user's own operators, functions and tables, first in the search_path
--
CREATE SCHEMA trap AUTHORIZATION regress_gs_clerk;
SET ROLE regress_gs_clerk;
CREATE FUNCTION trap.caught() RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'caught as %', current_user; END $$;
CREATE FUNCTION trap.equal(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT trap.caught()';
CREATE FUNCTION trap.equal(int, int) RETURNS boolean LANGUAGE sql AS 'SELECT trap.caught()';
CREATE FUNCTION trap.equal(name, text) RETURNS boolean LANGUAGE sql AS 'SELECT trap.caught()';
CREATE OPERATOR trap.= (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.equal);
CREATE OPERATOR trap.= (LEFTARG = int, RIGHTARG = int, FUNCTION = trap.equal);
CREATE OPERATOR trap.= (LEFTARG = name, RIGHTARG = text, FUNCTION = trap.equal);
CREATE OPERATOR trap.<> (LEFTARG = int, RIGHTARG = int, FUNCTION = trap.equal);
CREATE OPERATOR trap.+ (LEFTARG = int, RIGHTARG = int, FUNCTION = trap.equal);
CREATE FUNCTION trap.pg_has_role(oid, oid, text) RETURNS boolean LANGUAGE sql AS 'SELECT trap.caught()';
CREATE FUNCTION trap.pg_has_role(oid, text) RETURNS boolean LANGUAGE sql AS 'SELECT trap.caught()';
CREATE FUNCTION trap.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT trap.caught()::text::timestamptz';
CREATE TABLE trap.pg_roles (oid oid, rolname name);
CREATE TABLE trap.models (name text, owner text);
CREATE DOMAIN trap.text AS pg_catalog.text CHECK (trap.caught());
CREATE DOMAIN trap.int4 AS pg_catalog.int4 CHECK (trap.caught());
CREATE TEMP TABLE models (LIKE trap.models);
CREATE TEMP TABLE versions (a int);
CREATE TEMP TABLE grants (a int);
CREATE TEMP TABLE pg_roles (a int);
CREATE TEMP TABLE tensors (a int);
SET search_path = trap, pg_temp, pg_catalog, public;
SELECT pg_catalog.count(*) FROM public.synth_models WHERE model OPERATOR(pg_catalog.=) 'hospital.patients';
SELECT version FROM public.synth_fit('hospital.patients', seed => 1);
SELECT pg_catalog.count(*) FROM public.synth_sample('hospital.patients', 10);
SELECT pg_catalog.count(*) FROM public.synth_sample(NULL::hospital.patients, 10);
SELECT pg_catalog.count(*) FROM public.synth_columns('hospital.patients');
SELECT pg_catalog.count(*) FROM public.synth_sample('hospital.patient', 10);
SELECT public.synth_grant('hospital.patients', 'regress_gs_member');
SELECT public.synth_revoke('hospital.patients', 'regress_gs_member');
SELECT public.synth_use('hospital.patients', 1);
SELECT public.synth_drop('hospital.patients', 2);
-- but a query is the user's own, and finds what the user put there
SELECT version FROM public.synth_fit('SELECT 1 = 1 AS a', model => 'trapped');
RESET search_path;
DROP TABLE pg_temp.models, pg_temp.versions, pg_temp.grants, pg_temp.pg_roles, pg_temp.tensors;
RESET ROLE;
SELECT model, owner, version, current FROM synth_models WHERE model = 'hospital.patients';

SELECT synth_drop('hospital.patients');
SET client_min_messages = warning;
DROP SCHEMA hospital, trap CASCADE;
DROP ROLE regress_gs_clerk, regress_gs_analyst, regress_gs_member, regress_gs_group;
