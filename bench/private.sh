#!/bin/bash
# bench/private.sh [--inside]
#
# Differentially private fits: how far columns of adult_discrete are off, its
# domain file as categories, by epsilon; what quality.py says of adult with
# bounds and levels declared, and with nothing; the time and memory of a million rows and of ten
# times as many.  RUNS (5) are averaged; JUDGE= leaves quality.py out, TARGET=income names
# adult's target, PAIRS=false is for columns by themselves.  PYTHON: see quality.sh.
set -uo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
export DATA=${DATA:-$here/../shared/data}
judge=$here/../shared/bench/quality.py
python=${PYTHON:-python3}
runs=${RUNS:-5}
pairs=${PAIRS:-true}
if [ ! -r "$DATA/adult_discrete.csv" ]; then
    echo "private: skipped, there is no $DATA/adult_discrete.csv"
    exit 0
fi
# shellcheck source=bench/tables.sh
. "$here/bench/tables.sh"
start
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# The domain file: the number of codes of each column, all of them whole numbers.
columns=$(head -1 "$DATA/adult_discrete.csv")
psql -c "CREATE TABLE discrete (${columns//,/ int NOT NULL,} int NOT NULL)" \
    -c "\\copy discrete FROM '$DATA/adult_discrete.csv' CSV HEADER"
psql -v domain="$(cat "$DATA/adult_discrete_domain.json")" <<'SQL'
CREATE TABLE domain AS
SELECT key AS name, value::int AS codes FROM jsonb_each_text(:'domain');
-- total variation of each column
CREATE FUNCTION distances(source regclass, synthetic regclass) RETURNS TABLE (name name, tv float8)
LANGUAGE plpgsql AS $$
BEGIN
    FOR name IN SELECT attname FROM pg_attribute WHERE attrelid = source AND attnum > 0 LOOP
        EXECUTE format('SELECT sum(abs(coalesce(r.share, 0) - coalesce(s.share, 0))) / 2
            FROM (SELECT %1$I AS value, count(*)::float8 / sum(count(*)) OVER () AS share FROM %2$s GROUP BY 1) r
            FULL JOIN (SELECT %1$I AS value, count(*)::float8 / sum(count(*)) OVER () AS share FROM %3$s GROUP BY 1) s
            USING (value)', name, source, synthetic) INTO tv;
        RETURN NEXT;
    END LOOP;
END $$;
SQL
for epsilon in 0.3 1 3; do
    psql -v epsilon=$epsilon -v runs="$runs" -v pairs="$pairs" <<'SQL'
SELECT set_config('bench.epsilon', :'epsilon', false), set_config('bench.runs', :'runs', false), set_config('bench.pairs', :'pairs', false) \g /dev/null
CREATE TEMP TABLE run (tv float8, seconds float8);
SET client_min_messages = warning;
DO $$
DECLARE
    began timestamptz;
    taken float8;
BEGIN
    FOR i IN 1 .. current_setting('bench.runs')::int LOOP
        began := clock_timestamp();
        PERFORM synth_fit('discrete', epsilon => current_setting('bench.epsilon')::float8, delta => 1e-9,
            options => (SELECT jsonb_build_object('pairs', current_setting('bench.pairs')::boolean, 'categories', jsonb_object_agg(name,
                (SELECT jsonb_agg(code) FROM generate_series(0, codes - 1) code))) FROM domain));
        taken := extract(epoch FROM clock_timestamp() - began);
        CREATE TEMP TABLE synthetic AS SELECT * FROM synth_sample(NULL::discrete, 48842, seed => i);
        INSERT INTO run SELECT avg(tv), taken FROM distances('discrete', 'synthetic');
        DROP TABLE synthetic;
    END LOOP;
END $$;
\t on
\pset format unaligned
SELECT format('adult_discrete, epsilon %s: mean total variation of columns %s, fit %s s', :'epsilon',
    round(avg(tv)::numeric, 4), round(avg(seconds)::numeric, 2)) FROM run;
SQL
done

make_adult
bounds='"bounds": {"age": [17, 90], "fnlwgt": [10000, 1500000], "education_num": [1, 16], "capital_gain": [0, 99999],
    "capital_loss": [0, 5000], "hours_per_week": [1, 99]}'
psql -v bounds="$bounds" -v target="${TARGET:-}" -v pairs="$pairs" <<'SQL'
CREATE TABLE asked AS SELECT CASE WHEN :'target' = '' THEN '{}' ELSE jsonb_build_object('target', :'target') END ||
    jsonb_build_object('pairs', :'pairs'::boolean) || ('{' || :'bounds' || '}')::jsonb || jsonb_build_object('categories', (
    SELECT jsonb_object_agg(key, levels) FROM (
        SELECT key, jsonb_agg(DISTINCT value) AS levels FROM adult, jsonb_each_text(to_jsonb(adult))
        WHERE value IS NOT NULL AND NOT ('{' || :'bounds' || '}')::jsonb -> 'bounds' ? key GROUP BY key) AS of_column)) AS options;
SQL
if [ -n "${JUDGE-1}" ] && "$python" -c 'import numpy, pandas, sklearn, xgboost' 2> /dev/null && [ -r "$judge" ]; then
    synthetic=()
    for ((i = 1; i <= runs; i++)); do
        psql -o /dev/null -c "SELECT synth_fit('adult', epsilon => ${EPSILON:-1}, delta => ${DELTA:-1e-6}, options => (SELECT options FROM asked))"
        psql -c "\\copy (SELECT * FROM synth_sample(NULL::adult, model => 'adult', seed => $i)) TO '$out/$i.csv' CSV HEADER"
        synthetic+=("run$i=$out/$i.csv")
    done
    psql -o /dev/null -c "SELECT synth_fit('adult', model => 'undeclared', epsilon => ${EPSILON:-1}, delta => ${DELTA:-1e-6}, options => '{\"pairs\": $pairs}')"
    psql -c "\\copy (SELECT * FROM synth_sample(NULL::adult, model => 'undeclared', seed => 1)) TO '$out/undeclared.csv' CSV HEADER"
    synthetic+=("undeclared=$out/undeclared.csv")
    "$python" "$judge" --train "$DATA/adult_train.csv" --test "$DATA/adult_test.csv" --target income "${synthetic[@]}"
else
    echo "private: $python lacks numpy, pandas, scikit-learn or xgboost; name one that has them in PYTHON" >&2
fi

# The memory of the process of a fit once it is done, shared buffers aside.
for rows in ${ROWS:-100000 1000000}; do
    psql -v rows="$rows" <<'SQL'
SET client_min_messages = warning;
DROP TABLE IF EXISTS many;
CREATE TABLE many AS SELECT a.* FROM adult a, generate_series(1, :rows / 32561 + 1) LIMIT :rows;
VACUUM ANALYZE many;
SQL
    psql -v rows="$rows" <<'SQL'
SET client_min_messages = warning;
SELECT clock_timestamp() AS began, pg_backend_pid() AS pid \gset
\setenv PID :pid
\set before `awk '{ print $14 + $15 }' /proc/$PID/stat`
SELECT synth_fit('many', epsilon => 1, options => (SELECT options FROM asked)) \g /dev/null
SELECT clock_timestamp() - :'began' AS taken \gset
\set after `awk '{ print $14 + $15 }' /proc/$PID/stat`
\set memory `awk '/RssAnon/ { print $2 }' /proc/$PID/status`
\t on
\pset format unaligned
SELECT format('fit of %s rows: %s s (%s s of processor), %s kB', to_char(:rows, 'FM99,999,999'),
    round(extract(epoch FROM :'taken'::interval)::numeric, 2), round((:after - :before) / 100.0, 2), :'memory');
SQL
done
