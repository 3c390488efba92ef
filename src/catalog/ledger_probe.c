/*
 * ledger_probe.c
 *	  What tests ask of the ledger, with a rho of their own.  No SQL of the
 *	  extension declares these functions; a test does, as a superuser.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/builtins.h"

#include "catalog/ledger.h"
#include "compat.h"

/*
 * debit(relation oid, model text, rho float8): as a fit would, before it reads
 * a row.  Returns the number of the ledger's row.
 */
GS_FUNCTION(gs_probe_debit);

Datum
gs_probe_debit(PG_FUNCTION_ARGS)
{
	double		rho = PG_GETARG_FLOAT8(2);
	GsLedgerStep step = {"a \"count\"", 3, 2.5, rho, 0};
	int64		id;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	id = gs_ledger_debit(PG_GETARG_OID(0),
						 text_to_cstring(PG_GETARG_TEXT_PP(1)), "private", 1,
						 1e-6, rho, &step, 1, NULL);
	SPI_finish();
	PG_RETURN_INT64(id);
}

/*
 * stored(id bigint, model text, version int): as a fit would, once its version
 * is stored.
 */
GS_FUNCTION(gs_probe_stored);

Datum
gs_probe_stored(PG_FUNCTION_ARGS)
{
	gs_ledger_stored(PG_GETARG_INT64(0),
					 text_to_cstring(PG_GETARG_TEXT_PP(1)),
					 PG_GETARG_INT32(2));
	PG_RETURN_VOID();
}
