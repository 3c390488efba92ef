#!/bin/bash
# `make demo`: learn a table, stream a million synthetic rows, and show both
# side by side, in a throwaway cluster.  The table is demo/patients.sql, or
# with CSV=file.csv the user's own; ROWS says how many rows (1e6).
set -euo pipefail
csv=${CSV:-}
[ -z "$csv" ] || csv=$(realpath "$csv")
cd "$(dirname "$0")/.."
unset MAKEFLAGS MAKELEVEL

psql() { command psql -X -q -v ON_ERROR_STOP=1 -P pager=off "$@"; }

if [ "${1:-}" != --inside ]; then
    rows=${ROWS:-1e6}
    [[ $rows =~ ^[0-9]+(\.[0-9]+)?([eE][0-9]+)?$ ]] || { echo "demo: ROWS=$rows is not a number" >&2; exit 2; }
    [ -z "$csv" ] || [ -r "$csv" ] || { echo "demo: cannot read $csv" >&2; exit 2; }

    PG_CONFIG=$(script/setup.sh)
    export PG_CONFIG
    echo 'building and installing gensynth ...'
    make -s -j "$(nproc)" PG_CONFIG="$PG_CONFIG" > /dev/null
    sudo=()
    [ "$(id -u)" = 0 ] || sudo=(sudo)
    "${sudo[@]}" make -s install PG_CONFIG="$PG_CONFIG" > /dev/null
    echo 'starting a throwaway PostgreSQL cluster ...'
    CSV=$csv ROWS=$rows exec script/cluster.sh script/demo.sh --inside
fi

createdb demo
export PGDATABASE=demo
psql -c 'CREATE EXTENSION gensynth'

if [ -z "$csv" ]; then
    table=patients
    echo 'making the table patients (demo/patients.sql) ...'
    psql -f demo/patients.sql
else
    # The table takes the file's name, made plain; the columns take the header's.
    table=$(basename "${csv%.*}" | LC_ALL=C tr '[:upper:]' '[:lower:]' | LC_ALL=C tr -c 'a-z0-9_\n' '_')
    [[ $table =~ ^[a-z_] ]] || table=t$table
    table=$(psql -At -v name="${table:0:60}" <<< "SELECT CASE quote_ident(:'name') WHEN :'name' THEN :'name' ELSE :'name' || '_1' END")
    iconv -f UTF-8 -t UTF-8 "$csv" > /dev/null 2>&1 || export PGCLIENTENCODING=LATIN1
    header=$(head -n 1 "$csv" | sed -e '1s/^\xef\xbb\xbf//' -e 's/\r$//')
    delimiter=,
    for d in ';' $'\t'; do
        [[ $header == *,* || $header != *"$d"* ]] || delimiter=$d
    done
    echo "loading $csv as the table $table ..."
    psql -v header="$header" -v delimiter="$delimiter" -v table="$table" -f demo/csv-stage.sql \
        -c "\\copy csv_staging FROM pstdin WITH (FORMAT csv, HEADER, DELIMITER '$delimiter')" \
        -f demo/csv.sql < "$csv"
    export PGCLIENTENCODING=UTF8
    psql -c "\\d $table"
fi

psql -v table="$table" -v rows="$ROWS" -f demo/demo.sql
