/*
 * import.c
 *	  synth_import: models that synth_export made bytes of.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "catalog/exchange.h"
#include "model/model.h"
#include "owner/owners.h"

/*
 * An error unless what was just stored can be loaded, as if it were to be
 * sampled.
 */
static void
check_stored(const List *names)
{
	ListCell   *cell;

	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	foreach(cell, names)
	{
		const GsModelEntry *model = gs_catalog_find(lfirst(cell));
		const GsVersionEntry *version = gs_catalog_load(model, 0);

		(void) gs_model_of(version, model->name);
		if (version->owners != NULL)
			(void) gs_owners_load(version->owners);
	}
	PopActiveSnapshot();
}

/*
 * synth_import(data bytea, model text = NULL): see catalog.sql.
 */
GS_FUNCTION(synth_import);

Datum
synth_import(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "gensynth import",
												  ALLOCSET_DEFAULT_SIZES);
	List	   *names;
	text	   *name;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("data must not be null"),
				 errhint("Pass what synth_export returned.")));
	PreventCommandIfReadOnly("synth_import()");
	gs_model_need_stack();
	MemoryContextSwitchTo(context);
	names = gs_exchange_store(PG_GETARG_BYTEA_PP(0), PG_ARGISNULL(1) ? NULL :
							  text_to_cstring(PG_GETARG_TEXT_PP(1)));
	check_stored(names);
	MemoryContextSwitchTo(caller);
	name = cstring_to_text(linitial(names));
	MemoryContextDelete(context);
	PG_RETURN_TEXT_P(name);
}
