# shellcheck shell=bash disable=SC2034
# bench/tables.sh: sourced by the benchmarks.  Runs them in a throwaway cluster
# and makes the tables that they need.
#
#   bench/fit.sh              in a cluster of script/cluster.sh; needs `make install`
#   bench/fit.sh --inside     on the server that PGHOST, PGPORT and PGUSER lead to,
#                             in a database gensynth_bench, which is made anew
#
# DATA names the directory of the CSV files, ../shared/data by default.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 2
data=${DATA:-../shared/data}

if [ "${1:-}" != --inside ]; then
    exec script/cluster.sh "bench/$(basename "$0")" --inside "$@"
fi
shift

psql() { command psql -X -q -v ON_ERROR_STOP=1 -P pager=off "$@"; }

start() {
    dropdb --if-exists gensynth_bench 2> /dev/null
    createdb gensynth_bench || exit 2
    export PGDATABASE=gensynth_bench
    # One core: what is compared with a stream must not use more.
    psql -c 'CREATE EXTENSION gensynth' \
        -c 'ALTER DATABASE gensynth_bench SET max_parallel_workers_per_gather = 0' || exit 2
}

# The census table adult, or without the CSV files the demo's patients.  Sets
# table to its name.
make_table() {
    if [ -r "$data/adult_train.csv" ]; then
        table=adult
        make_adult
    else
        echo "# no $data/adult_train.csv: measuring on the demo's table patients"
        table=patients
        psql -f demo/patients.sql
    fi
}

make_adult() {
    psql -c 'CREATE TABLE adult (age int, workclass text, fnlwgt int, education text, education_num int,
        marital_status text, occupation text, relationship text, race text, sex text, capital_gain int,
        capital_loss int, hours_per_week int, native_country text, income text)' \
        -c "\\copy adult FROM '$data/adult_train.csv' CSV HEADER" -c 'VACUUM ANALYZE adult'
}

make_shoppers() {
    psql -c 'CREATE TABLE shoppers (administrative int, administrative_duration float8, informational int,
        informational_duration float8, product_related int, product_related_duration float8, bounce_rates float8,
        exit_rates float8, page_values float8, special_day float8, month text, operating_systems int, browser int,
        region int, traffic_type int, visitor_type text, weekend boolean, revenue boolean)' \
        -c "\\copy shoppers FROM '$data/shoppers_train.csv' CSV HEADER" -c 'VACUUM ANALYZE shoppers'
}

# 100 columns, 20,000 rows: 40 integers and 60 texts with 2 to 40 values, as
# many of each as in adult, in groups of 10 that go together.
make_wide() {
    psql <<'SQL'
SELECT setseed(0.5) \g /dev/null
SELECT format('CREATE TABLE wide AS SELECT %s FROM (SELECT %s FROM generate_series(1, 20000)) AS t',
    string_agg(format(CASE WHEN i % 5 < 2 THEN '(1000 * (z%2$s + random()))::int AS c%1$s'
                           ELSE '''value '' || floor((z%2$s + random()) / 2 * %3$s) AS c%1$s' END,
                      i, i / 10, 2 + i % 39), ', ' ORDER BY i),
    string_agg(format('random() AS z%s', i), ', ') FILTER (WHERE i < 10))
FROM generate_series(0, 99) AS i \gexec
VACUUM ANALYZE wide;
SQL
}
