#!/bin/bash
# freeze.sh
#
# Keep what a release leaves on disk, for test/upgrade.sh of the versions after
# it: the install script, and what pg_dump says of a database with a model of
# each method.  To be run once, when the version that is built and installed is
# released; then the control file gets the next one, with a script from this
# one to it.
#
#   test/releases/gensynth--VERSION.sql
#   test/releases/VERSION.sql.gz           weights of networks keep 4 bits of
#                                          their mantissas, for fewer bytes
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" gensynth.control)

if [ "${1:-}" != --inside ]; then
    cp "gensynth--$version.sql" test/releases/
    exec script/cluster.sh script/freeze.sh --inside
fi
createdb frozen
psql -X -q -v ON_ERROR_STOP=1 -d frozen << 'SQL'
SET client_min_messages = warning;
CREATE ROLE gensynth_upgrade_owner;
CREATE ROLE gensynth_upgrade_reader;
CREATE EXTENSION gensynth;
GRANT CREATE ON SCHEMA public TO gensynth_upgrade_owner;
SET ROLE gensynth_upgrade_owner;
CREATE TABLE visits AS SELECT i AS id, (ARRAY['a', 'b', 'c'])[1 + i % 3] AS ward, (i * 7919 % 100)::int AS age,
    round(1 + (i * 31 % 97) / 7.0, 2) AS cost, date '2020-01-01' + i AS day FROM generate_series(1, 300) AS i;
ALTER TABLE visits ADD PRIMARY KEY (id), ADD CHECK (age >= 0);
SELECT (synth_fit('visits', 'tree', model => 'tree', seed => 1)).version,
    (synth_fit('visits', 'tree', model => 'tree', seed => 2)).version,
    (synth_fit('visits', 'copula', model => 'copula', seed => 1)).version,
    (synth_fit('SELECT ward, age FROM visits', 'vae', model => 'vae', seed => 1, options => '{"steps": 20}')).version,
    (synth_fit('SELECT ward, age FROM visits', 'gan', model => 'gan', seed => 1, options => '{"steps": 20}')).version,
    (synth_fit('SELECT ward, age FROM visits', 'diffusion', model => 'diffusion', seed => 1, options => '{"steps": 20}')).version,
    (synth_fit('visits', 'private', columns => '{ward,age}', model => 'private', epsilon => 1)).version \g /dev/null
SELECT synth_grant('tree', 'gensynth_upgrade_reader'), synth_grant('copula', 'public') \g /dev/null
RESET ROLE;
CREATE TABLE exported AS SELECT model, synth_export(model) AS bytes FROM unnest(ARRAY['tree', 'private']) AS model;
UPDATE gensynth.tensors SET data = substr(data, 1, 4) || substr(sha256(rounded), 1, 8) || rounded
FROM (SELECT model AS m, version AS v, name AS n,
        decode(regexp_replace(encode(substr(data, 13), 'hex'), '....(.).(..)', '0000\10\2', 'g'), 'hex') AS rounded
    FROM gensynth.tensors WHERE type = 'float4') AS t
WHERE model = m AND version = v AND name = n AND model IN ('vae', 'gan', 'diffusion') AND octet_length(data) > 4000;
SQL
pg_dump frozen | gzip -n9 > "test/releases/$version.sql.gz"
ls -l test/releases
