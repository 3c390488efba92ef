#!/bin/bash
# key_continue.sh
#
# gs_key_continue: a sequence goes on behind the last value that a target has.
# No SQL function leads there by itself, so a small module calls it.  Prints
# TAP.
set -euo pipefail
cd "$(dirname "$0")/.."
config=${PG_CONFIG:-pg_config}
# From 16 on, a server's modules hide their functions from each other.
if [ "$("$config" --version | sed -E 's/^PostgreSQL ([0-9]+).*/\1/')" -ge 16 ]; then
    echo '1..0 # SKIP modules of this version cannot call each other'
    exit
fi
work=$(mktemp -d)
trap 'dropdb --if-exists gensynth_continue 2> /dev/null; rm -rf "$work"' EXIT
chmod 755 "$work"

cat > "$work/continued.c" << 'C'
#include "postgres.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "catalog/pg_type.h"
#include "column/key.h"
#include "stream/stream.h"

PG_MODULE_MAGIC;
PG_FUNCTION_INFO_V1(continued);
Datum		continued(PG_FUNCTION_ARGS);

/* continued(model, column, last, first, n): column's rows first to first + n - 1 */
Datum
continued(PG_FUNCTION_ARGS)
{
	GsModel    *model = gs_model_load(gs_catalog_open(text_to_cstring(PG_GETARG_TEXT_PP(0))), 0);
	int			c = PG_GETARG_INT32(1) - 1;
	const GsColumn *column = &model->schema->columns[c];
	int64		first = PG_GETARG_INT64(3);
	int64		n = PG_GETARG_INT64(4);
	Oid			input;
	Oid			param;
	Oid			output;
	bool		varlena;
	GsStream   *stream;
	Datum	   *values;
	bool	   *nulls;
	ArrayBuildState *out = NULL;

	getTypeInputInfo(column->codec.type, &input, &param);
	getTypeOutputInfo(column->codec.type, &output, &varlena);
	if (!gs_key_continue(column, OidInputFunctionCall(input, text_to_cstring(PG_GETARG_TEXT_PP(2)), param, -1), first))
		PG_RETURN_NULL();
	gs_keys_check(model->schema, first, n);
	stream = gs_stream_open(model, gs_stream_desc(model), 42);
	gs_stream_seek(stream, first, first + n);
	while (gs_stream_next(stream, &values, &nulls))
		out = accumArrayResult(out, CStringGetTextDatum(OidOutputFunctionCall(output, values[c])),
							   nulls[c], TEXTOID, CurrentMemoryContext);
	PG_RETURN_DATUM(makeArrayResult(out, CurrentMemoryContext));
}
C
"${CC:-gcc}" -shared -fPIC -O1 -Isrc -I"$("$config" --includedir-server)" -o "$work/continued.so" "$work/continued.c"
chmod 755 "$work/continued.so"

dropdb --if-exists gensynth_continue 2> /dev/null
createdb gensynth_continue
psql -X -q -A -t -v ON_ERROR_STOP=1 -d gensynth_continue << SQL
SET client_min_messages = warning;
CREATE EXTENSION pgtap;
CREATE EXTENSION gensynth;
LOAD 'gensynth';
CREATE FUNCTION continued(text, int, text, bigint, bigint) RETURNS text[] STRICT LANGUAGE c AS '$work/continued';
CREATE TABLE t AS SELECT g::int2 AS i, 100 + g * 5 AS stepped, 'ORD-' || lpad(g::text, 4, '0') AS code, g + 0.00 AS n,
    date '2020-01-01' + g AS d, md5(g::text)::uuid AS u FROM generate_series(1, 200) AS g;
ALTER TABLE t ADD UNIQUE (i), ADD UNIQUE (stepped), ADD UNIQUE (code), ADD UNIQUE (n), ADD UNIQUE (d), ADD UNIQUE (u);
SELECT synth_fit('t', seed => 1) \g /dev/null
SELECT plan(10);
SELECT is(continued('t', 1, '200', 0, 3), '{201,202,203}', 'an integer goes on');
SELECT is(continued('t', 1, '200', 5000, 3), '{201,202,203}', 'from whatever row comes first');
SELECT is(continued('t', 2, '1100', 10, 2), '{1105,1110}', 'in its steps');
SELECT is(continued('t', 2, '1102', 10, 2), '{1105,1110}', 'behind a number between two of them');
SELECT is(continued('t', 3, 'ORD-9998', 10, 3), '{ORD-9999,ORD-10000,ORD-10001}', 'a text''s number');
SELECT is(continued('t', 3, 'something', 0, 3), NULL, 'but not behind another text');
SELECT is(continued('t', 4, '317.5', 0, 2), '{318.00,319.00}', 'a numeric');
SELECT is(continued('t', 5, '1990-01-01', 0, 2), '{2020-01-02,2020-01-03}', 'a target that ends before: the source''s own');
SELECT is(continued('t', 6, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 0, 2), NULL, 'a uuid is no sequence');
SELECT throws_ok(\$\$SELECT continued('t', 1, '32000', 0, 768)\$\$, '2200H', NULL, 'too few numbers behind the last');
SELECT * FROM finish();
SQL
