/*
 * mask_find.c
 *	  Kinds of a table's columns, as synth_find_pii tells them to the caller.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "catalog/access.h"
#include "mask/mask_plan.h"

/*
 * gs_mask_find_kinds: the likeliest kind of each column of a table.
 *
 * functions: the schema of synth_find_pii.  table: qualified and quoted.
 * Returns a list of GsFoundKind in the current memory context.  Members of
 * documents are left out: a rule is for the whole of a column.
 */
List *
gs_mask_find_kinds(Oid functions, const char *table)
{
	MemoryContext context = CurrentMemoryContext;
	List	   *found = NIL;
	uint64		n;
	char	   *query = psprintf("SELECT DISTINCT ON (\"column\") \"column\"::text, kind, level"
								 " FROM %s.synth_find_pii($1) WHERE path IS NULL"
								 " ORDER BY \"column\", confidence DESC",
								 quote_identifier(get_namespace_name(functions)));

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	n = gs_run_text(query, table, false);
	for (uint64 i = 0; i < n; i++)
	{
		GsFoundKind *kind = MemoryContextAlloc(context, sizeof(GsFoundKind));
		MemoryContext old;

		kind->column = gs_result_text(i, 1, context);
		kind->kind = gs_result_text(i, 2, context);
		kind->level = gs_result_text(i, 3, context);
		old = MemoryContextSwitchTo(context);
		found = lappend(found, kind);
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	return found;
}
