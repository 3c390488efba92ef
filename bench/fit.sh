#!/bin/bash
# bench/fit.sh [--inside]
#
# Seconds of synth_fit, storing included: the table as it is, and a million
# rows made of it, with much memory and with the default.  A fit has one
# process and no threads.  Median of five, and of three for the million.
set -uo pipefail
# shellcheck source=bench/tables.sh disable=SC2154
. "$(dirname "$0")/tables.sh"
start
make_table
psql -c "CREATE TABLE million AS SELECT t.* FROM $table AS t, generate_series(1, 60) LIMIT 1000000" \
    -c 'VACUUM ANALYZE million'

measure() {
    psql -v table="$1" -v runs="$2" -v memory="$3" <<'SQL'
SET client_min_messages = warning;
SET maintenance_work_mem = :'memory';
SELECT set_config('bench.table', :'table', false), set_config('bench.runs', :'runs', false) \g /dev/null
CREATE TEMP TABLE run (seconds float8, notes text);
DO $$
DECLARE
    began timestamptz;
    told text;
BEGIN
    FOR i IN 1 .. current_setting('bench.runs')::int LOOP
        began := clock_timestamp();
        SELECT array_to_string(notes, '; ') INTO told FROM synth_fit(current_setting('bench.table'), seed => i);
        INSERT INTO run VALUES (extract(epoch FROM clock_timestamp() - began), told);
    END LOOP;
END $$;
\t on
\pset format unaligned
SELECT format('fit of %s, %s rows x %s, maintenance_work_mem %s: %s s (%s to %s) %s', :'table',
              (SELECT to_char(count(*), 'FM9,999,999') FROM :"table"), (SELECT count(*) FROM synth_columns(:'table')),
              :'memory', round(percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds)::numeric, 2),
              round(min(seconds)::numeric, 2), round(max(seconds)::numeric, 2), max(notes)) FROM run;
SQL
}

measure "$table" 5 64MB && measure million 3 512MB && measure million 3 64MB
