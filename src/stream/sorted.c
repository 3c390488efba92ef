/*
 * sorted.c
 *	  Rows in the order of a key that the target numbers itself.
 *
 * A target numbers identity and serial columns as rows come.  Where such a
 * column rises with another one (see key_order.c), the rows of a batch are put
 * in the order of that one, so they do so here, too.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/tuplesort.h"
#include "utils/typcache.h"

#include "key/key.h"
#include "stream/sorted.h"

struct GsSorting
{
	AttrNumber	column;			/* that rows are sorted by */
	Oid			operator;
	Oid			collation;
};

/*
 * gs_sorting_open: how a target's rows are sorted, in the current context; NULL
 * if they come in any order.
 */
GsSorting *
gs_sorting_open(const GsTarget *target, const GsSchema *schema)
{
	for (int c = 0; c < schema->ncolumns; c++)
	{
		const GsKey *key = schema->columns[c].key;
		Form_pg_attribute attribute;
		TypeCacheEntry *type;
		GsSorting  *sorting;
		int			at;

		if (key == NULL || !key->exact ||
			get_attnum(target->relid, schema->columns[c].name) == InvalidAttrNumber ||
			gs_target_column(target, schema->columns[c].name) >= 0)
			continue;
		at = gs_target_column(target,
							  schema->columns[schema->features[key->order - 1].column].name);
		if (at < 0)
			continue;
		attribute = TupleDescAttr(target->desc, at);
		type = lookup_type_cache(attribute->atttypid,
								 TYPECACHE_LT_OPR | TYPECACHE_GT_OPR);
		sorting = palloc(sizeof(GsSorting));
		sorting->column = at + 1;
		sorting->operator = key->down ? type->gt_opr : type->lt_opr;
		sorting->collation = attribute->attcollation;
		if (OidIsValid(sorting->operator))
			return sorting;
	}
	return NULL;
}

/*
 * gs_sorting_apply: rows that were made, sorted, in the current context; those
 * before are gone.
 */
Tuplestorestate *
gs_sorting_apply(const GsSorting *sorting, const GsTarget *target,
				 Tuplestorestate *rows)
{
	AttrNumber	column = sorting->column;
	Oid			operator = sorting->operator;
	Oid			collation = sorting->collation;
	bool		nulls_first = false;
	Tuplestorestate *sorted = tuplestore_begin_heap(false, false, work_mem);
	Tuplesortstate *sort = tuplesort_begin_heap(target->numbered, 1, &column,
												&operator, &collation,
												&nulls_first, work_mem, NULL,
												TUPLESORT_NONE);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(target->numbered,
													&TTSOpsMinimalTuple);

	while (tuplestore_gettupleslot(rows, true, false, slot))
		tuplesort_puttupleslot(sort, slot);
	ExecClearTuple(slot);
	tuplestore_end(rows);
	tuplesort_performsort(sort);
	while (tuplesort_gettupleslot(sort, true, false, slot, NULL))
		tuplestore_puttupleslot(sorted, slot);
	ExecDropSingleTupleTableSlot(slot);
	tuplesort_end(sort);
	return sorted;
}
