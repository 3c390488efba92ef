#!/bin/bash
# Whole schemas: each table is learned, and its clone, made with LIKE INCLUDING
# ALL and its foreign keys again, takes the synthetic rows at the first
# attempt.  Chinook, Synthea, and random schemas.  Prints TAP.
set -euo pipefail
# shellcheck source=test/lib/tap.bash
. "$(dirname "$0")/lib/tap.bash"

database=gensynth_schemas
data=$(dirname "$0")/../../shared/data
lib=$(dirname "$0")/lib

sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$database" "$@"; }

trap 'dropdb --if-exists "$database" 2> /dev/null || true' EXIT
dropdb --if-exists "$database" 2> /dev/null || true
createdb "$database"
sql -c 'CREATE EXTENSION gensynth' -f "$lib/schemas.sql"

# Schemas' tables, filled: what goes wrong is printed.
filled() {
    {
        echo 'SET client_min_messages = warning;'
        while [ $# -gt 0 ]; do
            echo "SELECT clone_schema('$1', '$2') \\g /dev/null"
            echo "SELECT fill_schema('$1', '$2');"
            shift 2
        done
    } | sql 2>&1
}

is "$(sql -c 'SELECT setseed(0.5)' -c "SELECT random_schema('s' || i) FROM generate_series(1, 20) AS i" > /dev/null
    filled $(for i in $(seq 20); do echo "s$i d$i"; done))" '' 'twenty random schemas' 

if [ -r "$data/chinook/track.csv" ]; then
    sql -f "$lib/chinook.sql" > /dev/null
    for table in artist album media_type genre track employee customer invoice invoice_line playlist playlist_track; do
        sql -c "\\copy chinook.$table FROM '$data/chinook/$table.csv' CSV HEADER"
    done
    is "$(filled chinook music)" '' 'chinook'
    is "$(sql -c "CALL synth_into('music.invoice', 4120, model => 'chinook.invoice', seed => 2)" 2>&1
        sql -c 'SELECT count(*) FROM music.invoice')" 4532 'ten times as many invoices after those'
    is "$(sql -c "
        SELECT abs(a.mean - b.mean) < 0.3 * a.mean AND abs(a.none - b.none) < 0.1 FROM
        (SELECT avg(n) AS mean, avg((n = 0)::int) AS none FROM (SELECT count(album_id) AS n
            FROM chinook.artist LEFT JOIN chinook.album USING (artist_id) GROUP BY artist_id) AS c) AS a,
        (SELECT avg(n) AS mean, avg((n = 0)::int) AS none FROM (SELECT count(album_id) AS n
            FROM music.artist LEFT JOIN music.album USING (artist_id) GROUP BY artist_id) AS c) AS b")" t 'children of an artist are as many as they were'
    is "$(sql -c "
        WITH RECURSIVE tree AS (SELECT employee_id FROM music.employee WHERE reports_to IS NULL
            UNION ALL SELECT e.employee_id FROM music.employee AS e JOIN tree AS t ON e.reports_to = t.employee_id)
        SELECT count(*) = (SELECT count(*) FROM music.employee) FROM tree")" t 'employees are a forest'
else
    echo "# skipped: no $data/chinook"
fi

if [ -r "$data/synthea/patients.csv" ]; then
    sql -f "$lib/synthea.sql" > /dev/null
    for table in patients organizations providers payers encounters conditions; do
        sql -c "\\copy synthea.$table FROM '$data/synthea/$table.csv' CSV HEADER"
    done
    is "$(filled synthea clinic)" '' 'synthea'
    is "$(sql -c "
        SELECT bool_and(abs(a - b) < 0.1 * a) FROM
        (SELECT percentile_cont(ARRAY[0.5, 0.75, 0.9]) WITHIN GROUP (ORDER BY extract(epoch FROM stop - start)) FROM synthea.encounters) AS s(x),
        (SELECT percentile_cont(ARRAY[0.5, 0.75, 0.9]) WITHIN GROUP (ORDER BY extract(epoch FROM stop - start)) FROM clinic.encounters) AS c(y),
        unnest(x, y) AS u(a, b)")" t 'stays are as long as they were'
else
    echo "# skipped: no $data/synthea"
fi
echo "1..$n"
exit "$failed"
