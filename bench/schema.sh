#!/bin/bash
# bench/schema.sh [--inside] [directory of the CSV files]
#
# Fits players and their fielding (../shared/data/baseball), makes as many rows,
# and judges them with ../shared/bench/schema_quality.py.  PYTHON names a
# python that has numpy, pandas, scikit-learn and xgboost; SEEDS other seeds.
set -uo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
[ "${1:-}" = --inside ] && where=${2:-} || where=${1:-}
[ -z "$where" ] || DATA=$(realpath "$where")
export DATA=${DATA:-$here/../shared/data}
judge=$here/../shared/bench/schema_quality.py
python=${PYTHON:-python3}
real=("$DATA/baseball/players_train.csv" "$DATA/baseball/fielding_train.csv")
if [ ! -r "$judge" ] || [ ! -r "${real[1]}" ]; then
    echo "schema: skipped, there is no $judge or no ${real[1]}"
    exit 0
fi
if ! "$python" -c 'import numpy, pandas, sklearn, xgboost' 2> /dev/null; then
    echo "schema: $python lacks numpy, pandas, scikit-learn or xgboost; name one that has them in PYTHON" >&2
    exit 2
fi
. "$here/bench/tables.sh"

start
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
psql << END || exit 1
CREATE SCHEMA baseball;
CREATE TABLE baseball.players (playerid text PRIMARY KEY, birthcountry text, birthdate date, deathdate date,
    namefirst text, namelast text, weight int, height int, bats text, throws text);
CREATE TABLE baseball.fielding (playerid text NOT NULL REFERENCES baseball.players, yearid int, teamid text, lgid text,
    pos text, g int, gs int, innouts int, po int, a int, e int, dp int);
\\copy baseball.players FROM '${real[0]}' CSV HEADER
\\copy baseball.fielding FROM '${real[1]}' CSV HEADER
ANALYZE;
\\timing on
SELECT relation, round(seconds::numeric, 2) AS seconds FROM synth_fit_schema('{baseball}', options => '{"order_by": {"fielding": "yearid"}}', seed => 1);
END
sets=()
for seed in ${SEEDS:-1 2 3}; do
    psql << END || exit 1
DROP SCHEMA IF EXISTS made CASCADE;
CREATE SCHEMA made;
\\timing on
CALL synth_schema_into('made', 'baseball', seed => $seed);
\\timing off
SELECT avg((yearid - extract(year FROM birthdate) BETWEEN 15 AND 45)::int) AS "debut at 15 to 45"
FROM (SELECT birthdate, min(yearid) AS yearid FROM made.players JOIN made.fielding USING (playerid) GROUP BY playerid, birthdate) AS d;
\\copy (SELECT * FROM made.players) TO '$out/p$seed.csv' CSV HEADER
\\copy (SELECT * FROM made.fielding) TO '$out/f$seed.csv' CSV HEADER
END
    sets+=("seed$seed=$out/p$seed.csv,$out/f$seed.csv")
done
"$python" "$judge" --key playerid --order yearid --natural playerid,yearid,teamid,pos \
    --drop namefirst,namelast,birthdate,deathdate --real "${real[@]}" "${sets[@]}"
