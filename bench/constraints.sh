#!/bin/bash
# bench/constraints.sh [--inside]
#
# What constraints cost: rows of the demo's patients, with its constraints and
# some more, over rows of a model of the same data without any.  Alternating,
# one process, no JIT, median of five.
set -uo pipefail
# shellcheck source=bench/tables.sh
. "$(dirname "$0")/tables.sh"
[ -z "${1:-}" ] || { echo "constraints: unknown argument $1" >&2; exit 2; }
start
psql -f demo/patients.sql
load() { cut -d ' ' -f 1 /proc/loadavg; }
echo "# $(date -I), load before $(load)"

psql <<'SQL' || exit 1
SET client_min_messages = warning;
SET jit = off;
SET max_parallel_workers_per_gather = 0;
CREATE TABLE free AS SELECT * FROM patients;
ALTER TABLE patients ADD CHECK (systolic > diastolic), ADD CHECK (last_visit::date > birth_date), ADD CHECK (cost >= 0),
    ADD CHECK (visit_count > 0 OR last_visit IS NULL);
SELECT synth_fit('patients', seed => 1), synth_fit('free', seed => 1) \g /dev/null
CREATE TEMP TABLE run (name text, seconds float8);
DO $$
DECLARE
    name text;
    columns text := (SELECT string_agg(format('count(%I)', attname), ', ') FROM pg_attribute WHERE attrelid = 'patients'::regclass AND attnum > 0);
    began timestamptz;
BEGIN
    FOR i IN 0 .. 5 LOOP
        FOREACH name IN ARRAY ARRAY['free', 'patients'] LOOP
            began := clock_timestamp();
            EXECUTE format('SELECT %s FROM synth_sample(NULL::%I, 200000, seed => 1)', columns, name);
            IF i > 0 THEN       -- the first is to warm up
                INSERT INTO run VALUES (name, extract(epoch FROM clock_timestamp() - began));
            END IF;
        END LOOP;
    END LOOP;
END $$;
\pset footer off
SELECT round(f::numeric, 3) AS "without, s", round(p::numeric, 3) AS "with, s", round((p / f)::numeric, 2) AS "ratio (<= 1.3)"
FROM (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE name = 'free') AS f,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE name = 'patients') AS p FROM run) AS r;
SELECT kind, columns, violations, round(acceptance::numeric, 3) AS acceptance FROM synth_check('patients', 20000) WHERE kind <> 'not null';
SQL
echo "# load after $(load)"
