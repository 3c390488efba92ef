#!/bin/bash
# Attacks that need sessions of their own, with settings, workers and roles that log in; each with what it must not
# get.  The others are in attacks.sql and attacks_ownership.sql.  Prints TAP.
set -euo pipefail
# shellcheck source=test/lib/tap.bash
. "$(dirname "$0")/lib/tap.bash"

database=gensynth_attacks
roles='gensynth_mallory, gensynth_alice, gensynth_bob'
sql() { psql -X -q -A -t -d "$database" "$@" 2>&1; }
clean() {
    dropdb --if-exists "$database" 2> /dev/null || true
    psql -X -q -d postgres -c "DROP ROLE IF EXISTS $roles" 2> /dev/null || true
}
trap clean EXIT
clean
createdb "$database"
sql -v ON_ERROR_STOP=1 << 'SQL'
SET client_min_messages = warning;
CREATE EXTENSION gensynth;
CREATE ROLE gensynth_mallory;
CREATE ROLE gensynth_alice;
CREATE ROLE gensynth_bob;
CREATE SCHEMA evil AUTHORIZATION gensynth_mallory;
CREATE TABLE seen (who text);
GRANT ALL ON seen TO PUBLIC;
GRANT CREATE ON SCHEMA public TO gensynth_alice;
SET ROLE gensynth_mallory;
GRANT USAGE ON SCHEMA evil TO PUBLIC;
CREATE FUNCTION evil.spy() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen VALUES (current_user); RETURN true; END $$;
CREATE FUNCTION evil.eq(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT evil.spy()';
CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.eq);
CREATE FUNCTION evil.eq(int, int) RETURNS boolean LANGUAGE sql AS 'SELECT evil.spy()';
CREATE OPERATOR evil.= (LEFTARG = int, RIGHTARG = int, FUNCTION = evil.eq);
CREATE FUNCTION evil.count(int) RETURNS int LANGUAGE sql AS 'SELECT 1 WHERE evil.spy()';
CREATE DOMAIN evil.dom AS int CHECK (evil.spy());
SET ROLE gensynth_alice;
CREATE TABLE public.t AS SELECT i AS a, 'x' || i % 3 AS b FROM generate_series(1, 300) AS i;
ALTER TABLE t ADD CHECK (b <> 'a\' AND b <> ' OR evil.spy() OR ') NOT VALID, ADD PRIMARY KEY (a);
CREATE TABLE public.child AS SELECT i % 50 + 1 AS parent, i % 7 AS v FROM generate_series(1, 200) AS i;
ALTER TABLE child ADD FOREIGN KEY (parent) REFERENCES t (a);
SELECT FROM synth_fit('t', seed => 1);
SELECT synth_grant('t', 'gensynth_bob') \g /dev/null
SQL
seen() { sql -c "SELECT string_agg(DISTINCT who, ' ') FROM seen" -c 'DELETE FROM seen'; }
seen > /dev/null

# Settings of who samples do not turn what a condition quotes into code.
settings=(backslash_quote=on quote_all_identifiers=on transform_null_equals=on)
# 19 has no other strings
[ "$(sql -c 'SHOW server_version_num')" -ge 190000 ] || settings+=('standard_conforming_strings=off -c escape_string_warning=off')
for setting in "${settings[@]}"; do
    is "$(PGOPTIONS="-c $setting" sql -c 'SET ROLE gensynth_bob' -c "SELECT count(a) FROM synth_rows('t', 50, seed => 1) AS t(a int, b text)" -c 'RESET ROLE' -c 'SELECT count(*) FROM seen')" \
        $'50\n0' "$setting"
done

# Operators and functions on the search_path of who fits, samples and fills are not called.
sql -c 'SET search_path = evil, pg_catalog, public' -c "SELECT FROM public.synth_fit('public.child', seed => 1)" -c "CREATE TABLE public.child_too (parent int REFERENCES public.t, v int, UNIQUE (parent, v))" \
    -c "CALL public.synth_into('public.child_too', 20, model => 'child', seed => 1)" -c "SELECT pg_catalog.count(*) FROM public.synth_check('child', 50)" \
    -c "SELECT pg_catalog.count(*) FROM public.synth_models" -c "SELECT pg_catalog.count(*) FROM public.synth_constraints('child')" -c "SELECT public.synth_view('child', 'public.child_view', 10, 1)" \
    -c "SELECT pg_catalog.count(*) FROM public.child_view" > /dev/null
is "$(sql -c 'SELECT count(*) FROM child_too')" 20 'a table is filled under a hostile search_path'
is "$(seen)" '' 'which calls nothing of it'

# A domain of the caller's choice does not run in workers.
is "$(sql -c 'SET parallel_setup_cost = 0' -c 'SET parallel_tuple_cost = 0' -c 'SET max_parallel_workers_per_gather = 2' \
    -c "EXPLAIN SELECT count(a) FROM synth_rows('t', 1e6, seed => 1) AS t(a evil.dom)" | grep -c Gather || true)" 0 'a domain keeps the scan out of workers'
is "$(sql -c 'SET parallel_setup_cost = 0' -c 'SET parallel_tuple_cost = 0' -c 'SET max_parallel_workers_per_gather = 2' \
    -c "EXPLAIN SELECT count(a) FROM synth_rows('t', 1e6, seed => 1) AS t(a int)" | grep -c Gather || true)" 1 'which works for others'
is "$(seen)" '' 'and planning runs nothing'

# A cast whose function is not parallel safe does the same.
sql -c 'CREATE TYPE colour AS ENUM ($$red$$)' -c 'CREATE FUNCTION red(text) RETURNS colour LANGUAGE sql PARALLEL UNSAFE AS $$SELECT $x$red$x$::colour$$' \
    -c 'CREATE CAST (text AS colour) WITH FUNCTION red(text) AS ASSIGNMENT'
is "$(sql -c 'SET parallel_setup_cost = 0' -c 'SET parallel_tuple_cost = 0' -c 'SET max_parallel_workers_per_gather = 2' \
    -c "EXPLAIN SELECT count(b) FROM synth_rows('t', 1e6, seed => 1) AS t(b colour)" | grep -c Gather || true)" 0 'a cast keeps the scan out of workers'

# The catalog is nobody's to read or write.
for statement in 'TABLE gensynth.tensors' 'DELETE FROM gensynth.models' "UPDATE gensynth.constraints SET expression = 'evil.spy()'" 'INSERT INTO gensynth.grants VALUES (1, 1)'; do
    is "$(sql -c 'SET ROLE gensynth_bob' -c "$statement" | head -n 1)" 'ERROR:  permission denied for schema gensynth' "$statement"
done

echo "1..$n"
exit "$failed"
